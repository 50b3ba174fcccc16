"""The process from which isolated runs are forked: warm, with one thread, and no database open.

A worker has threads, and a fork of a process with threads inherits locks that nobody will release.
So this one imports everything once and then does nothing but fork, kill and tell how things ended.
It asks nobody whether to go on: it ends when its worker does, however that ends.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import logging
import os
import selectors
import signal
import socket
import struct
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any

from agent_console.domain.observer import RunObserver, RunObservers
from agent_console.runtime import linux
from agent_console.runtime.loading import load_handlers
from agent_console.runtime.registry import Registry
from agent_console.settings import Settings

ORDER = struct.Struct("!BQB")  # what, number of the run, signal
START, KILL = 1, 2
MAX_TRACE = 8_000  # bytes of a dump of where a process was
FAILED = 70  # exit code of a process in which the engine failed

_log = logging.getLogger(__name__)

_OURS = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Warm:
    """What is loaded before the first fork: all handlers, and who watches runs in the process."""

    settings: Settings
    registry: Registry
    observers: RunObserver


Loader = Callable[[Settings], Warm]
Live = Callable[[socket.socket, IO[bytes], Warm], None]


@dataclass(frozen=True, slots=True)
class _Fork:
    number: int
    status: int  # the descriptor on which the worker hears of it
    trace: IO[bytes]


class ForkServer:
    """Obeys the worker at the other end of ``control``; ``live`` is what a fork does."""

    def __init__(self, control: socket.socket, warm: Warm, live: Live) -> None:
        """Take over signals and orphans of this process."""
        self._control, self._warm, self._live = control, warm, live
        self._worker = os.getppid()
        self._forks: dict[int, _Fork] = {}
        self._woken, self._waker = os.pipe()
        os.set_blocking(self._waker, False)
        os.set_blocking(self._woken, False)
        signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        for number in _OURS:  # nobody but the worker's own end ends this process
            signal.signal(number, lambda _number, _frame: None)
        # A thread of the worker that ends sends it too; whether the worker lives is looked at.
        linux.die_with_parent(signal.SIGTERM)
        linux.adopt_orphans()

    def serve(self) -> None:
        """Work until the worker has gone, then end everything that was started."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._control, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while os.getppid() == self._worker:
                ready = {key.fileobj for key, _ in selector.select()}
                if self._woken in ready:
                    with contextlib.suppress(BlockingIOError):
                        os.read(self._woken, 4096)
                    self._reap()
                if self._control in ready and not self._obey():
                    break
        self._end_all()

    def _end_all(self) -> None:
        for pid in self._forks:
            _end_group(pid, signal.SIGKILL)
        self._reap()
        with contextlib.suppress(ChildProcessError):
            while True:
                os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
                self._reap()

    def _obey(self) -> bool:
        """Take one order; False: there will be none any more."""
        try:
            raw, descriptors, _, _ = socket.recv_fds(self._control, ORDER.size, 2)
        except ConnectionResetError:
            return False
        while raw and len(raw) < ORDER.size:
            more = self._control.recv(ORDER.size - len(raw))
            raw = raw + more if more else b""
        if not raw:
            return False
        what, number, sign = ORDER.unpack(raw)
        if what == START:
            self._start(number, *descriptors)
        else:
            for pid, fork in self._forks.items():
                if fork.number == number:
                    # What it started dies with it, but only the handler can clean up.
                    (_end_group if sign == signal.SIGKILL else os.kill)(pid, sign)
        return True

    def _start(self, number: int, channel: int, status: int) -> None:
        trace = tempfile.TemporaryFile()  # noqa: SIM115 - read when the process has ended
        try:
            pid = os.fork()
        except OSError as error:
            trace.close()
            os.close(channel)
            self._tell(status, {"error": error.strerror})
            os.close(status)
            return
        if pid == 0:
            self._become(channel, status, trace)
        os.close(channel)
        self._forks[pid] = _Fork(number, status, trace)
        self._tell(status, {"pid": pid})

    def _become(self, channel: int, status: int, trace: IO[bytes]) -> None:
        """Be the process of a run; never returns."""
        code = FAILED
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGINT):  # SIGTERM waits for its own handler
                signal.signal(number, signal.SIG_DFL)
            os.setsid()
            linux.adopt_orphans()
            linux.die_with_parent(signal.SIGKILL)
            # Not the other runs' descriptors: their worker waits for the end of those.
            for inherited in (self._woken, self._waker, status, self._control.fileno()):
                os.close(inherited)
            for fork in self._forks.values():
                os.close(fork.status)
            self._live(socket.socket(fileno=channel), trace, self._warm)
            code = 0
        except BaseException:  # noqa: BLE001 - a fork must not return into the server's loop
            traceback.print_exc()
        finally:
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(Exception):
                    stream.flush()
            os._exit(code)

    def _reap(self) -> None:
        while (ended := _any_ended()) is not None:
            if ended in self._forks:
                _end_group(ended, signal.SIGKILL)  # before its number can be another's
            _, status, usage = os.wait4(ended, 0)
            fork = self._forks.pop(ended, None)
            if fork is not None:
                self._report(fork, os.waitstatus_to_exitcode(status), usage.ru_maxrss * 1024)
        for stray in linux.children():
            # Its parent was a run that has ended; adopted, its own children come up next.
            if stray not in self._forks:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(stray, signal.SIGKILL)

    def _report(self, fork: _Fork, code: int, peak: int) -> None:
        fork.trace.seek(0)
        text = fork.trace.read(MAX_TRACE).decode("utf-8", "replace")
        fork.trace.close()
        self._tell(fork.status, {"exit": code, "peak": peak, "trace": text})
        os.close(fork.status)

    def _tell(self, status: int, facts: dict[str, Any]) -> None:
        # A worker that listens no more has ended the run for itself.
        with contextlib.suppress(OSError):
            os.write(status, json.dumps(facts).encode() + b"\n")


def _any_ended() -> int | None:
    """Return a child that has ended and is not yet reaped, or None."""
    try:
        found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT | os.WNOHANG)
    except ChildProcessError:
        return None
    return None if found is None else found.si_pid


def _end_group(pid: int, sign: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, sign)
    with contextlib.suppress(ProcessLookupError):  # one that is not yet a group of its own
        os.kill(pid, sign)


def load(settings: Settings) -> Warm:
    """Load the handlers that ``settings`` name, and nobody who watches."""
    return Warm(
        settings=settings,
        registry=load_handlers(settings.handlers),
        observers=RunObservers(),
    )


def main(control: int) -> None:
    """Read from standard input what to load, load it, and serve."""
    from agent_console.runtime.child import live  # noqa: PLC0415 - the child knows this module

    order = json.load(sys.stdin)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    module, _, name = str(order["loader"]).partition(":")
    load: Loader = getattr(importlib.import_module(module), name)
    server = ForkServer(socket.socket(fileno=control), load(Settings(**order["settings"])), live)
    if threading.active_count() > 1:
        names = ", ".join(sorted(one.name for one in threading.enumerate()))
        _log.warning("importing the handlers started threads, which no fork has: %s", names)
    gc.collect()
    gc.freeze()  # what is loaded stays shared between all forks
    server.serve()
