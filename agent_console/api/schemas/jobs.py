"""Wire models of jobs."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import (
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    StringConstraints,
)

from agent_console.api.schemas.base import (
    In,
    Instant,
    InstantIn,
    JsonOut,
    Out,
    Pagination,
    Success,
    attributes,
    example,
)
from agent_console.api.schemas.checkpoints import CheckpointOut
from agent_console.api.schemas.records import (
    ArtifactSummaryOut,
    JournalEntryOut,
    LogLineOut,
    StepOut,
)
from agent_console.domain.jobs import (
    DEFAULT_PRIORITY,
    MAX_PRIORITY,
    MIN_PRIORITY,
    JobStatus,
    NewJob,
)
from agent_console.domain.usage import MICROS, JobUsage, Usage
from agent_console.services.jobs import JobDetail

_Name = Annotated[StrictStr, StringConstraints(min_length=1, max_length=200)]
_JsonObject = dict[str, Any]


class ApprovalStrategy(StrEnum):
    """When a job's agent stops for a person."""

    CHECKPOINT_REQUIRED = "checkpoint_required"
    FINAL_ONLY = "final_only"
    AUTO_APPROVE_LOW_RISK = "auto_approve_low_risk"


class JobAction(StrEnum):
    """What may be done to a job by hand."""

    CANCEL = "cancel"
    RETRY = "retry"
    PAUSE = "pause"
    RESUME = "resume"
    EXECUTE = "execute"


class NewJobIn(In):
    """A job to enqueue. ``inputData`` is checked against the job type's own schema."""

    model_config = example(
        jobType="simple-task",
        taskDescription="Say hello",
        inputData={"userId": "u-1", "action": "greet"},
        priority=5,
    )

    job_type: _Name
    task_description: Annotated[StrictStr, StringConstraints(max_length=4_000)] = ""
    input_data: _JsonObject = Field(default_factory=dict)
    priority: Annotated[StrictInt, Field(ge=MIN_PRIORITY, le=MAX_PRIORITY)] = DEFAULT_PRIORITY
    max_attempts: Annotated[StrictInt, Field(ge=1, le=100)] | None = None
    run_at: InstantIn | None = None
    project_id: _Name | None = None
    task_configuration: _JsonObject | None = None
    context_document_id: _Name | None = None
    approval_strategy: ApprovalStrategy | None = None
    metadata: _JsonObject = Field(default_factory=dict)
    auto_execute: StrictBool = Field(
        True, description="False: the job waits, INITIALIZED, until it is executed."
    )

    def to_new_job(self) -> NewJob:
        """Return the domain's value."""
        values = {name: getattr(self, name) for name in type(self).model_fields}
        values["approval_strategy"] = self.approval_strategy and self.approval_strategy.value
        return NewJob(**values)


class JobActionIn(In):
    """What to do with the job."""

    model_config = example(action="cancel")

    action: JobAction


class ProgressOut(Out):
    """How far a running handler says it is: fraction 0 to 1."""

    fraction: float | None
    message: str


class JobErrorOut(Out):
    """Why a job failed."""

    type: str
    message: str
    traceback: str | None


class JobSummaryOut(Out):
    """A row of the jobs list."""

    id: str
    job_type: str
    status: JobStatus
    task_description: str
    priority: int
    user_id: str | None
    user_name: str | None
    project_id: str | None
    attempts: int
    max_attempts: int
    run_at: Instant
    created_at: Instant
    updated_at: Instant
    started_at: Instant | None
    completed_at: Instant | None
    worker_id: str | None
    park_reason: str | None
    progress: ProgressOut | None


class JobOut(JobSummaryOut):
    """A job with input, output and error."""

    input_data: JsonOut
    output_data: JsonOut
    error: JobErrorOut | None
    task_configuration: JsonOut
    context_document_id: str | None
    approval_strategy: str | None
    code_version: str | None
    metadata: JsonOut


class UsageOut(Out):
    """Tokens and cost of calls of models."""

    calls: int
    input_tokens: int
    output_tokens: int
    cost_usd: float


class ModelUsageOut(UsageOut):
    """What a job used of one model."""

    model: str


class JobUsageOut(UsageOut):
    """What a job used of all models, and of each, dearest first."""

    models: list[ModelUsageOut]

    @classmethod
    def of(cls, usage: JobUsage) -> JobUsageOut:
        """Return the wire form of ``usage``."""
        return cls(
            **_figures(usage.calls, usage.total),
            models=[
                ModelUsageOut(model=each.model, **_figures(each.calls, each.used))
                for each in usage.models
            ],
        )


def _figures(calls: int, used: Usage) -> dict[str, Any]:
    return {
        "calls": calls,
        "input_tokens": used.input_tokens,
        "output_tokens": used.output_tokens,
        "cost_usd": used.cost_micros / MICROS,
    }


class JobDetailOut(JobOut):
    """A job with all that happened to it.

    ``timeline`` is the job's part of the journal. ``actions`` maps each action to the reason
    why it is refused now, empty when it is allowed.
    """

    checkpoints: list[CheckpointOut]
    logs: list[LogLineOut]
    artifacts: list[ArtifactSummaryOut]
    steps: list[StepOut]
    timeline: list[JournalEntryOut]
    usage: JobUsageOut
    actions: dict[str, str]
    held: str = Field(description="Why the job is not let in although it is due; else empty.")

    @classmethod
    def of(cls, detail: JobDetail) -> JobDetailOut:
        """Return the wire form of ``detail``."""
        return cls(
            **attributes(detail.job),
            checkpoints=[CheckpointOut.of(one) for one in detail.checkpoints],
            logs=detail.logs,
            artifacts=detail.artifacts,
            steps=detail.steps,
            timeline=detail.timeline,
            usage=JobUsageOut.of(detail.usage),
            actions=detail.allowed,
            held=detail.held,
        )


class JobAnswer(Success):
    """One job."""

    job: JobOut


class JobDetailAnswer(Success):
    """One job, in full."""

    job: JobDetailOut


class JobPage(Success):
    """A page of jobs, newest first."""

    jobs: list[JobSummaryOut]
    pagination: Pagination
