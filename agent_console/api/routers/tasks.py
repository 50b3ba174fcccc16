"""``/api/tasks`` and ``/api/v1/tasks``: jobs as tasks, to read and to cancel."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query

from agent_console.api.context import ServicesDep
from agent_console.api.documented import ACTING, READING, READING_ONE, WRITING, problems
from agent_console.api.guard import requires
from agent_console.api.routing import resource_router
from agent_console.api.schemas.base import Pagination
from agent_console.api.schemas.tasks import (
    TaskActionIn,
    TaskAnswer,
    TaskOut,
    TaskPage,
    TaskParams,
    TaskSummaryOut,
)
from agent_console.domain.access import Actor, Permission
from agent_console.services import Services

router = resource_router("Tasks")

Reader = Annotated[Actor, requires(Permission.JOBS_READ)]
Controller = Annotated[Actor, requires(Permission.JOBS_CONTROL)]
LIST: dict[str, Any] = {
    "response_model": TaskPage,
    "summary": "List tasks, newest first",
    "responses": problems(*READING),
}
ONE: dict[str, Any] = {
    "response_model": TaskAnswer,
    "summary": "Show a task",
    "responses": problems(*READING_ONE),
}
CANCEL: dict[str, Any] = {
    "response_model": TaskAnswer,
    "summary": "Cancel a task",
    "responses": problems(*ACTING),
}


@router.get("/api/v1/tasks", operation_id="tasks_list_v1", **LIST)
@router.get("/api/tasks", **LIST)
def list_tasks(
    actor: Reader, services: ServicesDep, query: Annotated[TaskParams, Query()]
) -> TaskPage:
    """Return one page; `offset` or `cursor`, not both."""
    page = services.jobs.page(actor, query.to_query())
    return TaskPage(
        tasks=[TaskSummaryOut.of(job) for job in page.items], pagination=Pagination.of(page)
    )


@router.get("/api/v1/tasks/{taskId}", operation_id="tasks_show_v1", **ONE)
@router.get("/api/tasks/{taskId}", **ONE)
def show(actor: Reader, services: ServicesDep, taskId: str) -> TaskAnswer:  # noqa: N803
    """Return the task with its input, its result and its error."""
    return TaskAnswer(task=TaskOut.of_job(services.jobs.find(actor, taskId)))


@router.patch(
    "/api/tasks/{taskId}",
    response_model=TaskAnswer,
    summary="Act on a task",
    responses=problems(*WRITING),
)
def act(
    actor: Controller,
    services: ServicesDep,
    taskId: str,  # noqa: N803
    body: TaskActionIn,
) -> TaskAnswer:
    """Cancel the task, the one thing there is to do; 409 when it is over already."""
    del body
    return _canceled(services, actor, taskId)


@router.post("/api/v1/tasks/{taskId}/cancel", **CANCEL)
def cancel(actor: Controller, services: ServicesDep, taskId: str) -> TaskAnswer:  # noqa: N803
    """Cancel the task; 409 when it is over already."""
    return _canceled(services, actor, taskId)


@router.delete("/api/v1/tasks/{taskId}", **CANCEL)
def delete(actor: Controller, services: ServicesDep, taskId: str) -> TaskAnswer:  # noqa: N803
    """Cancel the task: its history stays, nothing is ever deleted; 409 when it is over already."""
    return _canceled(services, actor, taskId)


def _canceled(services: Services, actor: Actor, task_id: str) -> TaskAnswer:
    return TaskAnswer(task=TaskOut.of_job(services.jobs.control(actor, task_id, "cancel")))
