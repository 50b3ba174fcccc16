"""One run in a process of its own: the same engine as on a thread, with connections of its own.

There is no second implementation of runs. The process is given the claim, executes it like any
thread of a worker would, and hands back how it is to be finished. What it writes is fenced by the
claim's token like everybody's, so one that outlives its time writes nothing.
"""

from __future__ import annotations

import faulthandler
import functools
import os
import select
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType, TracebackType
from typing import IO, Any, TypeVar

from agent_console.domain.clock import SystemClock
from agent_console.domain.events import Event
from agent_console.domain.jobs import Progress
from agent_console.domain.observer import RunObserver, RunObservers
from agent_console.domain.risk_rules import assessors
from agent_console.gateways.http import http_gateway
from agent_console.gateways.workspace import Workspace
from agent_console.runtime import linux, wire
from agent_console.runtime.async_context import LoopThread
from agent_console.runtime.deaths import OutOfMemory
from agent_console.runtime.errors import Interrupted
from agent_console.runtime.executor import Executor
from agent_console.runtime.finisher import Finisher
from agent_console.runtime.forkserver import Warm
from agent_console.runtime.notebook import Notebook
from agent_console.runtime.preview import Buffered
from agent_console.runtime.registry import HandlerSpec
from agent_console.runtime.run import Run, Surroundings
from agent_console.store.database import Database, StoreOptions
from agent_console.store.engine_values import Finish, NewLog
from agent_console.store.transactions import Tx

T = TypeVar("T")

STATEMENTS = 4  # connections of one run at most: its own, those of async steps, of its notes


def live(end: socket.socket, trace: IO[bytes], warm: Warm) -> None:
    """Do what the worker at the other end orders, tell it the outcome, and return."""
    shield = Shield()
    channel = wire.Channel(end, shield)
    order = channel.wait()
    if order is None:
        return
    _reseed()
    threading.Thread(target=_end_with, args=(end,), name="lifeline", daemon=True).start()
    claimed = wire.claimed_in(order["claimed"])
    db = _Database(order["url"], shield, channel, StoreOptions(**order["options"]))
    notes = Finisher(db, lambda _end: None)  # of its work only that on notes and previews
    notes.loop.start()
    loop = LoopThread()
    executor = ChildExecutor(_surroundings(order, db, warm, channel), loop)
    run = executor.begin(claimed, notes.schedule)
    if isinstance(run, Finish):
        channel.send("end", finish=wire.finish_out(run), code="")
        return
    run.notes = MirroredNotebook(run, notes.schedule, channel)
    stop = Stop(run, channel, shield)
    faulthandler.enable(trace, all_threads=False)
    stop.install(trace)
    run.spec = replace(run.spec, function=stop.around(run.spec))
    if run.spec.memory_limit is not None:
        linux.limit_data(run.spec.memory_limit)
    finish = executor.finished(run)
    stop.over = True
    if finish is None:
        run.notes.keep_written()
    db.close()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()  # after its last word this process is ended
    said = None if finish is None else wire.finish_out(finish)
    channel.send("end", finish=said, code=executor.failure_code)


class Shield:
    """Keeps the main thread from being interrupted inside; what comes meanwhile comes after."""

    def __init__(self) -> None:
        """Keep nothing yet."""
        self._depth = 0
        self.due: BaseException | None = None

    @property
    def up(self) -> bool:
        """Whether the main thread must not be interrupted."""
        return self._depth > 0

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            self._depth += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        self._depth -= 1
        if not self._depth and error is None and self.due is not None:
            due, self.due = self.due, None
            raise due


class Stop:
    """Turns SIGTERM into the run's interruption, so that ``finally`` blocks run.

    The worker says why on the channel before it has the signal sent. Without its word the signal
    means nothing: a service manager sends it to every process when the worker begins to drain.
    """

    def __init__(self, run: Run, channel: wire.Channel, shield: Shield) -> None:
        """Stop ``run`` once it is told to."""
        self._run, self._channel, self._shield = run, channel, shield
        self._inside = False
        self.over = False

    def install(self, trace: IO[bytes]) -> None:
        """Listen from now on; where the handler was is written to ``trace`` first."""
        signal.signal(signal.SIGTERM, self._heard)
        faulthandler.register(
            signal.SIGTERM, trace, all_threads=self._run.spec.is_async, chain=True
        )
        self._listen()  # it may have come before

    def around(self, spec: HandlerSpec) -> Callable[..., object]:
        """Return the handler, interruptible while it runs on this thread."""
        function = spec.function
        if spec.is_async:  # its task is canceled instead, see ``Run.interrupt``
            return function

        @functools.wraps(function)
        def guarded(ctx: object) -> object:
            self._inside = True
            try:
                if self._run.interruption:
                    raise Interrupted(self._run.interruption)
                return function(ctx)
            finally:
                self._inside = False

        return guarded

    def _heard(self, _number: int, _frame: FrameType | None) -> None:
        if self.over or not self._listen() or not self._inside:
            return
        signal_of_end = Interrupted(self._run.interruption)
        if self._shield.up:
            self._shield.due = signal_of_end
        else:
            raise signal_of_end

    def _listen(self) -> bool:
        for message in self._channel.arrived():
            if message["kind"] == "stop":
                self._run.interrupt(str(message["why"]))
        return self._run.interruption != ""


