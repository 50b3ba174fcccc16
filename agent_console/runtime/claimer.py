"""Decides when and how many jobs to claim."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from agent_console.domain.errors import Unavailable
from agent_console.runtime.loops import Loop
from agent_console.runtime.pace import Pace
from agent_console.runtime.slots import Slots
from agent_console.store.claims import claim, give_back, next_due
from agent_console.store.database import Database
from agent_console.store.engine_values import Claimed, RunKey
from agent_console.store.liveness import held_by
from agent_console.store.rechecks import Stands

STALE = 1.0  # seconds a job may wait claimed but not started, before others get a chance
GATES_EVERY = 1.0  # seconds between looks for held jobs while no type is known to be limited
UNSTORED = 500  # ends of runs that may wait to be stored before no more is claimed
_BLINK, _LONGEST_BLINK = 0.02, 1.0  # seconds between tries at jobs that others have locked


_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reserved:
    """A slot kept for a new job, which is stored as claimed with ``key``."""

    _claimer: Claimer
    key: RunKey

    def begin(self, claimed: Claimed) -> None:
        """Run the job: it is committed."""
        self._claimer.begin(claimed)

    def release(self, *, unsure: bool) -> None:
        """Give the slot back; ``unsure``: the job may be committed all the same."""
        self._claimer.release(self.key, unsure=unsure)


class Claimer:
    """Claims for the free slots, plus some ahead while all runs are short.

    Sleeps until woken: by word of new work, a slot that became free while more was known to
    wait, or the time at which the next job is due. ``ledger`` holds the key of every claim of this
    worker that has not ended; a claim the database knows and the ledger does not (its answer was
    lost on the way) is given back, or nobody would ever run it.
    """

    def __init__(
        self,
        db: Database,
        worker_id: str,
        *,
        slots: Slots,
        pace: Pace,
        ledger: set[RunKey],
        running: Callable[[], set[str]],
        stands: Stands | None,
    ) -> None:
        """Claim for ``worker_id``; ``running`` names the types that run right now.

        ``stands`` says whether an approval still holds when its job resumes.
        """
        self._db, self._worker_id, self._stands = db, worker_id, stands
        self._slots, self._pace, self._ledger, self._running = slots, pace, ledger, running
        self._others: frozenset[str] = frozenset()  # job types to leave to other workers
        self.gated: frozenset[str] = frozenset()  # job types whose jobs have to be let in
        self._gates_due = 0.0  # monotonic time of the next look for others
        self._open = False
        self._claiming = threading.Lock()
        self._more = True  # as far as known, jobs wait that did not fit
        self._due = float("inf")  # monotonic time at which a job becomes claimable by itself
        self._doubts: deque[None] = deque()  # there may be claims that nobody here knows of
        self._peek = False
        self._ahead = 0
        self._blink = _BLINK
        self._checked = monotonic()
        self._returning: list[RunKey] = []
        self._reserved: set[RunKey] = set()  # slots kept for jobs that are being made
        self.loop = Loop("claimer", self._turn)

    def open(self) -> None:
        """Begin to claim."""
        self._open = self._more = True
        self.loop.start()
        self.loop.wake()

    def close(self) -> None:
        """Claim no more; what has not started goes back with the next turn.

        Waits for a claim in progress: after this, nothing is added.
        """
        with self._claiming:
            self._open = False
        self.loop.wake()

    def poll(self) -> None:
        """Look whether there is work that no word came of."""
        self._peek = True
        self.loop.wake()

    def check_books(self) -> None:
        """Compare what the database says is held here with what is; give back the difference."""
        self._doubts.append(None)
        self.loop.wake()

    @property
    def in_doubt(self) -> bool:
        """Whether there may be, or come to be, claims that nobody here knows of."""
        return bool(self._doubts or self._reserved)

    def reserve(self, job_id: str, job_type: str) -> Reserved | None:
        """Keep a slot for a job that is about to be made as claimed by this worker.

        None where others may be before it, as far as is known here, or no slot is free.
        """
        if not self._claiming.acquire(blocking=False):
            return None
        try:
            first = not (self._more or self._doubts or monotonic() >= self._due)
            if not (self._open and first and job_type not in self.gated and self._slots.reserve()):
                return None
            key = RunKey(job_id, 1, self._worker_id)
            self._reserved.add(key)
            return Reserved(self, key)
        finally:
            self._claiming.release()

    def begin(self, claimed: Claimed) -> None:
        """Run the job of a reserved slot, which is committed."""
        self._ledger.add(claimed.key)  # before it leaves the other: it must be in one of them
        self._reserved.discard(claimed.key)
        self._slots.fill(claimed)
        if not self._open:  # closed meanwhile: it goes back, or runs if a thread is quicker
            self.loop.wake()

    def release(self, key: RunKey, *, unsure: bool) -> None:
        """Give a reserved slot back; ``unsure``: its job may be committed, and is given back."""
        if unsure:
            self.check_books()
        self._reserved.discard(key)
        self._slots.release()

    def wake(self) -> None:
        """There may be work: look now."""
        self._more = True
        self.loop.wake()

    def leave(self, job_types: frozenset[str]) -> None:
        """Leave jobs of these types to others, who know them."""
        if job_types != self._others:
            self._others = job_types
            self.wake()

    def mind(self, gated: frozenset[str]) -> None:
        """Let in jobs of these types, which are limited or paused."""
        if gated != self.gated:
            self.gated = gated
            self.wake()

    def slot_freed(self) -> None:
        """A run has ended or its end is stored: claim again if more waits and the stock is low."""
        if self._more and self._slots.waiting <= self._ahead // 2:
            self.loop.wake()

    def _turn(self) -> float | None:
        self._settle_doubt()
        self._return_stale()
        room = self._room()
        if self._peek and self._open and room > 0:
            self._peek = False
            # Cheaper than a claim, which takes the write lock to find nothing.
            self._more = self._more or next_due(self._db, others=self._others) == 0
        if room > 0 and not self._stocked and (self._more or monotonic() >= self._due):
            with self._claiming:
                if self._open:
                    return self._claim(room)
        return self._pause() if self._open else None

    @property
    def _stocked(self) -> bool:
        """Whether so much was claimed ahead that it pays to wait until more fits at once.

        Nobody has to be woken for it: a slot that becomes free looks when the stock is low.
        """
        return self._ahead > 0 and self._slots.waiting > self._ahead // 2

    def _room(self) -> int:
        """Return how many jobs may be claimed; fewer while ends of runs wait to be stored."""
        taken = max(self._slots.held, len(self._ledger) - UNSTORED)
        return self._slots.size + self._ahead - taken

    def _claim(self, room: int) -> float | None:
        self._more = False  # before the claim: word that comes during it must count
        self._due = float("inf")
        try:
            claimed = claim(
                self._db,
                self._worker_id,
                room,
                others=self._others,
                stands=self._stands,
                admit=self._admissible(),
            )
        except Unavailable:
            self._more = True
            self._doubts.append(None)
            raise
        if not self._slots.waiting:
            self._checked = monotonic()
        self._ledger.update(job.key for job in claimed)
        self._slots.put(claimed)
        if len(claimed) == room:
            self._more = True
            types = {job.job_type for job in claimed} | self._running()
            self._ahead = self._pace.ahead(types) * self._slots.size
            return 0.0
        self._ahead = 0
        self._look_ahead(found=bool(claimed))
        return self._pause()

    def _admissible(self) -> int:
        """Return how many held jobs to let in: none ahead of a slot, where they would only wait."""
        now = monotonic()
        if not self.gated and now < self._gates_due:
            return 0
        self._gates_due = now + GATES_EVERY
        return max(0, self._slots.size - self._slots.held)

    def _look_ahead(self, *, found: bool) -> None:
        """Note when, after everything claimable has been claimed, the next job is due."""
        gated = bool(self.gated) or monotonic() >= self._gates_due
        due = next_due(self._db, others=self._others, gated=gated)
        if due is None:
            return
        # Let in nothing, for want of a slot: the next that is free has something to do.
        self._more = self._more or (due == 0 and self._slots.held >= self._slots.size)
        self._blink = _BLINK if found or due > 0 else min(self._blink * 2, _LONGEST_BLINK)
        self._due = monotonic() + max(due, self._blink)

    def _pause(self) -> float | None:
        """Return how long to sleep: until the next job is due or the stock turns stale."""
        waits = []
        if self._slots.held < self._slots.size + self._ahead and self._due != float("inf"):
            waits.append(max(0.0, self._due - monotonic()))
        if self._slots.waiting:
            waits.append(STALE)
        return min(waits, default=None)

    def _return_stale(self) -> None:
        limit = STALE if self._open else 0.0
        if self._slots.waiting and (not self._open or monotonic() - self._checked >= STALE):
            self._checked = monotonic()
            stale = self._slots.take_back(limit)
            self._returning += [job.key for job in stale]
            if stale and self._open:
                self._pace.distrust({job.job_type for job in stale} | self._running())
                self._ahead = 0
        if self._returning:
            give_back(self._db, self._returning)
            self._ledger.difference_update(self._returning)
            self._returning = []

    def _settle_doubt(self) -> None:
        if doubts := len(self._doubts):  # those that come while this looks are another's
            held = held_by(self._db, self._worker_id)
            # A run that ends between the two looks is in neither; its key is fenced by then.
            # What is being made goes from the reserved to the ledger, and is looked for likewise.
            strays = [k for k in held if k not in self._reserved and k not in self._ledger]
            if strays:
                returned = give_back(self._db, strays)
                _log.warning("%d claims that nobody here knew of were given back", returned)
            for _ in range(doubts):
                self._doubts.popleft()
