"""``/api/schedules``: work that comes again and again."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response

from agent_console.api.context import ServicesDep
from agent_console.api.documented import ACTING, READING, READING_ONE, WRITING, problems
from agent_console.api.guard import requires
from agent_console.api.parameters import note_made
from agent_console.api.routing import resource_router
from agent_console.api.schemas.base import Pagination, Success
from agent_console.api.schemas.jobs import JobAnswer, JobOut
from agent_console.api.schemas.schedules import (
    NewScheduleIn,
    PreviewAnswer,
    PreviewOut,
    PreviewParams,
    ScheduleAnswer,
    ScheduleChangeIn,
    ScheduleOut,
    SchedulePage,
    ScheduleParams,
)
from agent_console.domain.access import Actor, Permission

router = resource_router("Schedules")

Reader = Annotated[Actor, requires(Permission.JOBS_READ)]
Creator = Annotated[Actor, requires(Permission.JOBS_CREATE)]


@router.get(
    "/api/schedules",
    response_model=SchedulePage,
    summary="List schedules, newest first",
    responses=problems(*READING),
)
def list_schedules(
    actor: Reader, services: ServicesDep, query: Annotated[ScheduleParams, Query()]
) -> SchedulePage:
    """Return one page, each with its next runs and its last job."""
    page = services.schedules.page(actor, query.to_query())
    return SchedulePage(
        schedules=[ScheduleOut.of(one) for one in page.items], pagination=Pagination.of(page)
    )


@router.post(
    "/api/schedules",
    status_code=201,
    response_model=ScheduleAnswer,
    summary="Make a schedule",
    responses=problems(*WRITING),
)
def create(
    actor: Creator, services: ServicesDep, body: NewScheduleIn, response: Response
) -> ScheduleAnswer:
    """Check input and rule, and plan the first run; 409 when there is one of that name."""
    made = services.schedules.create(actor, body.to_new())
    note_made(response, f"/api/schedules/{made.id}")
    return ScheduleAnswer.of(made)


@router.get(
    "/api/schedules/preview",
    response_model=PreviewAnswer,
    summary="Look ahead before a schedule is made",
    responses=problems(*READING),
)
def preview(
    actor: Reader, services: ServicesDep, query: Annotated[PreviewParams, Query()]
) -> PreviewAnswer:
    """Return a rule in words, and its next runs."""
    found = services.schedules.preview(actor, query.to_rule(), query.count)
    return PreviewAnswer(preview=PreviewOut.model_validate(found))


@router.get(
    "/api/schedules/{scheduleId}",
    response_model=ScheduleAnswer,
    summary="Show a schedule",
    responses=problems(*READING_ONE),
)
def show(actor: Reader, services: ServicesDep, scheduleId: str) -> ScheduleAnswer:  # noqa: N803
    """Return the schedule with its next runs and its last job."""
    return ScheduleAnswer.of(services.schedules.get(actor, scheduleId))


@router.patch(
    "/api/schedules/{scheduleId}",
    response_model=ScheduleAnswer,
    summary="Change a schedule",
    responses=problems(*WRITING),
)
def change(
    actor: Creator,
    services: ServicesDep,
    scheduleId: str,  # noqa: N803
    body: ScheduleChangeIn,
) -> ScheduleAnswer:
    """Change what is given, and own it from now on; 409 when code declares it."""
    return ScheduleAnswer.of(services.schedules.change(actor, scheduleId, body.to_change()))


@router.delete(
    "/api/schedules/{scheduleId}",
    response_model=Success,
    summary="Delete a schedule",
    responses=problems(*READING_ONE),
)
def delete(actor: Creator, services: ServicesDep, scheduleId: str) -> Success:  # noqa: N803
    """Delete it; its jobs stay."""
    services.schedules.delete(actor, scheduleId)
    return Success()


@router.post(
    "/api/schedules/{scheduleId}/run",
    status_code=201,
    response_model=JobAnswer,
    summary="Run a schedule's job now",
    responses=problems(*ACTING),
)
def run(
    actor: Creator,
    services: ServicesDep,
    scheduleId: str,  # noqa: N803
    response: Response,
) -> JobAnswer:
    """Make a job at once, asked by you, beside the planned runs."""
    job = services.schedules.run(actor, scheduleId)
    note_made(response, f"/api/agent-jobs/{job.id}")
    return JobAnswer(job=JobOut.model_validate(job))


@router.post(
    "/api/schedules/{scheduleId}/pause",
    response_model=ScheduleAnswer,
    summary="Pause a schedule",
    responses=problems(*ACTING),
)
def pause(actor: Creator, services: ServicesDep, scheduleId: str) -> ScheduleAnswer:  # noqa: N803
    """Plan no more runs; pausing twice is the same as once."""
    return ScheduleAnswer.of(services.schedules.pause(actor, scheduleId))


@router.post(
    "/api/schedules/{scheduleId}/resume",
    response_model=ScheduleAnswer,
    summary="Resume a schedule",
    responses=problems(*ACTING),
)
def resume(actor: Creator, services: ServicesDep, scheduleId: str) -> ScheduleAnswer:  # noqa: N803
    """Go on with the next run from now; what passed meanwhile was not missed."""
    return ScheduleAnswer.of(services.schedules.resume(actor, scheduleId))
