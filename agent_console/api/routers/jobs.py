"""``/api/agent-jobs``: enqueue, list, look, act."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Query, Response

from agent_console.api.context import ServicesDep
from agent_console.api.documented import ACTING, READING, READING_ONE, WRITING, problems
from agent_console.api.guard import requires
from agent_console.api.parameters import IdempotencyKey, JobParams, LogParams, note_made
from agent_console.api.routing import resource_router
from agent_console.api.schemas.base import Pagination
from agent_console.api.schemas.checkpoints import CheckpointOut, CheckpointsAnswer
from agent_console.api.schemas.forks import ControlAnswer, JobActionIn
from agent_console.api.schemas.jobs import (
    EnqueuedAnswer,
    JobAction,
    JobDetailAnswer,
    JobDetailOut,
    JobOut,
    JobPage,
    JobSummaryOut,
    NewJobIn,
)
from agent_console.api.schemas.records import LogLineOut, LogsAnswer
from agent_console.api.schemas.replays import ReplayAnswer, ReplayOut
from agent_console.domain.access import Actor, Permission
from agent_console.services.jobs import Action

router = resource_router("Jobs")

Reader = Annotated[Actor, requires(Permission.JOBS_READ)]
Creator = Annotated[Actor, requires(Permission.JOBS_CREATE)]
Controller = Annotated[Actor, requires(Permission.JOBS_CONTROL)]
FOUND = {
    "model": EnqueuedAnswer,
    "description": "There is a job with the unique key; nothing was made.",
}
CheckpointReader = Annotated[Actor, requires(Permission.CHECKPOINTS_READ)]


@router.post(
    "/api/agent-jobs",
    status_code=201,
    response_model=EnqueuedAnswer,
    summary="Enqueue a job",
    responses={200: FOUND, **problems(*WRITING)},
)
def enqueue(
    actor: Creator,
    services: ServicesDep,
    body: NewJobIn,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> EnqueuedAnswer:
    """Validate the input against the job type's schema and put the job into the queue."""
    done = services.jobs.enqueue(actor, body.to_new_job(), idempotency_key=idempotency_key)
    note_made(response, f"/api/agent-jobs/{done.job.id}", replayed=done.replayed)
    if done.existing:
        response.status_code = 200
    return EnqueuedAnswer(job=JobOut.model_validate(done.job), existing=done.existing)


@router.get(
    "/api/agent-jobs",
    response_model=JobPage,
    summary="List jobs, newest first",
    responses=problems(*READING),
)
def list_jobs(
    actor: Reader,
    services: ServicesDep,
    query: Annotated[JobParams, Query()],
) -> JobPage:
    """Return one page; `offset` or `cursor`, not both."""
    page = services.jobs.page(actor, query.to_query())
    return JobPage(
        jobs=[JobSummaryOut.model_validate(job) for job in page.items],
        pagination=Pagination.of(page),
    )


@router.get(
    "/api/agent-jobs/{jobId}",
    response_model=JobDetailAnswer,
    summary="Show a job and all that happened to it",
    responses=problems(*READING_ONE),
)
def show(actor: Reader, services: ServicesDep, jobId: str) -> JobDetailAnswer:  # noqa: N803
    """Return the job with checkpoints, the last 200 log lines, artifacts, steps, timeline."""
    return JobDetailAnswer(job=JobDetailOut.of(services.jobs.get(actor, jobId)))


@router.patch(
    "/api/agent-jobs/{jobId}",
    response_model=ControlAnswer,
    summary="Cancel, retry, pause, resume, execute or fail a job",
    responses=problems(*WRITING),
)
def control(
    actor: Controller,
    services: ServicesDep,
    jobId: str,  # noqa: N803 - the name in the address is camelCase like all others
    body: JobActionIn,
) -> ControlAnswer:
    """Act on the job; 409 names the current state when it does not allow the action."""
    body.check()
    if body.action is JobAction.FAIL:
        return ControlAnswer.of(services.rewinds.fail(actor, jobId, body.reason or ""))
    if body.on_this_version:
        done = services.rewinds.resume_here(actor, jobId, dry_run=body.dry_run)
        return ControlAnswer.of(done.job, done.cut)
    if body.from_position is not None:
        position = body.from_position
        done = services.rewinds.retry_from(actor, jobId, position, dry_run=body.dry_run)
        return ControlAnswer.of(done.job, done.cut)
    return ControlAnswer.of(services.jobs.control(actor, jobId, cast("Action", body.action.value)))


@router.get(
    "/api/agent-jobs/{jobId}/checkpoints",
    response_model=CheckpointsAnswer,
    summary="List the checkpoints of a job",
    responses=problems(*READING_ONE),
)
def checkpoints(
    actor: CheckpointReader,
    services: ServicesDep,
    jobId: str,  # noqa: N803
) -> CheckpointsAnswer:
    """Return them in the order they were made, with their payloads."""
    made = services.review.for_job(actor, jobId)
    return CheckpointsAnswer(checkpoints=[CheckpointOut.of(one) for one in made])


@router.get(
    "/api/agent-jobs/{jobId}/logs",
    response_model=LogsAnswer,
    summary="Read the log lines of a job",
    responses=problems(*READING_ONE),
)
def logs(
    actor: Reader,
    services: ServicesDep,
    jobId: str,  # noqa: N803
    query: Annotated[LogParams, Query()],
) -> LogsAnswer:
    """Return the lines after `after`, oldest first."""
    lines = services.jobs.logs(
        actor, jobId, after=query.after, limit=query.limit, level=query.level
    )
    return LogsAnswer(logs=[LogLineOut.model_validate(line) for line in lines])


@router.post(
    "/api/agent-jobs/{jobId}/replay",
    response_model=ReplayAnswer,
    summary="Run a job again from its record, without effects",
    responses=problems(*ACTING, 429),
)
def replay(actor: Controller, services: ServicesDep, jobId: str) -> ReplayAnswer:  # noqa: N803
    """Call its handler with recorded results and decisions; report what differs from then."""
    report = services.replays.replay(actor, jobId)
    return ReplayAnswer(replay=ReplayOut.model_validate(report))
