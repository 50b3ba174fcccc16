"""Work sessions: jobs of an agent, seen from the project they are done for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from agent_console.domain.context import MAX_DOCUMENTS
from agent_console.domain.jobs import JobError, JobStatus, Json, Progress

AGENT_TYPES = ("research", "content", "reporting")  # the agents that come with the console
DEFAULT_STRATEGY = "checkpoint_required"


class SessionStatus(StrEnum):
    """Where a session is: a view of its job's status."""

    INITIALIZED = "initialized"
    IN_PROGRESS = "in_progress"
    PENDING_REVIEW = "pending_review"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"


STATUS_OF: Mapping[JobStatus, SessionStatus] = MappingProxyType(
    {
        JobStatus.INITIALIZED: SessionStatus.INITIALIZED,
        JobStatus.PENDING: SessionStatus.IN_PROGRESS,
        JobStatus.QUEUED: SessionStatus.IN_PROGRESS,
        JobStatus.RUNNING: SessionStatus.IN_PROGRESS,
        JobStatus.WAITING: SessionStatus.PENDING_REVIEW,
        JobStatus.PAUSED: SessionStatus.PAUSED,
        JobStatus.PARKED: SessionStatus.PAUSED,
        JobStatus.COMPLETED: SessionStatus.COMPLETED,
        JobStatus.FAILED: SessionStatus.FAILED,
        JobStatus.CANCELED: SessionStatus.CANCELED,
    }
)
EXECUTABLE = frozenset({SessionStatus.INITIALIZED, SessionStatus.PAUSED})


def job_statuses(status: SessionStatus) -> tuple[JobStatus, ...]:
    """Return the job statuses that are seen as ``status``, in declaration order."""
    return tuple(one for one in JobStatus if STATUS_OF[one] is status)


def context_ids(first: str | None, metadata: Mapping[str, Json]) -> tuple[str, ...]:
    """Return the ids of a job's context documents, the most important one first.

    ``first`` is the job's ``context_document_id``; when there are several, ``metadata`` has them
    all under ``contextDocumentIds``. Metadata of jobs that no session made may hold anything.
    """
    listed = metadata.get("contextDocumentIds")
    if isinstance(listed, list) and listed and first is not None:
        rest = [one for one in listed if isinstance(one, str) and one != first]
        return (first, *dict.fromkeys(rest))[:MAX_DOCUMENTS]
    return () if first is None else (first,)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSession:
    """What a client asks an agent to do.

    ``task_configuration`` is checked against the agent's own schema. ``context_document_ids``
    are the documents it may work from, the most important one first.
    """

    agent_type: str
    task_description: str = ""
    task_configuration: dict[str, Json] = field(default_factory=dict)
    context_document_ids: tuple[str, ...] = ()
    approval_strategy: str = DEFAULT_STRATEGY
    workspace_id: str | None = None
    basket_id: str | None = None
    metadata: dict[str, Json] = field(default_factory=dict)
    auto_execute: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkSession:
    """A session as it stands; ``id`` is its job's id. Instants are aware UTC.

    ``has_findings``: it is completed, and its findings can be handed on to another session.
    """

    id: str
    project_id: str
    agent_type: str
    status: SessionStatus
    job_status: JobStatus
    task_description: str
    task_configuration: Json
    context_document_ids: tuple[str, ...]
    approval_strategy: str | None
    workspace_id: str | None
    basket_id: str | None
    user_id: str | None
    user_name: str | None
    attempts: int
    progress: Progress | None
    error: JobError | None
    park_reason: str | None
    artifacts_count: int
    pending_checkpoints: int
    has_findings: bool
    metadata: dict[str, Json]
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None
    completed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCounts:
    """How many sessions a project has in every status; ``capped``: of its newest ones only."""

    by_status: Mapping[SessionStatus, int]
    capped: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project that has sessions; ``pending_review`` of them wait for a decision."""

    id: str
    pending_review: int
    latest_session_id: str
    latest_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationTemplate:
    """A task configuration that an account keeps to use again; it may still lack fields."""

    id: str
    name: str
    agent_type: str
    task_configuration: dict[str, Json]
    approval_strategy: str | None
    owner_id: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTemplate:
    """A template to keep."""

    name: str
    agent_type: str
    task_configuration: dict[str, Json] = field(default_factory=dict)
    approval_strategy: str | None = None
