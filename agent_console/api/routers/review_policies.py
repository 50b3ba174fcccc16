"""``/api/review-policies``: who may decide, how many have to, and what the deadline brings."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from agent_console.api.context import ServicesDep
from agent_console.api.documented import ACTING, READING, READING_ONE, WRITING, problems
from agent_console.api.guard import requires
from agent_console.api.routing import resource_router
from agent_console.api.schemas.review_policies import (
    ActionParams,
    RemoveParams,
    ReviewPoliciesAnswer,
    ReviewPolicyAnswer,
    ReviewPolicyIn,
    ReviewPolicyOut,
    VersionsAnswer,
)
from agent_console.domain.access import Actor, Permission

router = resource_router("Review policies")

Reader = Annotated[Actor, requires(Permission.CHECKPOINTS_READ)]
Manager = Annotated[Actor, requires(Permission.POLICIES_MANAGE)]


@router.get(
    "/api/review-policies",
    response_model=ReviewPoliciesAnswer,
    summary="List the review policies that hold",
    responses=problems(*READING),
)
def list_policies(actor: Reader, services: ServicesDep) -> ReviewPoliciesAnswer:
    """Return that of all job types (`*`) first, then the more exact ones, which win."""
    found = services.policies.page(actor)
    return ReviewPoliciesAnswer(policies=[ReviewPolicyOut.of(one) for one in found])


@router.get(
    "/api/review-policies/{jobType}",
    response_model=ReviewPolicyAnswer,
    summary="Show what holds for a job type",
    responses=problems(*READING_ONE),
)
def show(
    actor: Reader,
    services: ServicesDep,
    jobType: str,  # noqa: N803
    query: Annotated[ActionParams, Query()],
) -> ReviewPolicyAnswer:
    """Return the policy of the action, of the type, or of all: the most exact one there is."""
    found = services.policies.get(actor, jobType, query.action)
    return ReviewPolicyAnswer(policy=ReviewPolicyOut.of(found))


@router.get(
    "/api/review-policies/{jobType}/versions",
    response_model=VersionsAnswer,
    summary="List the versions of a review policy",
    responses=problems(*READING_ONE),
)
def list_versions(
    actor: Reader,
    services: ServicesDep,
    jobType: str,  # noqa: N803
    query: Annotated[ActionParams, Query()],
) -> VersionsAnswer:
    """Return the versions of exactly this policy, newest first."""
    found = services.policies.versions(actor, jobType, query.action)
    return VersionsAnswer(versions=[ReviewPolicyOut.of(one) for one in found])


@router.put(
    "/api/review-policies/{jobType}",
    response_model=ReviewPolicyAnswer,
    summary="Save a new version of a review policy",
    responses=problems(*WRITING),
)
def save(
    actor: Manager,
    services: ServicesDep,
    jobType: str,  # noqa: N803
    body: ReviewPolicyIn,
) -> ReviewPolicyAnswer:
    """It holds at once, also for checkpoints that are open; what is decided stays so."""
    saved = services.policies.save(
        actor,
        jobType,
        body.to_terms(),
        action=body.action,
        base_version=body.base_version,
    )
    return ReviewPolicyAnswer(policy=ReviewPolicyOut.of(saved))


@router.delete(
    "/api/review-policies/{jobType}",
    response_model=ReviewPolicyAnswer,
    summary="End a review policy",
    responses=problems(*ACTING),
)
def remove(
    actor: Manager,
    services: ServicesDep,
    jobType: str,  # noqa: N803
    query: Annotated[RemoveParams, Query()],
) -> ReviewPolicyAnswer:
    """Save a version that ends it; the answer is what holds instead. The versions stay."""
    holds = services.policies.remove(
        actor, jobType, action=query.action, base_version=query.base_version
    )
    return ReviewPolicyAnswer(policy=ReviewPolicyOut.of(holds))
