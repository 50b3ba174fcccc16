"""Wire models of jobs."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import (
    Field,
    StrictBool,
    StrictFloat,
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
from agent_console.domain.records import RetryFacts
from agent_console.domain.uniqueness import MAX_KEY, OnConflict, Unique
from agent_console.domain.usage import MICROS, JobUsage, Usage
from agent_console.services.job_requests import MAX_DELAY
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
    FAIL = "fail"


class UniqueIn(In):
    """The only job of its type and key while an earlier one is in one of ``whileIn``."""

    model_config = example(key="order-7", onConflict="existing")

    key: Annotated[StrictStr, StringConstraints(min_length=1, max_length=MAX_KEY)]
    while_in: Annotated[list[JobStatus], Field(min_length=1)] | None = Field(
        None, description="Left out: every status of a job that has not ended."
    )
    on_conflict: OnConflict = OnConflict.REJECT

    def to_unique(self) -> Unique:
        """Return the domain's value."""
        policy = self.on_conflict
        if self.while_in is None:
            return Unique(key=self.key, on_conflict=policy)
        return Unique(key=self.key, while_in=tuple(self.while_in), on_conflict=policy)


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
    run_at: InstantIn | None = Field(None, description="Not before this instant.")
    delay_seconds: Annotated[StrictInt | StrictFloat, Field(ge=0, le=MAX_DELAY)] | None = Field(
        None, description="Not before this many seconds from now; instead of `runAt`."
    )
    project_id: _Name | None = None
    task_configuration: _JsonObject | None = None
    context_document_id: _Name | None = None
    approval_strategy: ApprovalStrategy | None = None
    metadata: _JsonObject = Field(default_factory=dict)
    auto_execute: StrictBool = Field(
        True, description="False: the job waits, INITIALIZED, until it is executed."
    )
    unique: UniqueIn | None = Field(None, description="Left out: what the job type says.")

    def to_new_job(self) -> NewJob:
        """Return the domain's value."""
        values = {name: getattr(self, name) for name in NewJobIn.model_fields}
        values["unique"] = self.unique and self.unique.to_unique()
        values["approval_strategy"] = self.approval_strategy and self.approval_strategy.value
        return NewJob(**values)


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
    park_code: str | None = Field(
        None, description="`diverged`, `no_handler`, `poison`, `engine` or `outcome`."
    )
    park_detail: JsonOut = None
    forked_from: str | None = Field(None, description="The job whose record this one began with.")
    forked_position: int | None = Field(None, description="Calls before this one are copies.")
    unique_key: str | None


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


class RetryPolicyOut(Out):
    """When a failed attempt is tried again; `never` are error classes that end the job at once."""

    max_attempts: int
    base_seconds: float
    cap_seconds: float
    never: list[str]

    @classmethod
    def of(cls, facts: RetryFacts) -> RetryPolicyOut:
        """Return the wire form of ``facts``."""
        return cls(
            max_attempts=facts.max_attempts,
            base_seconds=facts.base,
            cap_seconds=facts.cap,
            never=list(facts.never),
        )


class ForkLineOut(Out):
    """A fork of this job; its record before `position` is a copy."""

    id: str
    status: JobStatus
    position: int
    user_name: str | None
    created_at: Instant


class JobOriginOut(Out):
    """Which schedule made a job, for which slot; the name is empty once it is deleted."""

    schedule_id: str
    name: str
    slot: Instant
    manual: bool = Field(description="Somebody had it run at once, beside its slots.")


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
    schedule: JobOriginOut | None
    actions: dict[str, str]
    forks: list[ForkLineOut]
    goes_on_at: int = Field(description="The position at which a plain retry goes on.")
    retry_policy: RetryPolicyOut | None = Field(description="null: no handler is known here.")
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
            schedule=detail.origin and JobOriginOut.model_validate(detail.origin),
            actions=detail.allowed,
            forks=detail.forks,
            goes_on_at=detail.goes_on_at,
            retry_policy=detail.handler and RetryPolicyOut.of(detail.handler.retry),
            held=detail.held,
        )


class JobAnswer(Success):
    """One job."""

    job: JobOut


class EnqueuedAnswer(JobAnswer):
    """The job of a request; ``existing`` says that it was there already and has the unique key."""

    existing: bool


class JobDetailAnswer(Success):
    """One job, in full."""

    job: JobDetailOut


class JobPage(Success):
    """A page of jobs, newest first."""

    jobs: list[JobSummaryOut]
    pagination: Pagination
