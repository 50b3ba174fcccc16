"""Sums kept in the transaction of what they count, so that they are true after any restart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final, cast

from agent_console.domain.events import Event
from agent_console.domain.jobs import FINISHED
from agent_console.domain.retention import DELETED
from agent_console.domain.review_figures import BOUNDS
from agent_console.store import review_sums

JOBS_TOTAL: Final = "agent_jobs_total"
JOBS_NOW: Final = "jobs_now"
JOB_SECONDS: Final = "agent_jobs_duration_seconds"
CHECKPOINTS_TOTAL: Final = "agent_checkpoints_total"
TOKENS_TOTAL: Final = "agent_tokens_total"
COST_MICROS: Final = "agent_cost_micros"  # whole millionths of a dollar: sums stay exact
REPLAYS_TOTAL: Final = "agent_replays_total"
WAIT_SECONDS: Final = "agent_checkpoint_wait_seconds"
REVIEW_SECONDS: Final = "agent_review_seconds"  # stage|risk|job type
REVIEWS_TOTAL: Final = "agent_reviews_total"  # outcome|risk|job type
NOTIFICATIONS_TOTAL: Final = "agent_notifications_total"  # counted where they are sent

JOB_BUCKETS: Final = (0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)
WAIT_BUCKETS: Final = (1.0, 10.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0, 86_400.0)  # to a day

USAGE_RECORDED: Final = "usage.recorded"  # the event whose data is counted
JOB_REPLAYED: Final = "job.replayed"  # counted by its verdict

Sums = Counter[tuple[str, str]]

COLUMNS: Final = ("at", "name", "labels", "value")  # of ``tally_deltas``
# What commits have left beside the sums belongs to them; see ``tally_deltas``.
TOTALS: Final = """(
SELECT name, labels, value FROM tallies UNION ALL SELECT name, labels, value FROM tally_deltas
) AS totals"""


def sums_of(events: Iterable[Event]) -> Sums:
    """Return what ``events`` add to each ``(name, labels)``; labels are joined with ``|``."""
    sums: Sums = Counter()
    for event in events:
        _count_review(sums, event)
        if event.action == USAGE_RECORDED:
            _count_usage(sums, event)
            continue
        if event.action == DELETED:
            for status, count in cast("dict[str, int]", event.data["jobs"]).items():
                sums[JOBS_NOW, status] -= count
            continue
        if event.action == JOB_REPLAYED:
            sums[REPLAYS_TOTAL, event.verdict or ""] += 1
        if event.after is None or event.after == event.before:
            continue
        if event.checkpoint_id is not None and event.action.startswith("checkpoint."):
            sums[CHECKPOINTS_TOTAL, event.after] += 1
            if event.seconds is not None:
                _observe(sums, WAIT_SECONDS, "", event.seconds, WAIT_BUCKETS)
        elif event.action.startswith("job."):
            _count_job(sums, event)
    return sums


def _count_review(sums: Sums, event: Event) -> None:
    of = f"{review_sums.risk_of(event)}|{event.job_type}"
    for stage, seconds in review_sums.observed(event):
        _observe(sums, REVIEW_SECONDS, f"{stage}|{of}", seconds, BOUNDS)
    for outcome in review_sums.outcomes(event):
        sums[REVIEWS_TOTAL, f"{outcome}|{of}"] += 1


def _count_usage(sums: Sums, event: Event) -> None:
    for direction in ("input", "output"):
        labels = f"{direction}|{event.job_type}"
        sums[TOKENS_TOTAL, labels] += cast("int", event.data[f"{direction}Tokens"])
    sums[COST_MICROS, event.job_type or ""] += cast("int", event.data["costMicros"])


def _count_job(sums: Sums, event: Event) -> None:
    assert event.after is not None  # noqa: S101 - narrowed by the caller
    sums[JOBS_TOTAL, event.after] += 1
    if event.before in FINISHED:
        sums[JOBS_NOW, event.before] -= 1
    if event.after in FINISHED:
        sums[JOBS_NOW, event.after] += 1
        if event.seconds is not None:
            labels = f"{event.after}|{event.job_type}"
            _observe(sums, JOB_SECONDS, labels, event.seconds, JOB_BUCKETS)


def _observe(
    sums: Sums, name: str, labels: str, seconds: float, buckets: tuple[float, ...]
) -> None:
    bound = next((str(b) for b in buckets if seconds <= b), "+Inf")
    sums[f"{name}_bucket", f"{labels}|{bound}" if labels else bound] += 1
    sums[f"{name}_count", labels] += 1
    sums[f"{name}_sum", labels] += seconds  # type: ignore[assignment]  # a Counter of floats
