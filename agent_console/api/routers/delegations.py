"""``/api/review-delegations``: somebody else decides in one's stead, for a period."""

from __future__ import annotations

from typing import Annotated

from fastapi import Response

from agent_console.api.context import ServicesDep
from agent_console.api.documented import READING, READING_ONE, WRITING, problems
from agent_console.api.guard import requires
from agent_console.api.routing import resource_router
from agent_console.api.schemas.delegations import (
    DelegationAnswer,
    DelegationIn,
    DelegationOut,
    DelegationsAnswer,
)
from agent_console.domain.access import Actor, Permission

router = resource_router("Review policies")

Reader = Annotated[Actor, requires(Permission.CHECKPOINTS_READ)]
Reviewer = Annotated[Actor, requires(Permission.CHECKPOINTS_DECIDE)]


@router.get(
    "/api/review-delegations",
    response_model=DelegationsAnswer,
    summary="List the delegations that hold or will",
    responses=problems(*READING),
)
def list_delegations(actor: Reader, services: ServicesDep) -> DelegationsAnswer:
    """Return who may decide in whose stead, soonest first."""
    found = services.delegations.page(actor)
    return DelegationsAnswer(delegations=[DelegationOut.model_validate(one) for one in found])


@router.post(
    "/api/review-delegations",
    status_code=201,
    response_model=DelegationAnswer,
    summary="Let somebody decide in your stead",
    responses=problems(*WRITING),
)
def create(
    actor: Reviewer, services: ServicesDep, body: DelegationIn, response: Response
) -> DelegationAnswer:
    """Lend your right to decide until `endsAt`; they need the permission to decide themselves."""
    made = services.delegations.create(
        actor, body.to, body.ends_at, starts_at=body.starts_at, owner=body.owner
    )
    response.headers["Location"] = f"/api/review-delegations/{made.id}"
    return DelegationAnswer(delegation=DelegationOut.model_validate(made))


@router.delete(
    "/api/review-delegations/{delegationId}",
    response_model=DelegationAnswer,
    summary="End a delegation",
    responses=problems(*READING_ONE),
)
def revoke(
    actor: Reviewer,
    services: ServicesDep,
    delegationId: str,  # noqa: N803
) -> DelegationAnswer:
    """It ends now; what was decided under it stays so."""
    ended = services.delegations.revoke(actor, delegationId)
    return DelegationAnswer(delegation=DelegationOut.model_validate(ended))
