"""Sockets behind the guard: who connects is checked before, and again while the socket lives."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from starlette.concurrency import run_in_threadpool
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from agent_console.api import problems
from agent_console.api.context import context_of
from agent_console.api.guard import Declaration, identify
from agent_console.domain.access import Actor, Permission, authorize
from agent_console.domain.errors import ConsoleError, RateLimited
from agent_console.services.job_requests import who
from agent_console.store.feed import ChangeFeed, SnapshotCache

MAX_SOCKETS = 500  # of this process
MAX_OWN_SOCKETS = 20  # of one account
BUSY = 1013

Talk = Callable[[WebSocket, Actor], Awaitable[None]]


class Hub:
    """The open sockets of this process, and the reads that they share."""

    def __init__(self, feed: ChangeFeed) -> None:
        """Share reads until ``feed`` tells of a change."""
        self.feed = feed
        self.snapshots = SnapshotCache(feed)
        self._open: Counter[str] = Counter()

    @contextmanager
    def seat(self, actor: Actor) -> Iterator[None]:
        """Hold a socket for ``actor``.

        Raises:
            RateLimited: there are too many, of the account or in all.
        """
        name = who(actor)
        if self._open[name] >= MAX_OWN_SOCKETS or self._open.total() >= MAX_SOCKETS:
            raise RateLimited("Too many connections are open; close one.", retryAfter=10)
        self._open[name] += 1
        try:
            yield
        finally:
            self._open[name] -= 1
            self._open += Counter()  # drops what is at zero


class GuardedSocket(WebSocketRoute):
    """A socket for holders of a permission; ``talk`` is only called with somebody who has it."""

    def __init__(self, path: str, talk: Talk, permission: Permission) -> None:
        """Serve ``path``."""
        self.declaration = Declaration(permission=permission)
        self._talk = talk
        super().__init__(path, self._admit, name=getattr(talk, "__name__", path))

    async def _admit(self, socket: WebSocket) -> None:
        try:
            actor = await admitted(socket, self.declaration)
            with hub_of(socket).seat(actor):
                await self._talk(socket, actor)
        except ConsoleError as error:
            await refuse(socket, error)


def hub_of(socket: WebSocket) -> Hub:
    """Return the hub of the application that serves ``socket``."""
    hub = socket.app.state.hub
    assert isinstance(hub, Hub)  # noqa: S101 - set by the application itself
    return hub


async def admitted(socket: WebSocket, declaration: Declaration) -> Actor:
    """Return who is at the other end, read from session or token now.

    Raises:
        Unauthenticated: nobody, or nobody any more.
        Forbidden: somebody who may not.
        CrossOrigin: a cookie came from a page that is not the console's.
    """
    actor = await run_in_threadpool(identify, socket, context_of(socket))
    if declaration.permission is not None:
        authorize(actor, declaration.permission)
    return actor


async def refuse(socket: WebSocket, error: ConsoleError) -> None:
    """Turn the handshake down: with a problem document where the server can send one."""
    if "websocket.http.response" in socket.scope.get("extensions", {}):
        await socket.send_denial_response(problems.of_console_error(error, socket.url.path))
        return
    await socket.close(BUSY if error.status == 429 else 1008, error.message[:100])


async def first_to_end(*work: Awaitable[None]) -> None:
    """Run all of ``work`` until the first ends, then stop the others; raises what that raised."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
