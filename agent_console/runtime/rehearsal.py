"""Runs a job again from its record and tells what differs, without any effect.

Recorded calls answer from the record. The rehearsal ends at the first call that is not in it, so no
step is done, and nothing can be written: the database takes no writes, the workspace no files, and
no host may be called.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar, cast

from agent_console.domain.checkpoints import CheckpointStatus
from agent_console.domain.clock import Clock
from agent_console.domain.errors import RateLimited
from agent_console.domain.jobs import Json
from agent_console.domain.observer import RunObservers
from agent_console.domain.payload import canonical
from agent_console.domain.replays import MAX_DIFFERENCES, Difference, DifferenceKind, ReplayReport
from agent_console.gateways.workspace import Workspace
from agent_console.runtime.async_context import LoopThread
from agent_console.runtime.executor import Executor, Outcome
from agent_console.runtime.notebook import Notebook
from agent_console.runtime.preview import Buffered
from agent_console.runtime.registry import Registry
from agent_console.runtime.replay import Details, Recorder, Turn, describe
from agent_console.runtime.run import STOPPING, Run, Surroundings
from agent_console.runtime.verdicts import (
    Acts,
    Noted,
    RecordEnds,
    TookTooLong,
    cut,
    missing_handler,
    report,
)
from agent_console.store.database import Database
from agent_console.store.reads.replays import Past, past

T = TypeVar("T")

AT_ONCE = 2  # rehearsals of a process; handlers that never return count until it ends
PATIENCE = 20.0  # seconds a handler may take between its recorded calls, all together
GRACE = 1.0  # seconds it gets to notice that it is to stop


class _Unwritten(Database):
    """A database that is read only."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def write(self, work: object) -> NoReturn:
        del work
        raise Acts("the database")

    def read(self) -> Any:
        return self._db.read()


class _Unwritable(Workspace):
    """A workspace that can be read only."""

    def write_all(
        self, files: Mapping[str, str], expect: Mapping[str, str | None] | None = None
    ) -> NoReturn:
        del files, expect
        raise Acts("files of the workspace")


class _Silent(Notebook):
    """Takes log lines and progress, and forgets them."""

    def flush(self) -> None:
        self.take()

    def save_progress(self) -> None:
        self.take()


class Rehearsed(Recorder):
    """A record that is only read: it notes what differs, and has no next page."""

    __slots__ = ("_past", "differences")

    def __init__(self, found: Past) -> None:
        """Answer from what ``found`` holds."""
        super().__init__(lambda: found.record)
        self._past = found
        self.differences: list[Difference] = []
        self.ensure_loaded()

    def compare(self, turn: Turn, details: Details) -> None:
        """Note what the handler hands over now and did not then."""
        then, now = self._details(turn), details()
        others = [
            name for name in now if name in then and canonical(then[name]) != canonical(now[name])
        ]
        for name in others:
            self._note(turn, name, then[name], now[name])
        decision = self.decision(turn.position)
        if decision is None or "digest" not in now:
            return
        if "digest" in others:
            raise Noted("")
        if decision.status in _UNANSWERED:
            raise RecordEnds("the answer of a reviewer")

    def _details(self, turn: Turn) -> Mapping[str, Json]:
        step = turn.recorded
        if step is not None and step.kind == "sleep":
            return {"duration": step.name}
        if step is not None and step.kind == "usage":
            figures = cast("dict[str, Json]", step.result)
            return {name: value for name, value in figures.items() if name != "carried"}
        return self._past.details.get(turn.position, {})

    def _note(self, turn: Turn, name: str, then: Json, now: Json) -> None:
        step = turn.recorded
        call = "" if step is None else describe(step.kind, step.name)
        if len(self.differences) < MAX_DIFFERENCES:
            self.differences.append(
                Difference(
                    kind=DifferenceKind.DETAIL,
                    position=turn.position,
                    message=f"Call {turn.position + 1}, {call}: another {_WORDS.get(name, name)}.",
                    recorded=cut(canonical(then)),
                    replayed=cut(canonical(now)),
                )
            )

    def _next(self, kind: str, name: str, message: str) -> Any:
        if not self.replaying:
            raise RecordEnds(describe(kind, name))
        return super()._next(kind, name, message)


_UNANSWERED = frozenset({CheckpointStatus.PENDING, CheckpointStatus.CANCELED})
_WORDS = {
    "digest": "content (SHA-256)",
    "artifactType": "artifact type",
    "mediaType": "media type",
    "inputTokens": "number of input tokens",
    "outputTokens": "number of output tokens",
    "costMicros": "cost in millionths of a dollar",
}


@dataclass(slots=True)
class Rehearsals:
    """Runs jobs again on demand; ``registry`` has the handlers, ``patience`` is seconds."""

    db: Database
    registry: Registry
    clock: Clock
    workspace: Workspace
    origin: str = ""
    patience: float = PATIENCE
    _rooms: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(AT_ONCE))

    def __call__(self, job_id: str) -> ReplayReport | None:
        """Return what differs when the job is run again; None: there is no such job.

        Raises:
            RateLimited: as many run already as this process allows at once.
            Unavailable: the database cannot serve now.
        """
        found = past(self.db, job_id)
        if found is None:
            return None
        spec = self.registry.find(found.job.job_type)
        if spec is None:
            return missing_handler(found, self.clock.now())
        if not self._rooms.acquire(blocking=False):
            raise RateLimited("Other jobs are being replayed; try again in a moment.", retryAfter=1)
        run, recorder, loop = self._prepare(found)
        outcome = _bounded(
            lambda: self._perform(run, loop), run, self.patience, self._rooms.release
        )
        return report(
            found,
            outcome,
            run.ended,
            noted=tuple(recorder.differences),
            replayed=recorder.position,
            version=spec.version,
            at=self.clock.now(),
        )

    def _prepare(self, found: Past) -> tuple[Run, Rehearsed, LoopThread]:
        surroundings = Surroundings(
            db=_Unwritten(self.db),
            registry=self.registry,
            clock=self.clock,
            workspace=_Unwritable(self.workspace.root),
            observers=RunObservers(),
            origin=self.origin,
        )
        loop = LoopThread()
        run = Executor(surroundings, loop, random.Random(0)).begin(found.claimed, _later)  # noqa: S311
        assert isinstance(run, Run)  # noqa: S101 - the handler was found
        recorder = run.recorder = Rehearsed(found)
        run.notes = _Silent(
            surroundings.db, run.key, found.claimed.attempt, surroundings.clock, _later
        )
        return run, recorder, loop

    def _perform(self, run: Run, loop: LoopThread) -> Outcome:
        try:
            return Executor(run.surroundings, loop).perform(run)
        finally:
            loop.close()


def _later(notes: Buffered) -> None:
    """Write no line at once, and none later."""


def _bounded(
    perform: Callable[[], T], run: Run, patience: float, done: Callable[[], None]
) -> T | None:
    """Return what ``perform`` returns, on a thread of its own; None: it took too long."""
    outcomes: list[T] = []

    def work() -> None:
        try:
            outcomes.append(perform())
        finally:
            done()

    thread = threading.Thread(target=work, name="rehearsal", daemon=True)
    thread.start()
    thread.join(patience)
    if thread.is_alive():
        run.interrupt(STOPPING)
        thread.join(GRACE)
        run.ended = run.ended or TookTooLong()
        return None
    return outcomes[0] if outcomes else None
