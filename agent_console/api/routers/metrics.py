"""``/api/metrics`` and ``/metrics``: Prometheus text."""

from __future__ import annotations

import hmac
from typing import Annotated

from fastapi import Response
from starlette.requests import Request

from agent_console.api.client import is_local
from agent_console.api.context import ApiContext, Context
from agent_console.api.documented import problems
from agent_console.api.guard import bearer, checked, identify
from agent_console.api.routing import resource_router
from agent_console.domain.access import SYSTEM, Actor, Permission, authorize

router = resource_router("Metrics")

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def _may_scrape(request: Request, context: ApiContext) -> Actor:
    """Admit the scrape token; without one, this machine; always an account that may.

    Raises:
        Unauthenticated: none of these.
        Forbidden: an account without ``metrics:read``.
    """
    expected = context.settings.metrics_token
    if expected is not None:
        given = bearer(request)
        if given is not None and hmac.compare_digest(given.encode("latin-1"), expected.encode()):
            return SYSTEM
    elif is_local(request) and "authorization" not in request.headers:
        return SYSTEM
    actor = identify(request, context)
    authorize(actor, Permission.METRICS_READ)
    return actor


Scraper = Annotated[
    Actor, checked(_may_scrape, "the scrape token; without one this machine; or metrics:read")
]


@router.get(
    "/api/metrics",
    response_class=Response,
    summary="Metrics for Prometheus",
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
        **problems(401, 403, 503),
    },
)
@router.get("/metrics", response_class=Response, include_in_schema=False)
def metrics(actor: Scraper, context: Context) -> Response:  # noqa: ARG001 - the guard
    """Return all metrics of the console in the Prometheus text format."""
    return Response(context.metrics(), media_type=MEDIA_TYPE)
