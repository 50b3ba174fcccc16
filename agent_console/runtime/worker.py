"""The part of a process that runs jobs: claimer, handler threads, finisher, and how they stop."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from time import monotonic

from agent_console.domain.errors import Unavailable
from agent_console.domain.jobs import JobVerb
from agent_console.domain.parking import ParkCode
from agent_console.domain.records import WorkerStatus
from agent_console.runtime.claimer import Claimer, Reserved
from agent_console.runtime.errors import Interrupted
from agent_console.runtime.executor import Executor, overtime
from agent_console.runtime.finisher import Finisher
from agent_console.runtime.loops import Loop
from agent_console.runtime.pace import Pace
from agent_console.runtime.run import LOST, OVERTIME, STOPPING, Run
from agent_console.runtime.slots import Slots
from agent_console.store.claims import give_back
from agent_console.store.database import Database
from agent_console.store.engine_values import Claimed, Finish, RunKey
from agent_console.store.liveness import wanted
from agent_console.store.rechecks import Stands

BOOKS_EVERY = 60.0  # seconds between comparisons of what is held with the database
GRACE = 1.0  # seconds between asking a run to stop and going on without it

_log = logging.getLogger(__name__)


class Worker:
    """Runs jobs while it is wanted to; may be started and stopped any number of times.

    Stopping is a drain: no new claims, unstarted jobs go back, running ones have the drain time
    to end, then are asked to stop, then are given back without charging an attempt.
    ``announce`` tells the database what this worker does (``shown``); it claims only once that
    is known there, because a job held by a worker that is not known to run is nobody's.
    """

    def __init__(
        self,
        db: Database,
        worker_id: str,
        executor: Executor,
        *,
        announce: Callable[[], None],
        deadline_set: Callable[[], None],
        stands: Stands | None = None,
    ) -> None:
        """Start nothing yet; ``deadline_set`` is called when a run with a timeout begins.

        ``stands``: the policy under which approvals must still hold when their jobs resume.
        """
        self._db, self._executor, self._announce = db, executor, announce
        self._deadline_set = deadline_set
        self._ledger: set[RunKey] = set()  # claims that have not ended, as far as known here
        self._lost: set[RunKey] = set()  # of the ledger: canceled or taken over meanwhile
        self._active: dict[RunKey, Run] = {}
        self._pace = Pace()
        self._slots = Slots(self._work, self._slot_freed)
        self._finisher = Finisher(db, self._stored)
        self._claimer = Claimer(
            db,
            worker_id,
            slots=self._slots,
            pace=self._pace,
            ledger=self._ledger,
            running=self._running_types,
            stands=stands,
        )
        self._size = 1
        self._books_due = monotonic() + BOOKS_EVERY
        self._wanted = False
        self._drain_seconds = 0.0
        self._drain_until = 0.0
        self._control = Loop("worker", self._turn)
        self.status = self.shown = WorkerStatus.STOPPED
        self.stopped = threading.Event()
        self.stopped.set()

    def start(self) -> None:
        """Start the threads that keep the worker going; it runs jobs once it is wanted to."""
        self._finisher.loop.start()
        self._control.start()

    def close(self) -> None:
        """End every thread; jobs must have been drained before."""
        for loop in (self._control, self._claimer.loop, self._finisher.loop):
            loop.stop(GRACE)
        self._slots.resize(0)

    def supervise(self) -> None:
        """Restart threads that have died, which their loops are made never to do.

        Also, once a minute, see that the database and this worker agree on what it holds.
        """
        expected = [self._control, self._finisher.loop]
        if self.status is WorkerStatus.RUNNING:
            expected.append(self._claimer.loop)
        for loop in expected:
            if not loop.alive:
                _log.error("%s: the thread died; starting it again", loop.name)
                loop.start()
        if self.status is WorkerStatus.RUNNING and monotonic() >= self._books_due:
            self._books_due = monotonic() + BOOKS_EVERY
            self._claimer.check_books()

    def want(self, run: bool, drain_seconds: float) -> None:
        """Have the worker run, or drain within ``drain_seconds`` and stop."""
        self._drain_seconds = drain_seconds
        if run != self._wanted:
            self._wanted = run
            self._control.wake()

    def resize(self, size: int) -> None:
        """Run up to ``size`` jobs at once from now on."""
        if size != self._size:
            self._size = size
            if self.status is WorkerStatus.RUNNING:
                self._slots.resize(size)
                self._claimer.wake()

    @property
    def gated(self) -> frozenset[str]:
        """The job types that are limited or paused, as far as this worker has heard."""
        return self._claimer.gated

    def learn(self, elsewhere: frozenset[str], gated: frozenset[str]) -> None:
        """Hear which job types other workers know: those unknown here are left to them.

        A type that nobody knows is claimed, and parked with the reason. ``gated`` are the types
        that are limited or paused.
        """
        self._claimer.mind(gated)
        registry = self._executor.surroundings.registry
        self._claimer.leave(frozenset(t for t in elsewhere if registry.find(t) is None))

    def wake(self) -> None:
        """There is word of work: claim now instead of later."""
        if self._wanted:
            self._claimer.wake()

    def poll(self) -> None:
        """Look for work that no word came of."""
        if self._wanted:
            self._claimer.poll()

    def reserve(self, job_id: str, job_type: str) -> Reserved | None:
        """Keep a slot for a job that is about to be made, if it may begin at once."""
        if self._executor.surroundings.registry.find(job_type) is None:
            return None
        return self._claimer.reserve(job_id, job_type)

    def running(self) -> list[RunKey]:
        """Return the keys of the runs in progress."""
        return list(self._active)

    def claims(self) -> list[RunKey]:
        """Return the keys of all claims that have not ended: runs, and jobs that wait to start."""
        return list(self._ledger.copy())

    def lose(self, keys: set[RunKey]) -> None:
        """Stop runs whose jobs are no longer this worker's, and begin none for such jobs."""
        self._lost = (self._lost | keys) & {*self.claims()}
        for key in keys:
            if (run := self._active.get(key)) is not None:
                run.interrupt(LOST)

    def watch(self) -> float | None:
        """Stop what is overtime; return the seconds until that may be needed again."""
        now = self._executor.surroundings.clock.monotonic()
        waits: list[float] = []
        for run in list(self._active.values()):
            if run.deadline is None:
                continue
            if now >= run.deadline + GRACE:
                self._abandon(run)
                continue
            if now >= run.deadline:
                run.interrupt(OVERTIME)
            waits.append((run.deadline if now < run.deadline else run.deadline + GRACE) - now)
        return min(waits, default=None)

    def _slot_freed(self) -> None:
        self._claimer.slot_freed()
        if not self._wanted:
            self._control.wake()

    def _forget(self, key: RunKey) -> None:
        self._ledger.discard(key)
        self._lost.discard(key)

    def _work(self, claimed: Claimed) -> None:
        if claimed.key in self._lost:
            self._forget(claimed.key)
            return
        try:
            run = self._executor.begin(claimed, self._finisher.schedule)
        except Exception:  # noqa: BLE001 - logged; the job must end somehow
            _log.exception("job %s: the engine cannot begin it", claimed.key.job_id)
            run = _parked(claimed)
        if isinstance(run, Finish):
            self._finisher.put(self._passed_on(claimed) or run)
            return
        self._active[run.key] = run
        if run.key in self._lost:  # said between the two looks
            run.interrupt(LOST)
        if run.deadline is not None:
            self._deadline_set()
        began = monotonic()
        try:
            end = self._executor.execute(run)
        except Exception:  # noqa: BLE001 - logged; the job must end somehow
            _log.exception("job %s: the engine failed", run.key.job_id)
            end = _parked(claimed)
        self._pace.note(claimed.job_type, monotonic() - began)
        self._active.pop(run.key, None)
        self._end(run, end)

    def _passed_on(self, claimed: Claimed) -> Finish | None:
        """Return the finish that leaves a job unknown here to a worker that knows its type.

        None when nobody does. Asked anew: such a worker may be younger than the last beat.
        """
        if self._executor.surroundings.registry.find(claimed.job_type) is not None:
            return None
        try:
            orders = wanted(self._db, claimed.key.worker_id)
        except Unavailable:
            orders = None
            known = True  # not parked on a guess; whoever claims it next asks again
        else:
            known = orders is not None and claimed.job_type in orders.elsewhere
        if orders is not None:
            self.learn(orders.elsewhere, orders.gated)
        if not known:
            return None
        return Finish(key=claimed.key, job_type=claimed.job_type, verb=JobVerb.RELEASE)

    def _end(self, run: Run, end: Finish | None) -> None:
        if not run.settle():
            return
        if end is None:
            self._forget(run.key)
        else:
            self._finisher.put(end)

    def _stored(self, end: Finish) -> None:
        self._forget(end.key)
        self._claimer.slot_freed()

    def _running_types(self) -> set[str]:
        return {run.claimed.job_type for run in list(self._active.values())}

    def _abandon(self, run: Run) -> None:
        """Fail a run that does not react, by its claim, and go on without its thread."""
        if not run.settle():
            return
        _log.error("job %s: its handler does not stop; going on without it", run.key.job_id)
        run.ended = run.ended or Interrupted("overtime")
        self._active.pop(run.key, None)
        self._finisher.put(self._executor.fail(run, overtime(run.spec)))
        self._slots.abandon(run.thread)

    def _turn(self) -> float | None:
        if self._wanted:
            self._run()
            return None
        if self.status is WorkerStatus.RUNNING:
            self._begin_drain()
        return self._drain() if self.status is WorkerStatus.DRAINING else None

    def _run(self) -> None:
        if self.status is not WorkerStatus.RUNNING:
            self.shown = WorkerStatus.RUNNING
            self._announce()
            self.stopped.clear()
            self._slots.resize(self._size)
            self._claimer.open()
            # Not before its threads run: the supervisor starts what a running worker lacks.
            self.status = WorkerStatus.RUNNING
            self._slots.resize(self._size)  # which may have changed since

    def _begin_drain(self) -> None:
        self.status = self.shown = WorkerStatus.DRAINING
        self._drain_until = monotonic() + self._drain_seconds
        self._claimer.close()

    def _drain(self) -> float | None:
        """Go on with stopping; return when to look again."""
        self._drain_until = min(self._drain_until, monotonic() + self._drain_seconds)
        left = self._drain_until - monotonic()
        if left <= 0:
            for run in list(self._active.values()):
                run.interrupt(STOPPING)
        if left <= -GRACE:
            self._release()
        if self._ledger or self._claimer.in_doubt:
            # Ends of runs wake this loop; their way into the database takes a moment more.
            return min(max(left, 0.05), 1.0) if self._active else 0.01
        self.shown = WorkerStatus.STOPPED
        self._announce()
        self.status = WorkerStatus.STOPPED
        self._slots.resize(0)
        self.stopped.set()
        return None

    def _release(self) -> None:
        """Give back jobs whose handlers did not stop in time; they can write nothing from now."""
        runs = list(self._active.values())
        give_back(self._db, [run.key for run in runs])
        for run in runs:
            if run.settle():
                _log.warning("job %s: given back while its handler still runs", run.key.job_id)
                run.ended = run.ended or Interrupted(STOPPING)
                self._forget(run.key)
                self._slots.abandon(run.thread)
            self._active.pop(run.key, None)


def _parked(claimed: Claimed) -> Finish:
    """Return the end of a run around which the engine itself failed: nothing to rely on."""
    return Finish(
        key=claimed.key,
        job_type=claimed.job_type,
        verb=JobVerb.PARK,
        park_reason="The engine failed around this run; the worker's log says why.",
        park_code=ParkCode.ENGINE,
    )
