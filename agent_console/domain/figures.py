"""Figures of how the console does: quantiles of histograms, and what the overview shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime


def quantile(buckets: Mapping[str, float], q: float) -> float | None:
    """Return the ``q`` quantile of a histogram, interpolated within its bucket; None if empty.

    ``buckets`` holds counts (not cumulative) by upper bound in seconds, the last ``+Inf``: of it
    only its lower bound is known. Like Prometheus' ``histogram_quantile``.
    """
    ordered = sorted((float(bound.replace("+Inf", "inf")), n) for bound, n in buckets.items())
    rank = q * sum(count for _, count in ordered)
    if rank <= 0:
        return None
    below, seen = 0.0, 0.0
    for bound, count in ordered:
        if count and seen + count >= rank:
            if bound == float("inf"):
                return below
            return below + (bound - below) * (rank - seen) / count
        seen += count
        below = below if bound == float("inf") else bound
    return below


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveFigures:
    """How the console does now. Rates and durations are of the last hour, None without any.

    ``task_count`` counts all jobs there are; ``success_rate`` is completed / (completed + failed).
    Durations are in seconds.
    """

    at: datetime
    task_count: int
    waiting_in_queue: int
    running: int
    pending_checkpoints: int
    oldest_wait: float | None
    active_workers: int
    success_rate: float | None
    mean_duration: float | None
    p95_duration: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One slot of time: what ended and began in it, and how long it took (seconds, or None)."""

    at: datetime
    enqueued: int
    completed: int
    failed: int
    decided: int
    duration_p50: float | None
    duration_p95: float | None
    wait_p50: float | None
    wait_p95: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Figures of now, and ``points`` of ``width`` seconds each, oldest first."""

    live: LiveFigures
    width: int
    points: Sequence[Point]
