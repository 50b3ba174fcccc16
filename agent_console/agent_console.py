"""The composition root of the web process: settings, console, REST, pages; one app, one port.

Importing this opens nothing, because the server imports it once and then forks. Migrations,
threads and the worker begin with the server's lifespan, and a failure there stops the process.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import FrameType

import reflex as rx
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from agent_console import bootstrap
from agent_console.api.app import create_api
from agent_console.api.leaving import Leaving
from agent_console.api.middleware import wrap
from agent_console.settings import Settings, load_settings
from agent_console.telemetry.stopping import StopWatch
from agent_console.ui import bridge
from agent_console.ui.app import HOME, build_app

PATIENCE = 5  # seconds beyond the drain until it is said what a stop waits for
LAST = 1.0  # seconds a process may take to end once all is closed


async def _home(request: Request) -> Response:  # noqa: ARG001  - Starlette hands it over
    """Send the bare address to the desk."""
    return RedirectResponse(HOME, status_code=303)


def _at_signal(callback: Callable[[], None]) -> None:
    """Have the running event loop call back when the process is asked to stop.

    The server waits for open answers, streams and sockets included, before it ends the lifespan:
    they have to hear of it now. It watches signals through the loop, so this takes nothing from it.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        before = signal.getsignal(number)

        def handle(sign: int, frame: FrameType | None, before: object = before) -> None:
            # This may interrupt anything; the loop calls back between two of its steps.
            with contextlib.suppress(RuntimeError):  # asked once more, after the loop was closed
                loop.call_soon_threadsafe(callback)
            if callable(before):
                before(sign, frame)

        signal.signal(number, handle)


def compose(settings: Settings) -> rx.App:
    """Return the app for ``settings``, with the console's start and stop in its lifespan."""
    console = bootstrap.build(settings)
    bridge.bind(console.services, settings)
    api = create_api(console.services, settings, console.metrics.render)
    api.router.routes.insert(0, Route("/", _home, methods=["GET"]))
    leaving, watch = Leaving(), StopWatch(settings.drain_timeout + PATIENCE)
    drains: list[Awaitable[None]] = []
    # Of its own: calls that hang, of pages and requests, would keep the stop waiting for a thread.
    apart = ThreadPoolExecutor(1, "stopping")
    told = threading.Event()  # by a signal: the process is to end, not the lifespan alone
    app = build_app([api, partial(wrap, settings=settings, leaving=leaving)])

    def go() -> None:
        told.set()
        leave()

    def leave() -> None:
        watch.start()
        console.feed.close()
        leaving.say()
        if not drains:  # now: a request that never ends may hold up the end of the lifespan
            drains.append(asyncio.get_running_loop().run_in_executor(apart, console.drain))

    @app.register_lifespan_task
    @contextlib.asynccontextmanager
    async def _console() -> AsyncIterator[None]:
        bootstrap.keep_what_is_loaded()
        console.feed.bind()
        await asyncio.to_thread(console.start)
        _at_signal(go)
        try:
            yield
        finally:
            leave()
            try:
                await drains[0]
            finally:
                await asyncio.get_running_loop().run_in_executor(apart, console.stop)
                watch.stop()
            if told.is_set():
                watch.let_go(LAST)

    return app


app = compose(load_settings())
