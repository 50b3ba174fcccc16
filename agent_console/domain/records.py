"""Values that accompany a job: steps, log lines, artifacts, workers, handlers, pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

from agent_console.domain.access import Permission
from agent_console.domain.jobs import Json
from agent_console.domain.limits import Limit
from agent_console.domain.uniqueness import Unique

T = TypeVar("T")


class LogLevel(StrEnum):
    """Levels of a job's log lines."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


class ArtifactType(StrEnum):
    """What an artifact is."""

    RESEARCH_FINDING = "research_finding"
    CONTENT_DRAFT = "content_draft"
    REPORT = "report"
    GENERIC_OUTPUT = "generic_output"
    FILE = "file"


class WorkerStatus(StrEnum):
    """What a worker is doing."""

    RUNNING = "RUNNING"
    DRAINING = "DRAINING"
    STOPPED = "STOPPED"
    DEAD = "DEAD"


class BreakerState(StrEnum):
    """Whether a host is called; from well to unwell."""

    CLOSED = "closed"
    HALF_OPEN = "half-open"  # one call finds out
    OPEN = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A recorded call of a handler.

    ``kind`` is step, approve, info, error, artifact, usage, sleep, callback, wait, enqueue, or
    failed.

    ``failed`` is a step that raised and whose handler caught that and went on.
    """

    job_id: str
    position: int
    kind: str
    name: str
    result: Json
    attempt: int
    started_at: datetime
    finished_at: datetime
    code_version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The end of what a running job is writing, as of ``at``; kept only while it runs."""

    text: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """A line of ``agent_logs``."""

    id: int
    job_id: str
    at: datetime
    level: LogLevel
    message: str
    attempt: int
    data: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """An output people look at (``work_artifacts``); ``size`` is bytes of UTF-8 content."""

    id: str
    job_id: str
    name: str
    artifact_type: ArtifactType
    media_type: str
    content: str
    size: int
    digest: str
    metadata: dict[str, Json]
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """A worker row. ``poll_interval`` and ``heartbeat_age`` are seconds."""

    id: str
    host: str
    pid: int
    version: str
    embedded: bool
    status: WorkerStatus
    desired: str  # "run" or "stop"
    active_jobs: int
    max_concurrent_jobs: int
    poll_interval: float
    job_types: tuple[str, ...]
    started_at: datetime
    heartbeat_at: datetime
    heartbeat_age: float
    stopped_at: datetime | None
    breakers: Mapping[str, BreakerState] = field(default_factory=dict)  # by allowlist entry


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryFacts:
    """A handler's retry policy in words of the wire; waits are seconds, ``never`` error classes."""

    max_attempts: int = 3
    base: float = 1.0
    cap: float = 300.0
    never: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlerInfo:
    """What the console knows of a job type: for the New job page and for OpenAPI.

    ``input_schema`` is JSON Schema; ``examples`` are inputs that work as they are; ``agent`` says
    that its jobs are work sessions. ``retry`` is its whole policy, ``max_attempts`` part of it.
    ``unique`` tells from an input what its job must be unique by; ``needs`` is what one must be
    allowed beside creating jobs. ``isolation`` is where it runs (thread or process), ``timeout``
    seconds, ``memory_limit`` bytes.
    """

    job_type: str
    title: str
    description: str
    version: str
    input_schema: dict[str, Json]
    examples: tuple[dict[str, Json], ...] = ()
    max_attempts: int = 3
    agent: bool = False
    retry: RetryFacts = RetryFacts()
    limit: Limit | None = None
    unique: Callable[[dict[str, Json]], Unique | None] | None = None
    needs: Permission | None = None
    isolation: str = "thread"
    timeout: float | None = None
    memory_limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """One page of a list. ``total`` is None where counting would cost more than the page."""

    items: Sequence[T]
    limit: int
    offset: int = 0
    next_cursor: str | None = None
    total: int | None = None
    total_capped: bool = False  # ``total`` is a floor: "10,000+"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """An account, without its password hash."""

    id: str
    email: str
    name: str
    role: str
    disabled: bool
    created_at: datetime
    metadata: dict[str, Json] = field(default_factory=dict)
