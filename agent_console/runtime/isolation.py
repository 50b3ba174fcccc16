"""Runs that are executed in a process of their own, seen from the worker.

The handler thread waits for the process in place of the handler: it passes on what the process
tells, ends it when it is overtime or interrupted, and says what its death means for the job.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import selectors
import signal
import socket
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from time import monotonic
from typing import Any

from agent_console.domain import trace
from agent_console.domain.crashpoints import crashpoint
from agent_console.domain.errors import ConsoleError
from agent_console.domain.events import TOUCHED, Event
from agent_console.domain.jobs import JobVerb
from agent_console.runtime import wire
from agent_console.runtime.async_context import LoopThread
from agent_console.runtime.deaths import Death, error_of, note_trace
from agent_console.runtime.executor import Executor, overtime
from agent_console.runtime.preview import Buffered
from agent_console.runtime.processes import Child, NotStarted, Processes
from agent_console.runtime.registry import HandlerSpec
from agent_console.runtime.run import LOST, OVERTIME, RELEASING, STOPPING, Run, Surroundings
from agent_console.store.engine_values import Claimed, Finish, NewLog

START_PATIENCE = 60.0  # seconds until a process has to be there, loading of handlers included
CLEAN_UP = 2.0  # seconds between SIGTERM and SIGKILL, for ``finally`` blocks
CLEAN_UP_LEAVING = 0.5  # the same while the worker stops: less than it waits for runs

_log = logging.getLogger(__name__)


class IsolatedRun(Run):
    """A run in another process. Its deadline is watched by the thread that waits for it."""

    __slots__ = ("wake",)

    def __init__(
        self,
        surroundings: Surroundings,
        claimed: Claimed,
        spec: HandlerSpec,
        schedule: Callable[[Buffered], None] | None = None,
    ) -> None:
        """See ``Run``."""
        super().__init__(surroundings, claimed, spec, schedule)
        self._deadline = None
        self.wake: Callable[[], None] = _nothing

    def interrupt(self, why: str) -> None:
        """Have the process ended, from another thread."""
        super().interrupt(why)
        self.wake()


class IsolatingExecutor(Executor):
    """Executes runs on the calling thread, or in a process where their handler asks for one."""

    def __init__(self, surroundings: Surroundings, loop: LoopThread, processes: Processes) -> None:
        """Have ``processes`` started for isolated handlers."""
        super().__init__(surroundings, loop)
        self._processes = processes

    def begin(
        self, claimed: Claimed, schedule: Callable[[Buffered], None] | None = None
    ) -> Run | Finish:
        """Return the run of ``claimed``, or the finish that parks it."""
        spec = self.surroundings.registry.find(claimed.job_type)
        if spec is None or spec.isolation != "process":
            return super().begin(claimed, schedule)
        return IsolatedRun(self.surroundings, claimed, spec, schedule)

    def execute(self, run: Run) -> Finish | None:
        """Run the handler and return how the run is to be finished."""
        if not isinstance(run, IsolatedRun):
            return super().execute(run)
        crashpoint("run.started")
        claimed, finish, problem = run.claimed, None, None
        watched = self.surroundings.observers.observe(
            job_id=claimed.key.job_id,
            job_type=claimed.job_type,
            attempt=claimed.attempt,
            user_id=claimed.user_id,
            user_name=claimed.user_name,
            traceparent=claimed.traceparent,
            resuming=claimed.resuming,
        )
        try:
            with trace.within(claimed.traceparent), watched:
                finish, problem = self._apart(run)
                _show(problem)
        except Exception as error:
            if error is not problem:
                raise
        return finish

    def _apart(self, run: IsolatedRun) -> tuple[Finish | None, Exception | None]:
        """Have the run done; return its finish, and the error that is behind it."""
        if run.interruption == LOST:
            return None, None
        try:
            child = self._processes.start()
        except NotStarted as error:
            return self.fail(run, error), error
        watch = _Watch(run, child)
        try:
            watch.until_over()
        finally:
            run.wake = _nothing
            watch.close()
        return self._judge(run, watch)

    def _judge(self, run: IsolatedRun, watch: _Watch) -> tuple[Finish | None, Exception | None]:
        if watch.finish is not None:
            return watch.finish, _told(watch.finish, watch.code)
        for line in watch.lines:  # what it had to say, and could not write any more
            run.notes.add(line)
        if run.interruption == OVERTIME:
            late = overtime(run.spec)
            note_trace(late, watch.death.trace)
            return self.fail(run, late), late
        if run.interruption in RELEASING:
            return self._close(run, JobVerb.RELEASE), None
        if watch.said_nothing_of_finish or run.interruption == LOST:
            return None, None
        died = error_of(watch.death, run.spec.memory_limit)
        _log.warning("job %s: %s", run.key.job_id, died.message)
        return self.fail(run, died), died


class _Watch:
    """What a handler thread does while its run is elsewhere."""

    def __init__(self, run: IsolatedRun, child: Child) -> None:
        self._run, self._child = run, child
        self._observers = run.surroundings.observers
        self._channel = wire.Channel(child.channel)
        self._woken, self._waker = socket.socketpair()
        self._waker.setblocking(False)
        self._steps = ExitStack()
        self._open_steps: list[Any] = []
        self._heard = b""  # of the status, up to a whole line
        self._pid = 0
        self._until = monotonic() + START_PATIENCE
        self._kill_at: float | None = None
        self._over = False
        self._dead = False
        self.said_nothing_of_finish = False  # it ended its run by itself: suspended, or lost
        self.finish: Finish | None = None
        self.code = ""  # of the error behind the finish
        self.lines: deque[NewLog] = deque()
        self.death = Death()

    def until_over(self) -> None:
        """Wait until the process has said how the run ends, or has ended."""
        run = self._run
        run.wake = self._wake
        self._order()
        with selectors.DefaultSelector() as selector:
            selector.register(self._child.channel, selectors.EVENT_READ, self._listen)
            selector.register(self._child.status, selectors.EVENT_READ, self._hear)
            selector.register(self._woken, selectors.EVENT_READ, self._awake)
            while not self._over:
                self._enforce()
                for key, _ in selector.select(self._patience()):
                    key.data()
                if self._dead and not self._over:
                    self._listen()
                    self._over = True

    def close(self) -> None:
        """End the process if it has not ended, and what is open of it."""
        self._child.close()
        if self.death.code is None and self._dead and self._pid:
            # The fork server died, which would have ended what this process has started.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._pid, signal.SIGKILL)
        self._woken.close()
        self._waker.close()
        while self._open_steps:
            self._stepped("", "")

    def _order(self) -> None:
        around = self._run.surroundings
        # A process that never comes must not hold this thread.
        self._child.channel.settimeout(START_PATIENCE)
        with contextlib.suppress(OSError):
            self._channel.send(
                "order",
                claimed=wire.claimed_out(self._run.claimed),
                url=around.db.url.render_as_string(hide_password=False),
                options=asdict(around.db.options),
                workspace=str(around.workspace.root),
            )
        self._child.channel.settimeout(None)

    def _wake(self) -> None:
        with contextlib.suppress(OSError):
            self._waker.send(b"\0")

    def _awake(self) -> None:
        self._woken.recv(4096)

    def _patience(self) -> float:
        """Return the seconds until something has to be enforced."""
        times = [self._until, *([] if self._kill_at is None else [self._kill_at])]
        return max(0.0, min(min(times) - monotonic(), 3600.0))

    def _enforce(self) -> None:
        run, now = self._run, monotonic()
        if now >= self._until and not run.interruption:
            if self._pid:
                run.interrupt(OVERTIME)
            else:
                self.death = Death(problem=f"it was not there after {START_PATIENCE:g} s")
                self._over = True
        if run.interruption and self._kill_at is None:
            self._stop(run.interruption)
        if self._kill_at is not None and now >= self._kill_at:
            self._child.kill(signal.SIGKILL)
            self._kill_at = now + CLEAN_UP  # again, should it not have been there yet

    def _stop(self, why: str) -> None:
        grace = CLEAN_UP_LEAVING if why == STOPPING else CLEAN_UP
        self._kill_at = monotonic() + grace
        self._until = float("inf")
        with contextlib.suppress(OSError):
            self._channel.send("stop", why=why)
        self._child.kill(signal.SIGTERM)

    def _hear(self) -> None:
        """Take what the fork server says of the process."""
        part = os.read(self._child.status, 65_536)
        *lines, self._heard = (self._heard + part).split(b"\n")
        for line in lines:
            said = json.loads(line)
            if "pid" in said:
                self._pid = said["pid"]
                timeout = self._run.spec.timeout
                self._until = float("inf") if timeout is None else monotonic() + timeout
            elif "error" in said:
                self.death = Death(problem=said["error"])
            else:
                self.death = Death(said["exit"], said["peak"], said["trace"])
        if not part:
            self._dead = True

    def _listen(self) -> None:
        """Take what the process says."""
        try:
            for message in self._channel.arrived():
                self._take(message)
        except (wire.Garbled, KeyError, TypeError, ValueError):
            _log.exception("job %s: its process talks nonsense", self._run.key.job_id)
            self._child.kill(signal.SIGKILL)
            self._channel = wire.Channel(self._child.channel)

    def _take(self, said: wire.Message) -> None:
        run, kind = self._run, said["kind"]
        job_id = run.key.job_id
        if kind == "committed":
            events = [wire.event_in(event) for event in said["events"]]
            run.surroundings.db.committed(events, [Event(action=TOUCHED, job_id=job_id)])
        elif kind == "line":
            self.lines.append(wire.line_in(said["line"]))
        elif kind == "written":
            for _ in range(min(said["lines"], len(self.lines))):
                self.lines.popleft()
        elif kind == "step":
            context = self._observers.step(job_id=job_id, name=said["name"])
            context.__enter__()
            self._open_steps.append(context)
        elif kind == "stepped":
            self._stepped(said["failed"], said["code"])
        elif kind == "reached":
            self._observers.reached(job_id=job_id, checkpoint_id=said["checkpoint"])
        elif kind == "logged":
            self._observers.logged(job_id=job_id, level=said["level"], message=said["message"])
        elif kind == "end":
            self._ended(said)

    def _ended(self, said: wire.Message) -> None:
        self.code = said["code"]
        if said["finish"] is None:
            self.said_nothing_of_finish = True
        else:
            self.finish = wire.finish_in(said["finish"])
        # Of an overtime one it is worth the moment to hear where it was.
        self._over = self._run.interruption != OVERTIME or self.finish is not None

    def _stepped(self, failed: str, code: str) -> None:
        if not self._open_steps:
            return
        context = self._open_steps.pop()
        error = _named(failed, "", code) if failed else None
        with contextlib.suppress(HandlerFailed):
            context.__exit__(type(error) if error else None, error, None)


class HandlerFailed(ConsoleError):
    """A handler failed in its process; the type of its subclass is the name of the error."""


def _show(problem: Exception | None) -> None:
    """Raise ``problem``, so that the observers see what failed."""
    if problem is not None:
        raise problem


def _told(finish: Finish, code: str) -> Exception | None:
    """Return what the observers are to see of an error that was raised in another process."""
    if finish.error is None:
        return None
    error = _named(finish.error.type, finish.error.message, code)
    error.add_note(finish.error.traceback or "")
    return error


def _named(name: str, message: str, code: str) -> HandlerFailed:
    kind = type(name, (HandlerFailed,), {"__doc__": HandlerFailed.__doc__, "code": code})
    made: HandlerFailed = kind(message)
    return made


def _nothing() -> None:
    """Wake nobody."""
