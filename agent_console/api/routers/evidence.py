"""``/api/agent-checkpoints/{id}/images``: images of a payload, from the console's own address."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path, Response

from agent_console.api.context import ServicesDep
from agent_console.api.documented import READING_ONE, problems
from agent_console.api.guard import requires
from agent_console.api.routing import resource_router
from agent_console.domain.access import Actor, Permission

router = resource_router("Checkpoints")

Reader = Annotated[Actor, requires(Permission.CHECKPOINTS_READ)]
Side = Literal["before", "after"]
_TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_FILE = {"type": "string", "format": "binary"}


@router.get(
    "/api/agent-checkpoints/{checkpointId}/images/{number}/{side}",
    response_class=Response,
    summary="An image that a checkpoint shows",
    responses={
        200: {"content": {kind: {"schema": _FILE} for kind in _TYPES}},
        **problems(*READING_ONE),
    },
)
def image(
    actor: Reader,
    services: ServicesDep,
    checkpointId: str,  # noqa: N803 - the name in the address is camelCase like all others
    number: Annotated[int, Path(ge=0, le=10_000, description="Place in `changes`, from 0.")],
    side: Side,
) -> Response:
    """Return its bytes as the type that they are, whatever the job called them."""
    picture = services.evidence.image(actor, checkpointId, number, side)
    return Response(
        picture.content,
        media_type=picture.media_type,
        headers={
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
        },
    )
