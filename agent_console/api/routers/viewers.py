"""``/api/agent-checkpoints/{id}/viewers``: who looks at a checkpoint."""

from __future__ import annotations

from typing import Annotated

from agent_console.api.context import ServicesDep
from agent_console.api.documented import READING_ONE, problems
from agent_console.api.guard import requires
from agent_console.api.routing import resource_router
from agent_console.api.schemas.checkpoints import ViewersAnswer
from agent_console.domain.access import Actor, Permission

router = resource_router("Checkpoints")

ADDRESS = "/api/agent-checkpoints/{checkpointId}/viewers"
Reader = Annotated[Actor, requires(Permission.CHECKPOINTS_READ)]


@router.get(
    ADDRESS,
    response_model=ViewersAnswer,
    summary="Who looks at a checkpoint",
    responses=problems(*READING_ONE),
)
def viewers(
    actor: Reader,
    services: ServicesDep,
    checkpointId: str,  # noqa: N803 - the name in the address is camelCase like all others
) -> ViewersAnswer:
    """Return who looks at it now, and when it was first seen."""
    return ViewersAnswer.of(services.presence.of(actor, checkpointId))


@router.post(
    ADDRESS,
    response_model=ViewersAnswer,
    summary="Say that you look at a checkpoint",
    responses=problems(*READING_ONE),
)
def look(
    actor: Reader,
    services: ServicesDep,
    checkpointId: str,  # noqa: N803
) -> ViewersAnswer:
    """Hold for 45 seconds; an open card says so every 30. The first time is kept for good."""
    return ViewersAnswer.of(services.presence.look(actor, checkpointId))


@router.delete(
    ADDRESS,
    response_model=ViewersAnswer,
    summary="Say that you look at it no more",
    responses=problems(*READING_ONE),
)
def leave(
    actor: Reader,
    services: ServicesDep,
    checkpointId: str,  # noqa: N803
) -> ViewersAnswer:
    """Take your name off the cards of others at once."""
    services.presence.leave(actor, checkpointId)
    return ViewersAnswer.of(services.presence.of(actor, checkpointId))
