"""Prometheus metrics, read from the database: true after restarts and across processes.

Nothing is counted in memory. The store adds to its tallies in the transaction of each change;
a scrape reads them, with the counts of what is live, in one snapshot.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import Protocol

from prometheus_client import (
    CollectorRegistry,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from agent_console.domain.checkpoints import CheckpointStatus
from agent_console.domain.clock import Clock, SystemClock
from agent_console.domain.jobs import JobStatus
from agent_console.domain.notifications import Way
from agent_console.domain.records import BreakerState
from agent_console.domain.usage import MICROS
from agent_console.store import tallies
from agent_console.store.database import Database
from agent_console.store.metric_reads import MetricFigures, read_figures
from agent_console.telemetry.histograms import Series
from agent_console.telemetry.review_metrics import review_families

MAX_AGE = 1.0  # seconds a snapshot may serve further scrapes
OTHER = "other"  # the label of job types that no handler here is registered for


class JobTypes(Protocol):
    """Says which job types are registered now."""

    def __call__(self) -> Collection[str]:
        """Return the registered job types; empty means that nobody knows."""
        ...


def _any_type() -> Collection[str]:
    return ()


class MetricsExporter:
    """Renders the console's metrics in the Prometheus text format.

    ``job_types`` bounds the label ``job_type``: what is not registered any more is summed up as
    ``other``. Without it the label holds whatever types jobs have had.
    """

    def __init__(
        self,
        db: Database,
        *,
        job_types: JobTypes = _any_type,
        hosts: Collection[str] = (),
        clock: Clock | None = None,
    ) -> None:
        """Read from ``db``; nothing is opened before the first scrape.

        ``hosts`` are the allowlist's entries, told of whether they were called or not.
        """
        self._hosts = hosts
        self._db = db
        self._job_types = job_types
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._figures: MetricFigures | None = None
        self._read_at = 0.0
        self._registry = CollectorRegistry(auto_describe=False)
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        self._registry.register(_Described(self))

    def render(self) -> bytes:
        """Return all metrics as text exposition.

        Raises:
            Unavailable: the database cannot serve now; the scrape should fail, not show zeros.
        """
        return generate_latest(self._registry)

    def families(self) -> Iterator[Metric]:
        """Yield every metric family, made from one snapshot."""
        yield from _families(self._snapshot(), frozenset(self._job_types()), self._hosts)

    def _snapshot(self) -> MetricFigures:
        with self._lock:
            now = self._clock.monotonic()
            if self._figures is None or now - self._read_at >= MAX_AGE:
                self._figures = read_figures(self._db)
                self._read_at = now
            return self._figures


def catalogue() -> list[Metric]:
    """Return every family of the console as it is before anything happened: names and kinds."""
    nothing = MetricFigures(sums={}, jobs_by_status={}, checkpoints_pending=0, active_jobs=0)
    return list(_families(nothing, frozenset()))


def _families(
    figures: MetricFigures, known: frozenset[str], hosts: Collection[str] = ()
) -> Iterator[Metric]:
    yield from _counters(figures)
    yield from _usage(figures, known)
    yield from _gauges(figures)
    yield _held(figures, known)
    yield _breakers(figures, hosts)
    yield _job_seconds(figures, known)
    yield _wait_seconds(figures)
    yield from review_families(figures, lambda job_type: _known_type(job_type, known))


class _Described:
    """The exporter as a collector that registers without reading the database."""

    def __init__(self, exporter: MetricsExporter) -> None:
        self._exporter = exporter

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterable[Metric]:
        return self._exporter.families()


def _counters(figures: MetricFigures) -> Iterator[Metric]:
    entries = figures.sums.get(tallies.JOBS_TOTAL, {})
    jobs = CounterMetricFamily(
        "agent_jobs", "Entries of jobs into a status since the first start.", labels=["status"]
    )
    for job_status in JobStatus:
        jobs.add_metric([job_status.value], entries.get(job_status.value, 0.0))
    yield jobs
    moves = figures.sums.get(tallies.CHECKPOINTS_TOTAL, {})
    checkpoints = CounterMetricFamily(
        "agent_checkpoints",
        "Entries of checkpoints into a status since the first start.",
        labels=["status"],
    )
    for status in CheckpointStatus:
        checkpoints.add_metric([status.value], moves.get(status.value, 0.0))
    yield checkpoints
    told = figures.sums.get(tallies.REPLAYS_TOTAL, {})
    replays = CounterMetricFamily(
        "agent_replays", "Replays of jobs since the first start.", labels=["result"]
    )
    for result in ("same", "different"):
        replays.add_metric([result], told.get(result, 0.0))
    yield replays
    yield _notifications(figures)


def _notifications(figures: MetricFigures) -> Metric:
    told = figures.sums.get(tallies.NOTIFICATIONS_TOTAL, {})
    family = CounterMetricFamily(
        "agent_notifications",
        "Attempts to send a notification since the first start.",
        labels=["kind", "outcome"],
    )
    for way in Way:
        for outcome in ("sent", "failed", "dropped"):
            family.add_metric([way.value, outcome], told.get(f"{way.value}|{outcome}", 0.0))
    return family


def _usage(figures: MetricFigures, known: frozenset[str]) -> Iterator[Metric]:
    tokens = CounterMetricFamily(
        "agent_tokens",
        "Tokens that jobs used of models since the first start.",
        labels=["direction", "job_type"],
    )
    used: Counter[tuple[str, str]] = Counter()
    for labels, value in figures.sums.get(tallies.TOKENS_TOTAL, {}).items():
        direction, job_type = labels.split("|", 1)
        used[direction, _known_type(job_type, known)] += value  # type: ignore[assignment]
    for key in sorted(used):
        tokens.add_metric(key, used[key])
    yield tokens
    cost = CounterMetricFamily(
        "agent_cost_usd",
        "US dollars that jobs' calls of models cost since the first start.",
        labels=["job_type"],
    )
    micros: Counter[str] = Counter()
    for job_type, value in figures.sums.get(tallies.COST_MICROS, {}).items():
        micros[_known_type(job_type, known)] += value  # type: ignore[assignment]
    for job_type in sorted(micros):
        cost.add_metric([job_type], micros[job_type] / MICROS)
    yield cost


def _gauges(figures: MetricFigures) -> Iterator[Metric]:
    by_status = GaugeMetricFamily(
        "agent_jobs_by_status", "Jobs that are in a status now.", labels=["status"]
    )
    for status in JobStatus:
        by_status.add_metric([status.value], figures.jobs_by_status.get(status.value, 0))
    yield by_status
    yield GaugeMetricFamily(
        "agent_checkpoints_pending",
        "Checkpoints that wait for a decision now.",
        value=figures.checkpoints_pending,
    )
    yield GaugeMetricFamily(
        "agent_notifications_pending",
        "Notifications that wait to be sent, or sent again, now.",
        value=figures.notifications_pending,
    )
    yield GaugeMetricFamily(
        "agent_jobs_oldest_due_seconds",
        "Seconds the job that waits longest could have been claimed by now; 0 when none waits.",
        value=figures.oldest_due,
    )
    yield GaugeMetricFamily(
        "agent_workers_running",
        "Workers that take jobs, all processes together, heard of within the last minute.",
        value=figures.running_workers,
    )
    yield GaugeMetricFamily(
        "agent_worker_active_jobs",
        "Jobs that workers are running now, all processes together.",
        value=figures.active_jobs,
    )


def _held(figures: MetricFigures, known: frozenset[str]) -> Metric:
    family = GaugeMetricFamily(
        "agent_jobs_held",
        "Due jobs that a limit or a pause of their type holds back now.",
        labels=["job_type"],
    )
    by_type = Counter(dict.fromkeys(known, 0))
    for job_type, count in figures.held.items():
        by_type[_known_type(job_type, known)] += count
    for job_type in sorted(by_type):
        family.add_metric([job_type], by_type[job_type])
    return family


def _breakers(figures: MetricFigures, hosts: Collection[str]) -> Metric:
    family = GaugeMetricFamily(
        "agent_http_breaker_state",
        "Circuit breakers of called hosts, worst of all workers: 0 closed, 1 half-open, 2 open.",
        labels=["host"],
    )
    for host in sorted({*hosts, *figures.breakers}):
        state = figures.breakers.get(host, BreakerState.CLOSED)
        family.add_metric([host], list(BreakerState).index(state))
    return family


def _job_seconds(figures: MetricFigures, known: frozenset[str]) -> Metric:
    family = HistogramMetricFamily(
        tallies.JOB_SECONDS,
        "Seconds from the start of a job to its end.",
        labels=["status", "job_type"],
    )
    series: dict[tuple[str, ...], Series] = {}
    for labels, value in figures.sums.get(f"{tallies.JOB_SECONDS}_bucket", {}).items():
        rest, bound = labels.rsplit("|", 1)
        series.setdefault(_job_labels(rest, known), Series()).add_bucket(bound, value)
    for labels, value in figures.sums.get(f"{tallies.JOB_SECONDS}_sum", {}).items():
        series.setdefault(_job_labels(labels, known), Series()).total += value
    for key in sorted(series):
        found = series[key]
        family.add_metric(key, found.cumulative(tallies.JOB_BUCKETS), found.total)
    return family


def _job_labels(joined: str, known: frozenset[str]) -> tuple[str, str]:
    status, job_type = joined.split("|", 1)
    return status, _known_type(job_type, known)


def _known_type(job_type: str, known: frozenset[str]) -> str:
    return job_type if not known or job_type in known else OTHER


def _wait_seconds(figures: MetricFigures) -> Metric:
    series = Series()
    for bound, value in figures.sums.get(f"{tallies.WAIT_SECONDS}_bucket", {}).items():
        series.add_bucket(bound, value)
    series.total = figures.sums.get(f"{tallies.WAIT_SECONDS}_sum", {}).get("", 0.0)
    return HistogramMetricFamily(
        tallies.WAIT_SECONDS,
        "Seconds a checkpoint waited until it was decided, expired or was canceled.",
        buckets=series.cumulative(tallies.WAIT_BUCKETS),
        sum_value=series.total,
    )
