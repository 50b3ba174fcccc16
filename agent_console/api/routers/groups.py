"""``/api/reviewer-groups``: accounts under one name, that review policies ask."""

from __future__ import annotations

from typing import Annotated

from fastapi import Response

from agent_console.api.context import ServicesDep
from agent_console.api.documented import ACTING, READING, WRITING, problems
from agent_console.api.guard import requires
from agent_console.api.routing import resource_router
from agent_console.api.schemas.groups import (
    GroupAnswer,
    GroupChangeIn,
    GroupIn,
    GroupOut,
    GroupsAnswer,
)
from agent_console.domain.access import Actor, Permission

router = resource_router("Review policies")

Reader = Annotated[Actor, requires(Permission.CHECKPOINTS_READ)]
Manager = Annotated[Actor, requires(Permission.POLICIES_MANAGE)]


@router.get(
    "/api/reviewer-groups",
    response_model=GroupsAnswer,
    summary="List the groups of reviewers",
    responses=problems(*READING),
)
def list_groups(actor: Reader, services: ServicesDep) -> GroupsAnswer:
    """Return all groups by name, with who is in them."""
    found = services.groups.page(actor)
    return GroupsAnswer(groups=[GroupOut.model_validate(one) for one in found])


@router.post(
    "/api/reviewer-groups",
    status_code=201,
    response_model=GroupAnswer,
    summary="Make a group of reviewers",
    responses=problems(*WRITING),
)
def create_group(
    actor: Manager, services: ServicesDep, body: GroupIn, response: Response
) -> GroupAnswer:
    """Members need the permission to decide themselves: the group lends none."""
    made = services.groups.create(actor, body.name, body.members, note=body.note)
    response.headers["Location"] = f"/api/reviewer-groups/{made.id}"
    return GroupAnswer(group=GroupOut.model_validate(made))


@router.patch(
    "/api/reviewer-groups/{groupId}",
    response_model=GroupAnswer,
    summary="Change a group of reviewers",
    responses=problems(*WRITING),
)
def change_group(
    actor: Manager,
    services: ServicesDep,
    groupId: str,  # noqa: N803
    body: GroupChangeIn,
) -> GroupAnswer:
    """Who is removed is not asked by it any more, at once, also for what is open."""
    changed = services.groups.change(actor, groupId, body.to_change())
    return GroupAnswer(group=GroupOut.model_validate(changed))


@router.delete(
    "/api/reviewer-groups/{groupId}",
    response_model=GroupAnswer,
    summary="Delete a group of reviewers",
    responses=problems(*ACTING),
)
def delete_group(
    actor: Manager,
    services: ServicesDep,
    groupId: str,  # noqa: N803
) -> GroupAnswer:
    """A group that a policy asks is a 409 that names it; the answer is the group as it was."""
    gone = services.groups.delete(actor, groupId)
    return GroupAnswer(group=GroupOut.model_validate(gone))
