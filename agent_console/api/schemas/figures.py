"""Wire models of the overview. Durations are seconds; rates and durations are null without any."""

from __future__ import annotations

from agent_console.api.schemas.base import Instant, Out, Success


class LiveFiguresOut(Out):
    """Figures of now; rates and durations are of the last hour."""

    at: Instant
    task_count: int
    waiting_in_queue: int
    running: int
    pending_checkpoints: int
    oldest_wait: float | None
    active_workers: int
    success_rate: float | None
    mean_duration: float | None
    p95_duration: float | None


class PointOut(Out):
    """One slot of time."""

    at: Instant
    enqueued: int
    completed: int
    failed: int
    decided: int
    duration_p50: float | None
    duration_p95: float | None
    wait_p50: float | None
    wait_p95: float | None


class OverviewOut(Out):
    """Figures of now, and points of ``width`` seconds each, oldest first."""

    live: LiveFiguresOut
    width: int
    points: list[PointOut]


class OverviewAnswer(Success):
    """The overview."""

    overview: OverviewOut
