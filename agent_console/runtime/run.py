"""One run of one job, as a value that is passed along the executor's steps."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import NoReturn, TypeVar

from agent_console.domain.clock import Clock
from agent_console.domain.errors import LostClaim, Unavailable
from agent_console.domain.jobs import Json
from agent_console.domain.observer import RunObserver
from agent_console.domain.payload import check_json
from agent_console.domain.records import Step
from agent_console.domain.risk import RiskAssessor
from agent_console.domain.risk_rules import STANDARD
from agent_console.gateways.http import HttpGateway
from agent_console.gateways.workspace import Workspace
from agent_console.runtime.errors import EndOfRun, Interrupted, TimedOut
from agent_console.runtime.notebook import Notebook
from agent_console.runtime.preview import Buffered, Preview
from agent_console.runtime.registry import HandlerSpec, Registry
from agent_console.runtime.replay import Recorder, Turn
from agent_console.store.database import Database
from agent_console.store.engine_values import Claimed, NewStep, RunRecord
from agent_console.store.run_records import load_record, record
from agent_console.store.runs import record_step

T = TypeVar("T")

LOST, STOPPING, OUTAGE, OVERTIME = "lost", "stopping", "outage", "overtime"
RELEASING = frozenset({STOPPING, OUTAGE})  # the job goes back into the queue, uncharged
ENDING = RELEASING | {LOST}
PATIENCE = 60.0  # seconds a run waits for the database before it gives its job back


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What every run of a process shares; ``assessors`` look at what is put up for approval."""

    db: Database
    registry: Registry
    clock: Clock
    workspace: Workspace
    observers: RunObserver
    assessors: Sequence[RiskAssessor] = STANDARD
    http: HttpGateway = field(default_factory=HttpGateway)
    origin: str = ""  # the address under which this console answers


class Run:
    """A claimed job on its way through a handler.

    ``ended`` is set once the engine has ended the run; whatever the handler does with the signal
    that told it so, the run stays ended and every further call of its context raises again.
    """

    __slots__ = (
        "_deadline",
        "_failed_step",
        "_lock",
        "_settled",
        "claimed",
        "ended",
        "interruption",
        "key",
        "notes",
        "preview",
        "recorder",
        "spec",
        "started",
        "surroundings",
        "task",
        "thread",
    )

    def __init__(
        self,
        surroundings: Surroundings,
        claimed: Claimed,
        spec: HandlerSpec,
        schedule: Callable[[Buffered], None] | None = None,
    ) -> None:
        """Begin the clock of ``claimed``, run by ``spec``."""
        db, clock = surroundings.db, surroundings.clock
        self.surroundings, self.claimed, self.spec = surroundings, claimed, spec
        self.key = claimed.key
        self.started = clock.monotonic()
        self._deadline = None if spec.timeout is None else self.started + spec.timeout
        self.recorder = Recorder(None if claimed.fresh else lambda: self._patiently(self._load))
        self.notes = Notebook(db, self.key, claimed.attempt, clock, schedule)
        self.preview = Preview(db, self.key, schedule)
        self.ended: EndOfRun | None = None
        self.interruption = ""
        self.task: Future[object] | None = None
        self._lock = threading.Lock()
        self._failed_step: NewStep | None = None
        self._settled = False
        self.thread = threading.get_ident()

    @property
    def deadline(self) -> float | None:
        """When the run is overtime, on the clock's monotonic scale."""
        return self._deadline

    def check(self) -> None:
        """Stop the handler here if the run is over.

        Raises:
            EndOfRun: it was ended, lost its claim, or its worker is stopping.
            TimedOut: it is past its deadline.
        """
        if self.ended is not None:
            raise self.ended
        if self.interruption in ENDING:
            self.end(Interrupted(self.interruption))
        if self._deadline is not None and self.surroundings.clock.monotonic() >= self._deadline:
            raise TimedOut(f"The handler ran longer than its timeout of {self.spec.timeout:g} s.")

    def end(self, signal: EndOfRun) -> NoReturn:
        """End the run by ``signal``; the first one counts. Always raises."""
        if self.ended is None:
            self.ended = signal
        raise self.ended

    def settle(self) -> bool:
        """Say whether the caller is the first who wants to tell the store how the run ended."""
        with self._lock:
            first, self._settled = not self._settled, True
        return first

    def interrupt(self, why: str) -> None:
        """Ask the run to stop, from another thread: LOST, STOPPING or OVERTIME."""
        with self._lock:
            self.interruption = self.interruption or why
            task = self.task
        if task is not None:
            task.cancel()

    def attach(self, task: Future[object]) -> None:
        """Let ``task``, an async handler's, be canceled by an interruption, even an earlier one."""
        with self._lock:
            self.task = task
            interrupted = bool(self.interruption)
        if interrupted:
            task.cancel()

    @contextmanager
    def turn(self, kind: str, name: str, message: str = "") -> Iterator[Turn]:
        """Open a recorded call; a lost claim or a difference inside ends the run.

        Raises:
            Invalid: no database could store ``name``; better said before an effect than after.
        """
        self.check()
        check_json(name, "name")
        try:
            with self.recorder.turn(kind, name, message) as turn:
                if turn.recorded is None:
                    self.settle_failed_step()
                yield turn
        except LostClaim as error:
            self.end(Interrupted(error.message))
        except EndOfRun as signal:
            self.end(signal)

    def persist(self, turn: Turn, write: Callable[[], T]) -> T | Json:
        """Make ``turn`` part of the record by ``write``, waiting out an outage.

        Returns what ``write`` does, or the recorded result when an earlier try turns out to have
        been committed although its answer was lost.
        """

        def attempt(again: bool) -> T | Json:
            recorded = self._recorded(turn.position) if again else None
            if recorded is not None:
                return recorded.result
            try:
                return write()
            except (Unavailable, LostClaim):
                raise
            except Exception:
                # The commit of the earlier try may have come through since the look.
                late = self._recorded(turn.position) if again else None
                if late is None:
                    raise
                return late.result

        result = self._patiently(attempt)
        turn.done = True
        return result

    def outlast(self, call: Callable[[], T]) -> T:
        """Return what ``call``, which may be repeated, returns once the database answers."""
        return self._patiently(lambda _again: call())

    def _patiently(self, attempt: Callable[[bool], T]) -> T:
        """Try until the database answers; after ``PATIENCE`` seconds give the job back."""
        again, pause = False, 0.1
        give_up = monotonic() + PATIENCE  # tries take their time, too
        while True:
            try:
                return attempt(again)
            except Unavailable as error:
                if monotonic() >= give_up:
                    self.interruption = self.interruption or OUTAGE
                    self.end(Interrupted(error.message))
            threading.Event().wait(pause)
            again, pause = True, min(pause * 2, 2.0)
            self.check()

    def _recorded(self, position: int) -> Step | None:
        steps = load_record(self.surroundings.db, self.key.job_id).steps
        return next((step for step in steps if step.position == position), None)

    def _load(self, again: bool) -> RunRecord:
        del again  # reading twice does no harm
        if self.claimed.stored is not None:
            return record(self.claimed.stored)
        return load_record(self.surroundings.db, self.key.job_id)

    def remember_failure(self, step: NewStep) -> None:
        """Keep a step that raised: it joins the record if the handler survives it."""
        self._failed_step = step

    def settle_failed_step(self) -> None:
        """Let the step that raised last join the record: its handler has survived it."""
        if self._failed_step is not None:
            step, self._failed_step = self._failed_step, None
            turn = Turn(step.position, recorded=None)
            self.persist(turn, lambda: record_step(self.surroundings.db, self.key, step))