class ChildExecutor(Executor):
    """The executor, in this process: it remembers with what the run failed."""

    failure_code = ""

    def finished(self, run: Run) -> Finish | None:
        """Execute ``run``; running out of memory around the handler fails it as well."""
        try:
            return self.execute(run)
        except MemoryError as error:
            return self.fail(run, error)

    def fail(self, run: Run, error: BaseException) -> Finish:
        """Return the finish of a failed attempt, in words for the limit that was met."""
        limit = run.spec.memory_limit
        if isinstance(error, MemoryError) and limit is not None:
            linux.lift_data()  # or there is no room to say so
            error = OutOfMemory(limit).with_traceback(error.__traceback__)
        self.failure_code = str(getattr(error, "code", ""))
        return super().fail(run, error)


class MirroredNotebook(Notebook):
    """A notebook whose lines the worker knows as well, until they are written.

    The last lines before a process ends without a word are those that people need most.
    """

    __slots__ = ("_channel", "_taken", "_telling")

    def __init__(
        self, run: Run, schedule: Callable[[Buffered], None], channel: wire.Channel
    ) -> None:
        """Take the place of the notebook of ``run``."""
        clock, db = run.surroundings.clock, run.surroundings.db
        super().__init__(db, run.key, run.claimed.attempt, clock, schedule)
        self._channel, self._taken, self._telling = channel, 0, threading.Lock()

    def add(self, line: NewLog) -> None:
        """Add a line, here and there."""
        self._channel.send("line", line=wire.line_out(line))
        super().add(line)

    def flush(self) -> None:
        """Write what is buffered, and say that it is."""
        with self._telling:
            super().flush()
            self._channel.send("written", lines=self._taken)

    def _empty(self) -> tuple[list[NewLog], Progress | None]:
        lines, progress = super()._empty()
        self._taken = len(lines)
        return lines, progress

    def keep_written(self) -> None:
        """Leave the lines that are not written to the worker."""
        with self._write_lock:
            self._empty()


class _Database(Database):
    """The run's database: commits are told to the worker, and not interrupted half-way."""

    def __init__(
        self, url: str, shield: Shield, channel: wire.Channel, options: StoreOptions
    ) -> None:
        super().__init__(url, replace(options, pool_min=1, pool_max=STATEMENTS))
        self._shield, self._channel = shield, channel
        self.watch(self._tell_worker)

    def write(self, work: Callable[[Tx], T]) -> T:
        with self._shield:
            return super().write(work)

    def _tell_worker(self, events: Sequence[Event]) -> None:
        self._channel.send("committed", events=[wire.event_out(event) for event in events])


class _Relay:
    """Tells the worker's observers what happens in the run; a ``domain.observer.RunObserver``."""

    def __init__(self, channel: wire.Channel) -> None:
        self._channel = channel

    @contextmanager
    def observe(self, **_facts: Any) -> Iterator[None]:
        yield  # the worker has its own observers around the whole run

    @contextmanager
    def step(self, *, job_id: str, name: str) -> Iterator[None]:
        del job_id
        self._channel.send("step", name=name)
        try:
            yield
        except BaseException as error:
            failed = type(error).__name__ if isinstance(error, Exception) else ""
            self._channel.send("stepped", failed=failed, code=str(getattr(error, "code", "")))
            raise
        self._channel.send("stepped", failed="", code="")

    def reached(self, *, job_id: str, checkpoint_id: str) -> None:
        del job_id
        self._channel.send("reached", checkpoint=checkpoint_id)

    def logged(self, *, job_id: str, level: str, message: str) -> None:
        del job_id
        self._channel.send("logged", level=level, message=message)


def _surroundings(
    order: wire.Message, db: Database, warm: Warm, channel: wire.Channel
) -> Surroundings:
    observers: list[RunObserver] = [warm.observers, _Relay(channel)]
    return Surroundings(
        db=db,
        registry=warm.registry,
        clock=SystemClock(),
        workspace=Workspace(Path(order["workspace"])),
        observers=RunObservers(observers),
        assessors=assessors(warm.settings.risk_policy),
        http=http_gateway(warm.settings),
        origin=warm.settings.origin,
    )


def _reseed() -> None:
    """Draw other random numbers than the next fork; the standard library does so by itself."""
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()


def _end_with(end: socket.socket) -> None:
    """End this process and all it started when nobody is at the other end any more."""
    hangup = select.poll()
    hangup.register(end, 0)
    hangup.poll()
    os.killpg(0, signal.SIGKILL)
