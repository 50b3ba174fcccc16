"""The worker's side of isolation: has processes started, and keeps the fork server alive."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass

from agent_console.domain.errors import ConsoleError
from agent_console.runtime.forkserver import KILL, ORDER, START
from agent_console.settings import Settings

STOPPING = 2.0  # seconds the fork server has to end
LOADER = "agent_console.runtime.forkserver:load"
_MAIN = "import sys; sys.path[:] = {path!r}\nfrom agent_console.runtime.forkserver import main\n"

_log = logging.getLogger(__name__)


class NotStarted(ConsoleError):
    """No process could be started for this run."""

    code = "not_started"


@dataclass(frozen=True, slots=True)
class Child:
    """A process that was asked for: what it says, how it ends, and the way to end it."""

    number: int
    channel: socket.socket
    status: int  # lines of JSON: ``pid``, then ``exit``; ends without when the fork server dies
    _control: socket.socket

    def kill(self, sign: int) -> None:
        """Have ``sign`` sent to it, unless it has ended already; SIGKILL goes to its group."""
        with contextlib.suppress(OSError):  # the fork server has gone, and took it along
            self._control.sendall(ORDER.pack(KILL, self.number, sign))

    def close(self) -> None:
        """Make sure that it ends, and hear no more of it."""
        self.kill(signal.SIGKILL)
        self.channel.close()
        os.close(self.status)


class Processes:
    """Starts processes for isolated runs; the server behind it comes with the first of them."""

    def __init__(self, settings: Settings, loader: str = LOADER) -> None:
        """Start nothing yet. ``loader`` (``module:function``) loads the handlers over there."""
        self._loader, self._settings = loader, settings
        self._lock = threading.Lock()
        self._server: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._numbers = 0

    @property
    def server_pid(self) -> int | None:
        """The fork server's process id, if it runs."""
        return None if self._server is None or self._server.poll() is not None else self._server.pid

    def start(self) -> Child:
        """Ask for a process; whether it comes to be is said on its ``status``.

        Raises:
            NotStarted: there is no fork server, and none can be started.
        """
        ours, theirs = socket.socketpair()
        heard, told = os.pipe()
        try:
            control, number = self._ask(theirs.fileno(), told)
        except OSError as error:
            ours.close()
            os.close(heard)
            raise NotStarted(f"No process could be started: {error.strerror}.") from error
        finally:
            theirs.close()
            os.close(told)
        return Child(number, ours, heard, control)

    def close(self) -> None:
        """End the server and whatever it started; before start it does nothing."""
        with self._lock:
            server, control = self._server, self._control
            self._server = self._control = None
        if control is not None:
            control.close()
        if server is not None:
            try:
                server.wait(STOPPING)
            except subprocess.TimeoutExpired:
                _log.warning("the fork server does not end; killing it")
                server.kill()
                server.wait()

    def _ask(self, channel: int, status: int) -> tuple[socket.socket, int]:
        with self._lock:
            self._numbers += 1
            order = ORDER.pack(START, self._numbers, 0)
            for _ in range(2):  # it may have died a moment ago
                control = self._living()
                try:
                    socket.send_fds(control, [order], [channel, status])
                except (BrokenPipeError, ConnectionResetError):
                    _log.warning("the fork server is gone; starting another one")
                    self._forget()
                else:
                    return control, self._numbers
        raise OSError(0, "the fork server ends at once")

    def _living(self) -> socket.socket:
        if self._server is not None and self._server.poll() is not None:
            _log.warning("the fork server ended with %s", self._server.returncode)
            self._forget()
        if self._control is None:
            self._control, theirs = socket.socketpair()
            try:
                self._server = self._spawn(theirs.fileno())
            except OSError:
                self._forget()
                raise
            finally:
                theirs.close()
        return self._control

    def _forget(self) -> None:
        if self._control is not None:
            self._control.close()
        if self._server is not None:
            self._server.kill()
            self._server.wait()
        self._server = self._control = None

    def _spawn(self, control: int) -> subprocess.Popen[bytes]:
        code = _MAIN.format(path=sys.path) + f"main({control})"
        server = subprocess.Popen(  # noqa: S603 - this interpreter, and code made of constants
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            pass_fds=[control],
            start_new_session=True,  # Ctrl+C drains the worker, and leaves its processes the time
        )
        settings = self._settings.model_dump(mode="json")
        order = json.dumps({"loader": self._loader, "settings": settings})
        with contextlib.suppress(BrokenPipeError), server.stdin or contextlib.nullcontext() as into:
            if into is not None:
                into.write(order.encode())
        return server
