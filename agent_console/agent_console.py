"""The composition root of the web process: settings, console, REST, pages; one app, one port.

Importing this opens nothing, because the server imports it once and then forks. Migrations,
threads and the worker begin with the server's lifespan, and a failure there stops the process.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import partial

import reflex as rx
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from agent_console import bootstrap
from agent_console.api.app import create_api
from agent_console.api.middleware import wrap
from agent_console.settings import Settings, load_settings
from agent_console.ui import bridge
from agent_console.ui.app import HOME, build_app


async def _home(request: Request) -> Response:  # noqa: ARG001  - Starlette hands it over
    """Send the bare address to the desk."""
    return RedirectResponse(HOME, status_code=303)


def compose(settings: Settings) -> rx.App:
    """Return the app for ``settings``, with the console's start and stop in its lifespan."""
    console = bootstrap.build(settings)
    bridge.bind(console.services, settings)
    api = create_api(console.services, settings, console.metrics.render)
    api.router.routes.insert(0, Route("/", _home, methods=["GET"]))
    app = build_app([api, partial(wrap, settings=settings)])

    @app.register_lifespan_task
    @contextlib.asynccontextmanager
    async def _console() -> AsyncIterator[None]:
        console.feed.bind()
        await asyncio.to_thread(console.start)
        try:
            yield
        finally:
            await asyncio.to_thread(console.stop)

    return app


app = compose(load_settings())
