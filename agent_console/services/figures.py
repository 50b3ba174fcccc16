"""How the console does: figures of now, and their course over time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from agent_console.domain.access import Actor, Permission, authorize
from agent_console.domain.checkpoints import CheckpointStatus
from agent_console.domain.clock import MICROSECONDS, from_micros
from agent_console.domain.errors import Invalid
from agent_console.domain.figures import LiveFigures, Overview, Point, quantile
from agent_console.domain.jobs import JobStatus
from agent_console.services.workers import is_alive
from agent_console.store import tallies
from agent_console.store.database import Database, Reader
from agent_console.store.reads import counts, series, workers
from agent_console.store.reads.series import Series
from agent_console.store.tally_slots import MINUTE, QUARTER, micros

AT_WORK: Final = frozenset({"RUNNING", "DRAINING"})


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time up to now: ``count`` slots of ``width`` s, ``joined`` to a point each."""

    width: int
    count: int
    joined: int


SPANS: Mapping[str, Span] = MappingProxyType(
    {
        "1h": Span(MINUTE, 60, 1),
        "6h": Span(MINUTE, 360, 6),
        "24h": Span(QUARTER, 96, 2),
        "7d": Span(QUARTER, 672, 12),
    }
)


class FigureService:
    """Use cases of the overview and the metrics stream; each checks the actor's permission."""

    def __init__(self, db: Database, *, worker_timeout: float) -> None:
        """``worker_timeout``: seconds without a heartbeat after which a worker is dead."""
        self._db = db
        self._timeout = worker_timeout

    def live(self, actor: Actor) -> LiveFigures:
        """Return the figures of this moment, read in one snapshot."""
        authorize(actor, Permission.METRICS_READ)
        with self._db.read() as reader:
            return self._live(reader)

    def overview(self, actor: Actor, span: str = "1h") -> Overview:
        """Return the figures of this moment and their course over ``span``.

        Raises:
            Invalid: there is no such span.
        """
        authorize(actor, Permission.METRICS_READ)
        chosen = SPANS.get(span)
        if chosen is None:
            raise Invalid.field("span", f"must be one of {', '.join(SPANS)}.")
        with self._db.read() as reader:
            read = series.read(reader, width=chosen.width, count=chosen.count)
            live = self._live(reader)
        course = _Course(read)
        points = [course.point(at, chosen.joined) for at in range(0, chosen.count, chosen.joined)]
        return Overview(live=live, width=chosen.width * chosen.joined, points=points)

    def _live(self, reader: Reader) -> LiveFigures:
        now = reader.now()
        standing = counts.now(reader)
        jobs = standing.jobs
        hour = series.read(reader, width=MINUTE, count=60)
        completed = hour.total(tallies.JOBS_TOTAL, JobStatus.COMPLETED)
        failed = hour.total(tallies.JOBS_TOTAL, JobStatus.FAILED)
        done = hour.total(f"{tallies.JOB_SECONDS}_count", JobStatus.COMPLETED)
        spent = hour.total(f"{tallies.JOB_SECONDS}_sum", JobStatus.COMPLETED)
        buckets = hour.buckets(_RUNS, JobStatus.COMPLETED)
        runs = {bound: sum(values) for bound, values in buckets.items()}
        oldest = counts.oldest_pending(reader)
        return LiveFigures(
            at=from_micros(now),
            task_count=sum(jobs.values()),
            waiting_in_queue=jobs[JobStatus.PENDING] + jobs[JobStatus.QUEUED],
            running=jobs[JobStatus.RUNNING],
            pending_checkpoints=standing.pending,
            oldest_wait=None if oldest is None else max(0, now - oldest) / MICROSECONDS,
            active_workers=sum(
                worker.status in AT_WORK and is_alive(worker, self._timeout)
                for worker in workers.listed(reader)
            ),
            success_rate=completed / (completed + failed) if completed + failed else None,
            mean_duration=spent / done if done else None,
            p95_duration=quantile(runs, 0.95),
        )


_RUNS = f"{tallies.JOB_SECONDS}_bucket"
_DECIDED = (CheckpointStatus.APPROVED, CheckpointStatus.REJECTED)


class _Course:
    """A series taken apart once, put together again as points."""

    def __init__(self, read: Series) -> None:
        self._read = read
        self._runs = read.buckets(_RUNS, JobStatus.COMPLETED)
        self._waits = read.buckets(f"{tallies.WAIT_SECONDS}_bucket")
        self._enqueued = read.values(tallies.JOBS_TOTAL, JobStatus.PENDING)
        self._completed = read.values(tallies.JOBS_TOTAL, JobStatus.COMPLETED)
        self._failed = read.values(tallies.JOBS_TOTAL, JobStatus.FAILED)
        self._decided = [read.values(tallies.CHECKPOINTS_TOTAL, status) for status in _DECIDED]

    def point(self, first: int, joined: int) -> Point:
        """Return ``joined`` slots from ``first`` on as one point."""
        slots = slice(first, first + joined)
        runs = {bound: sum(values[slots]) for bound, values in self._runs.items()}
        waits = {bound: sum(values[slots]) for bound, values in self._waits.items()}
        return Point(
            at=from_micros(self._read.start + first * micros(self._read.width)),
            enqueued=int(sum(self._enqueued[slots])),
            completed=int(sum(self._completed[slots])),
            failed=int(sum(self._failed[slots])),
            decided=int(sum(sum(values[slots]) for values in self._decided)),
            duration_p50=quantile(runs, 0.5),
            duration_p95=quantile(runs, 0.95),
            wait_p50=quantile(waits, 0.5),
            wait_p95=quantile(waits, 0.95),
        )
