"""Wire models of tasks: jobs as simpler clients know them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from agent_console.api.parameters import OffsetParams
from agent_console.api.schemas.base import In, Instant, JsonOut, Out, Pagination, Success, example
from agent_console.api.schemas.jobs import JobErrorOut, ProgressOut
from agent_console.domain.jobs import Job, JobStatus, JobSummary
from agent_console.domain.queries import JobQuery

_Text = Annotated[str, StringConstraints(max_length=200)]


class TaskParams(OffsetParams):
    """Filters of the tasks list."""

    status: JobStatus | None = None
    type: _Text | None = None
    user_id: _Text | None = None

    def to_query(self) -> JobQuery:
        """Return the domain's value."""
        given = self.model_dump()
        return JobQuery(job_type=given.pop("type"), **given)


class TaskActionIn(In):
    """What to do with the task."""

    model_config = example(action="cancel")

    action: Literal["cancel"]


class TaskSummaryOut(Out):
    """A row of the tasks list; `id` is the job's, `type` its job type."""

    id: str
    type: str
    status: JobStatus
    description: str
    priority: int
    user_id: str | None
    project_id: str | None
    progress: ProgressOut | None
    created_at: Instant
    updated_at: Instant
    started_at: Instant | None
    completed_at: Instant | None

    @classmethod
    def of(cls, job: Job | JobSummary) -> TaskSummaryOut:
        """Return the row for ``job``."""
        return cls(**_head(job))


class TaskOut(TaskSummaryOut):
    """A task with what it was given and what came of it."""

    input: JsonOut
    result: JsonOut = Field(description="The output; null until the task is completed.")
    error: JobErrorOut | None

    @classmethod
    def of_job(cls, job: Job) -> TaskOut:
        """Return the task that ``job`` is."""
        return cls(**_head(job), input=job.input_data, result=job.output_data, error=_error(job))


def _error(job: Job) -> JobErrorOut | None:
    return None if job.error is None else JobErrorOut.model_validate(job.error)


def _head(job: Job | JobSummary) -> dict[str, Any]:
    same = (
        "id", "status", "priority", "user_id", "project_id", "created_at", "updated_at",
        "started_at", "completed_at",
    )  # fmt: skip
    progress = None if job.progress is None else ProgressOut.model_validate(job.progress)
    return {name: getattr(job, name) for name in same} | {
        "type": job.job_type,
        "description": job.task_description,
        "progress": progress,
    }


class TaskAnswer(Success):
    """One task."""

    task: TaskOut


class TaskPage(Success):
    """A page of tasks, newest first."""

    tasks: list[TaskSummaryOut]
    pagination: Pagination
