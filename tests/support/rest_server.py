"""The REST application behind a real server on loopback, in this process."""

from __future__ import annotations

import asyncio
import socket
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.types import ASGIApp, Receive, Scope, Send

from agent_console.api.leaving import Leaving


def free_port() -> int:
    """Return a port that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(app: ASGIApp, port: int) -> Iterator[None]:
    """Serve ``app`` on ``port`` until the block ends, and its sockets with it."""
    guests = Guests(app)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the server says that this form of it is experimental
        from granian.constants import Interfaces
        from granian.server.embed import Server

        server = Server(
            guests, address="127.0.0.1", port=port, interface=Interfaces.ASGINL, log_enabled=False
        )
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        serving = asyncio.ensure_future(server.serve())
        await over.wait()
        await guests.leave()
        server.stop()
        await serving

    over = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        _await(port)
        yield
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
        assert not thread.is_alive()
        loop.close()


class Guests:
    """An application that knows its open sockets: a loop that stops before they end leaves them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._leaving = Leaving()
        self._sockets: set[asyncio.Task[object] | None] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        self._sockets.add(asyncio.current_task())
        try:
            await self._app(scope, self._leaving.until(receive), send)
        finally:
            self._sockets.discard(asyncio.current_task())

    async def leave(self) -> None:
        """End every socket and wait until they have."""
        self._leaving.say()
        if tasks := [task for task in self._sockets if task is not None]:
            await asyncio.wait(tasks, timeout=5)


def _await(port: int) -> None:
    for _ in range(100):
        with socket.socket() as probe:
            probe.settimeout(0.1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        threading.Event().wait(0.05)
    raise TimeoutError(f"nobody listens on {port}")
