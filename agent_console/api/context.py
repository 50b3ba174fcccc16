"""What every endpoint may reach: services, settings, the metrics renderer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends
from starlette.requests import HTTPConnection, Request

from agent_console.services import Services
from agent_console.settings import Settings


@dataclass(frozen=True, slots=True)
class ApiContext:
    """Handed to ``create_api`` by the composition root; ``metrics`` renders Prometheus text."""

    services: Services
    settings: Settings
    metrics: Callable[[], bytes]


def context_of(request: HTTPConnection) -> ApiContext:
    """Return the context of the application that answers ``request``."""
    return cast("ApiContext", request.app.state.api_context)


async def _context(request: Request) -> ApiContext:
    return context_of(request)


async def _services(request: Request) -> Services:
    return context_of(request).services


Context = Annotated[ApiContext, Depends(_context)]
ServicesDep = Annotated[Services, Depends(_services)]
