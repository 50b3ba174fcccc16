"""Jobs: their values and the one table of legal transitions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from agent_console.domain.errors import Conflict

if TYPE_CHECKING:
    from agent_console.domain.uniqueness import Unique

DEFAULT_PRIORITY = 5
MIN_PRIORITY, MAX_PRIORITY = 0, 100
DEFAULT_MAX_ATTEMPTS = 3

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


class JobStatus(StrEnum):
    """Where a job is in its life; CONTRACT words, shown as they are."""

    INITIALIZED = "INITIALIZED"
    PENDING = "PENDING"
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    WAITING = "WAITING"
    PAUSED = "PAUSED"
    PARKED = "PARKED"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"


CLAIMABLE = frozenset({JobStatus.PENDING, JobStatus.QUEUED})
FINISHED = frozenset({JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELED})
LIVE = frozenset(JobStatus) - FINISHED


class JobVerb(StrEnum):
    """What may be done to a job, by the engine, a person or a decision."""

    EXECUTE = "execute"  # an initialized job is let into the queue
    CLAIM = "claim"  # a worker takes it
    WAIT = "wait"  # a blocking checkpoint opened
    COMPLETE = "complete"
    FAIL = "fail"  # out of attempts, rejected, or expired; parked, and given up by a person
    RETRY_LATER = "retry_later"  # an attempt failed and another is due
    SLEEP = "sleep"  # its handler waits for a time, or for a callback
    RELEASE = "release"  # given back unharmed by a draining worker
    RESCUE = "rescue"  # its worker died
    PARK = "park"  # needs attention
    WAKE = "wake"  # its checkpoint was decided
    UNWAKE = "unwake"  # that decision was taken back before it was claimed
    RETURN = "return"  # its approval no longer matches: back to review
    PAUSE = "pause"
    RESUME = "resume"
    RESUME_WAITING = "resume_waiting"  # resumed while its checkpoint is still open
    CANCEL = "cancel"
    RETRY = "retry"


def _transitions() -> Mapping[tuple[JobStatus, JobVerb], JobStatus]:
    s, v = JobStatus, JobVerb
    table = {
        (s.INITIALIZED, v.EXECUTE): s.PENDING,
        (s.PAUSED, v.EXECUTE): s.QUEUED,
        (s.PENDING, v.CLAIM): s.RUNNING,
        (s.QUEUED, v.CLAIM): s.RUNNING,
        (s.RUNNING, v.WAIT): s.WAITING,
        (s.RUNNING, v.COMPLETE): s.COMPLETED,
        (s.RUNNING, v.FAIL): s.FAILED,
        (s.RUNNING, v.RETRY_LATER): s.QUEUED,
        (s.RUNNING, v.SLEEP): s.QUEUED,
        (s.RUNNING, v.RELEASE): s.QUEUED,
        (s.RUNNING, v.RESCUE): s.QUEUED,
        (s.RUNNING, v.PARK): s.PARKED,
        (s.WAITING, v.WAKE): s.QUEUED,
        (s.QUEUED, v.UNWAKE): s.WAITING,
        (s.RUNNING, v.RETURN): s.WAITING,
        (s.PAUSED, v.RESUME): s.QUEUED,
        (s.PARKED, v.RESUME): s.QUEUED,
        (s.PARKED, v.FAIL): s.FAILED,
        (s.PAUSED, v.RESUME_WAITING): s.WAITING,
        (s.FAILED, v.RETRY): s.QUEUED,
        (s.CANCELED, v.RETRY): s.QUEUED,
        (s.PARKED, v.RETRY): s.QUEUED,
    }
    for held in (s.PENDING, s.QUEUED, s.RUNNING, s.WAITING):
        table[held, v.PAUSE] = s.PAUSED
    for live in LIVE:
        table[live, v.CANCEL] = s.CANCELED
    return MappingProxyType(table)


TRANSITIONS: Mapping[tuple[JobStatus, JobVerb], JobStatus] = _transitions()


def sources(verb: JobVerb) -> tuple[JobStatus, ...]:
    """Return the statuses from which ``verb`` is legal, in declaration order."""
    return tuple(s for s in JobStatus if (s, verb) in TRANSITIONS)


def after(status: JobStatus, verb: JobVerb) -> JobStatus:
    """Return the status that ``verb`` leads to.

    Raises:
        Conflict: the table has no such transition; names the current status.
    """
    try:
        return TRANSITIONS[status, verb]
    except KeyError:
        raise Conflict(
            f"The job is {status}; {verb} is possible only from {', '.join(sources(verb))}.",
            currentStatus=status.value,
        ) from None


@dataclass(frozen=True, slots=True)
class JobError:
    """Why a job failed: exception type, message, and a traceback for operators."""

    type: str
    message: str
    traceback: str | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a running handler says it is: fraction 0 to 1 and a short text."""

    fraction: float | None = None
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """What a client asks to be run; ``input_data`` is validated by the handler's schema."""

    job_type: str
    input_data: dict[str, Json] = field(default_factory=dict)
    task_description: str = ""
    priority: int = DEFAULT_PRIORITY
    max_attempts: int | None = None  # None: the handler's own retry policy
    run_at: datetime | None = None
    delay_seconds: float | None = None  # from now by the database's clock; not beside run_at
    project_id: str | None = None
    task_configuration: dict[str, Json] | None = None
    context_document_id: str | None = None
    approval_strategy: str | None = None
    metadata: dict[str, Json] = field(default_factory=dict)
    auto_execute: bool = True  # False: INITIALIZED, waits for execute
    lane: str | None = None  # the concurrency key; the service asks the handler, not the client
    unique: Unique | None = None  # None: what the job type says


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job as it stands in the store (``ai_jobs``). Instants are aware UTC.

    ``park_code`` and ``park_detail`` say why it is parked (``domain.parking``). A fork's record
    before ``forked_position`` is a copy of that of the job ``forked_from``.
    """

    id: str
    job_type: str
    status: JobStatus
    task_description: str
    input_data: Json
    output_data: Json
    error: JobError | None
    priority: int
    user_id: str | None
    user_name: str | None
    project_id: str | None
    task_configuration: Json
    context_document_id: str | None
    approval_strategy: str | None
    attempts: int
    max_attempts: int
    run_at: datetime
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    worker_id: str | None
    code_version: str | None
    park_reason: str | None
    progress: Progress | None
    metadata: Json
    park_code: str | None = None
    park_detail: Json = None
    forked_from: str | None = None
    forked_position: int | None = None
    unique_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSummary:
    """A row of the jobs list; no payloads."""

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
    run_at: datetime
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    worker_id: str | None
    park_reason: str | None
    progress: Progress | None
