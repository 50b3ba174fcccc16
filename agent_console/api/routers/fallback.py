"""What no other route answers below ``/api``: a problem, never the pages' HTML. Last of all."""

from __future__ import annotations

from typing import Annotated

from starlette.requests import Request
from starlette.routing import Match

from agent_console.api.guard import guarded_routes, public
from agent_console.api.problems import MethodNotAllowed
from agent_console.api.routing import resource_router
from agent_console.domain.access import Actor
from agent_console.domain.errors import NotFound

router = resource_router("Fallback")

Anyone = Annotated[Actor, public("says only that there is nothing here")]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]


@router.api_route("/api", methods=METHODS, include_in_schema=False)
@router.api_route("/api/{rest:path}", methods=METHODS, include_in_schema=False)
@router.api_route("/auth/{rest:path}", methods=METHODS, include_in_schema=False)
@router.api_route("/health", methods=METHODS, include_in_schema=False)
@router.api_route("/health/{rest:path}", methods=METHODS, include_in_schema=False)
@router.api_route("/metrics", methods=METHODS, include_in_schema=False)
@router.api_route("/metrics/{rest:path}", methods=METHODS, include_in_schema=False)
async def nothing_here(actor: Anyone, request: Request) -> None:  # noqa: ARG001 - the guard
    """Raise 405 when the address exists for other methods, else 404."""
    allowed: set[str] = set()
    for route, _ in guarded_routes(request.app.routes):
        if route.endpoint is not nothing_here:
            match, _ = route.matches(request.scope)
            allowed |= (route.methods or set()) if match is Match.PARTIAL else set()
    if allowed:
        raise MethodNotAllowed(allow=sorted(allowed))
    raise NotFound("There is nothing at this address.")
