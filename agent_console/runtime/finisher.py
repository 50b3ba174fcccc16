"""Tells the store how runs ended: everything that is ready, in one transaction, at once."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from time import monotonic

from agent_console.domain.errors import LostClaim, Unavailable
from agent_console.domain.jobs import JobVerb
from agent_console.domain.parking import ParkCode
from agent_console.runtime.loops import Loop
from agent_console.runtime.notebook import FLUSH_AFTER
from agent_console.runtime.preview import Buffered
from agent_console.store.database import Database
from agent_console.store.engine_values import Finish
from agent_console.store.finishes import finish

BATCH = 500

_log = logging.getLogger(__name__)


class Finisher:
    """Keeps every finish until the database has answered, through outages of any length.

    It also writes log lines and previews of runs that go on, when they have waited long enough.
    """

    def __init__(self, db: Database, done: Callable[[Finish], None]) -> None:
        """Call ``done`` with each finish the database has answered, accepted or not."""
        self._db, self._done = db, done
        self._ready: deque[Finish] = deque()
        self._batch: list[Finish] = []
        self._notes: deque[tuple[float, Buffered]] = deque()
        self.loop = Loop("finisher", self._turn)

    def put(self, end: Finish) -> None:
        """Hand over the end of a run."""
        self._ready.append(end)
        self.loop.wake()

    def schedule(self, notes: Buffered) -> None:
        """Have ``notes`` flushed within ``FLUSH_AFTER`` seconds."""
        self._notes.append((monotonic() + FLUSH_AFTER, notes))
        self.loop.wake()

    def _turn(self) -> float | None:
        if self._take():
            self._store(self._batch)
            self._batch = []
        pause = self._flush_notes()
        return 0.0 if self._ready else pause

    def _take(self) -> bool:
        """Fill the batch; one that could not be stored in an outage is taken up again."""
        while self._ready and len(self._batch) < BATCH:
            self._batch.append(self._ready.popleft())
        return bool(self._batch)

    def _store(self, batch: Sequence[Finish]) -> None:
        try:
            finish(self._db, batch)
        except Unavailable:
            raise
        except Exception:  # noqa: BLE001 - taken apart below; the last one is logged
            if len(batch) == 1:
                self._park(batch[0])
                return
            # One that cannot be stored must not keep the others from it.
            for end in batch:
                self._store([end])
            return
        for end in batch:
            self._done(end)

    def _park(self, end: Finish) -> None:
        _log.exception("job %s: its outcome could not be stored", end.key.job_id)
        reason = "The outcome of a run could not be stored; the worker's log says why."
        parked = end._replace(
            verb=JobVerb.PARK,
            output=None,
            error=None,
            logs=(),
            park_reason=reason,
            park_code=ParkCode.OUTCOME,
            park_detail=None,
        )
        finish(self._db, [parked])
        self._done(end)

    def _flush_notes(self) -> float | None:
        now = monotonic()
        while self._notes and self._notes[0][0] <= now:
            notes = self._notes[0][1]
            try:
                notes.flush()
            except LostClaim as lost:
                _log.debug("what a run that lost its job had to say is dropped: %s", lost)
            self._notes.popleft()
        return max(0.001, self._notes[0][0] - now) if self._notes else None
