"""``/api/job-types``: limits of job types, pause and resume."""

from __future__ import annotations

from typing import Annotated

from agent_console.api.context import ServicesDep
from agent_console.api.documented import READING, READING_ONE, WRITING, problems
from agent_console.api.guard import requires
from agent_console.api.routing import resource_router
from agent_console.api.schemas.job_types import (
    JobTypeAnswer,
    JobTypeChangeIn,
    JobTypeOut,
    JobTypesAnswer,
)
from agent_console.domain.access import Actor, Permission
from agent_console.domain.limits import JobTypeState
from agent_console.services import Services

router = resource_router("Job types")

Reader = Annotated[Actor, requires(Permission.JOBS_READ)]
Controller = Annotated[Actor, requires(Permission.WORKERS_CONTROL)]


@router.get(
    "/api/job-types",
    response_model=JobTypesAnswer,
    summary="List the job types",
    responses=problems(*READING),
)
def list_job_types(actor: Reader, services: ServicesDep) -> JobTypesAnswer:
    """Return each with the schema of its input, its limits, and what runs, waits and is held."""
    known = services.jobs.catalog(actor)
    found = [JobTypeOut.of(one, known) for one in services.job_types.page(actor)]
    return JobTypesAnswer(job_types=found)


@router.get(
    "/api/job-types/{jobType}",
    response_model=JobTypeAnswer,
    summary="Show a job type",
    responses=problems(*READING_ONE),
)
def show(actor: Reader, services: ServicesDep, jobType: str) -> JobTypeAnswer:  # noqa: N803
    """Return one job type."""
    return _answer(actor, services, services.job_types.get(actor, jobType))


@router.patch(
    "/api/job-types/{jobType}",
    response_model=JobTypeAnswer,
    summary="Pause, resume or limit a job type",
    responses=problems(*WRITING),
)
def change(
    actor: Controller,
    services: ServicesDep,
    jobType: str,  # noqa: N803
    body: JobTypeChangeIn,
) -> JobTypeAnswer:
    """Pause (what runs may end, nothing starts any more), resume, or set limits of your own."""
    changed = services.job_types.apply(
        actor,
        jobType,
        action=body.action,
        reason=body.reason,
        limits=None if body.limits is None else body.limits.to_caps(),
    )
    return _answer(actor, services, changed)


def _answer(actor: Actor, services: Services, state: JobTypeState) -> JobTypeAnswer:
    may_look = actor.may(Permission.JOBS_READ)  # a token may change a type and read no jobs
    known = services.jobs.catalog(actor) if may_look else ()
    return JobTypeAnswer(job_type=JobTypeOut.of(state, known))
