"""Sums kept in the transaction of what they count, so that they are true after any restart."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, cast

from agent_console.domain.checkpoints import CheckpointStatus
from agent_console.domain.events import Event
from agent_console.domain.jobs import FINISHED
from agent_console.domain.retention import DELETED, OPEN_DELETED
from agent_console.domain.review_figures import BOUNDS
from agent_console.store import review_sums

JOBS_TOTAL: Final = "agent_jobs_total"
JOBS_NOW: Final = "jobs_now"  # status: how many jobs are in it at this moment
JOB_SECONDS: Final = "agent_jobs_duration_seconds"
CHECKPOINTS_TOTAL: Final = "agent_checkpoints_total"
CHECKPOINTS_NOW: Final = "checkpoints_now"  # OPEN: how many wait for somebody
OPEN: Final = CheckpointStatus.PENDING.value
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
_NOW: Final = frozenset({JOBS_NOW, CHECKPOINTS_NOW})  # fall as well as rise

COLUMNS: Final = ("at", "name", "labels", "value")  # of ``tally_deltas``
# What commits have left beside the sums belongs to them; see ``tally_deltas``.
TOTALS: Final = """(
SELECT name, labels, value FROM tallies UNION ALL SELECT name, labels, value FROM tally_deltas
) AS totals"""


def sums_of(events: Iterable[Event]) -> Sums:
    """Return what ``events`` add to each ``(name, labels)``; labels are joined with ``|``."""
    sums: Sums = Counter()
    moves: Counter[tuple[str | None, str]] = Counter()
    runs: defaultdict[tuple[str, str | None], list[float]] = defaultdict(list)
    for event in events:
        if review_sums.concerned(event):
            _count_review(sums, event)
        if event.action == USAGE_RECORDED:
            _count_usage(sums, event)
            continue
        if event.action == DELETED:
            _count_deleted(sums, event)
            continue
        if event.action == JOB_REPLAYED:
            sums[REPLAYS_TOTAL, event.verdict or ""] += 1
        if event.after is None or event.after == event.before:
            continue
        if event.checkpoint_id is not None and event.action.startswith("checkpoint."):
            _count_checkpoint(sums, event, event.after)
        elif event.action.startswith("job."):
            moves[event.before, event.after] += 1
            if event.seconds is not None and event.after in FINISHED:
                runs[event.after, event.job_type].append(event.seconds)
    _count_jobs(sums, moves, runs)
    _drop_what_came_and_went(sums)
    return sums


def _count_review(sums: Sums, event: Event) -> None:
    of = f"{review_sums.risk_of(event)}|{event.job_type}"
    for stage, seconds in review_sums.observed(event):
        _observe(sums, REVIEW_SECONDS, f"{stage}|{of}", [seconds], BOUNDS)
    for outcome in review_sums.outcomes(event):
        sums[REVIEWS_TOTAL, f"{outcome}|{of}"] += 1


def _count_usage(sums: Sums, event: Event) -> None:
    for direction in ("input", "output"):
        labels = f"{direction}|{event.job_type}"
        sums[TOKENS_TOTAL, labels] += cast("int", event.data[f"{direction}Tokens"])
    sums[COST_MICROS, event.job_type or ""] += cast("int", event.data["costMicros"])


def _count_deleted(sums: Sums, event: Event) -> None:
    for status, count in cast("dict[str, int]", event.data["jobs"]).items():
        sums[JOBS_NOW, status] -= count
    sums[CHECKPOINTS_NOW, OPEN] -= cast("int", event.data.get(OPEN_DELETED, 0))


def _count_checkpoint(sums: Sums, event: Event, after: str) -> None:
    sums[CHECKPOINTS_TOTAL, after] += 1
    if OPEN in {event.before, after}:
        sums[CHECKPOINTS_NOW, OPEN] += 1 if after == OPEN else -1
    if event.seconds is not None:
        _observe(sums, WAIT_SECONDS, "", [event.seconds], WAIT_BUCKETS)


def _drop_what_came_and_went(sums: Sums) -> None:
    """Leave no row of what one transaction added and took away, as of an approval by policy."""
    for key in [key for key, value in sums.items() if not value and key[0] in _NOW]:
        del sums[key]


def _count_jobs(
    sums: Sums,
    moves: Mapping[tuple[str | None, str], int],
    runs: Mapping[tuple[str, str | None], Sequence[float]],
) -> None:
    """Count jobs by their moves between statuses, and how long those that ended ran."""
    for (before, after), count in moves.items():
        sums[JOBS_TOTAL, after] += count
        sums[JOBS_NOW, after] += count
        if before is not None:
            sums[JOBS_NOW, before] -= count
    for (after, job_type), seconds in runs.items():
        _observe(sums, JOB_SECONDS, f"{after}|{job_type}", seconds, JOB_BUCKETS)


def _observe(
    sums: Sums, name: str, labels: str, seconds: Sequence[float], buckets: tuple[float, ...]
) -> None:
    """Add each of ``seconds`` to its bucket of a histogram; an upper bound belongs to its own."""
    for place, count in Counter(bisect_left(buckets, each) for each in seconds).items():
        bound = str(buckets[place]) if place < len(buckets) else "+Inf"
        sums[f"{name}_bucket", f"{labels}|{bound}" if labels else bound] += count
    sums[f"{name}_count", labels] += len(seconds)
    sums[f"{name}_sum", labels] += sum(seconds)  # type: ignore[assignment]  # a Counter of floats
