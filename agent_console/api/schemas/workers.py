"""Wire models of the worker and of health."""

from __future__ import annotations

from pydantic import Field

from agent_console.api.schemas.base import Instant, Out, Success
from agent_console.domain.records import BreakerState, WorkerStatus


class WorkerSummaryOut(Out):
    """All workers as one; ``pollInterval`` is milliseconds."""

    is_running: bool
    active_jobs: int
    max_concurrent_jobs: int
    poll_interval: int


class WorkerRowOut(Out):
    """One worker process; ``pollInterval`` is milliseconds, ``heartbeatAge`` seconds."""

    id: str
    host: str
    pid: int
    version: str
    embedded: bool
    status: WorkerStatus
    desired: str
    active_jobs: int
    max_concurrent_jobs: int
    poll_interval: int
    job_types: list[str]
    started_at: Instant
    heartbeat_at: Instant
    heartbeat_age: float
    stopped_at: Instant | None
    breakers: dict[str, BreakerState] = Field(
        description="Circuit breakers of the hosts it calls, by entry of the allowlist."
    )


class JobCountsOut(Out):
    """How many jobs there are: waiting for a worker, running, completed, failed."""

    pending: int
    running: int
    completed: int
    failed: int


class WorkerAnswer(Success):
    """The state of the workers and of their work."""

    worker: WorkerSummaryOut
    jobs: JobCountsOut
    workers: list[WorkerRowOut]


class ComponentOut(Out):
    """A part of the console: ok, degraded or down; ``figures`` are small facts."""

    status: str
    detail: str
    figures: dict[str, float]


class HealthOut(Out):
    """Whether the console works; the HTTP status is 200 even when degraded."""

    status: str
    timestamp: Instant
    components: dict[str, ComponentOut]


class ProbeOut(Out):
    """The answer to a probe."""

    status: str
