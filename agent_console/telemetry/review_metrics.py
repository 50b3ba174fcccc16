"""The metrics of reviews: how long each stage takes, how reviews end, how old what waits is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from agent_console.domain.review_figures import AGES, BOUNDS
from agent_console.store import tallies
from agent_console.store.metric_reads import MetricFigures
from agent_console.telemetry.histograms import Series

OLDER: Final = "older"
_AGE_NAMES: Final = ("5m", "1h", "4h", "1d")  # of AGES
KnownType = Callable[[str], str]


def review_families(figures: MetricFigures, known: KnownType) -> Iterator[Metric]:
    """Yield the families; ``known`` returns the label that stands for a job type."""
    yield _seconds(figures, known)
    yield _outcomes(figures, known)
    yield _ages(figures)


def _seconds(figures: MetricFigures, known: KnownType) -> Metric:
    family = HistogramMetricFamily(
        tallies.REVIEW_SECONDS,
        "Seconds of a review's stages: until it was first seen, decided, and its job went on.",
        labels=["stage", "risk", "job_type"],
    )
    series: dict[tuple[str, ...], Series] = {}
    for labels, value in figures.sums.get(f"{tallies.REVIEW_SECONDS}_bucket", {}).items():
        of, bound = labels.rsplit("|", 1)
        series.setdefault(_labels(of, known), Series()).add_bucket(bound, value)
    for labels, value in figures.sums.get(f"{tallies.REVIEW_SECONDS}_sum", {}).items():
        series.setdefault(_labels(labels, known), Series()).total += value
    for key in sorted(series):
        family.add_metric(key, series[key].cumulative(BOUNDS), series[key].total)
    return family


def _outcomes(figures: MetricFigures, known: KnownType) -> Metric:
    family = CounterMetricFamily(
        "agent_reviews",
        "Reviews that ended since the first start; self: decided by who asked for the job.",
        labels=["outcome", "risk", "job_type"],
    )
    counts: Counter[tuple[str, ...]] = Counter()
    for labels, value in figures.sums.get(tallies.REVIEWS_TOTAL, {}).items():
        counts[_labels(labels, known)] += value  # type: ignore[assignment]  # a Counter of floats
    for key in sorted(counts):
        family.add_metric(key, counts[key])
    return family


def _ages(figures: MetricFigures) -> Metric:
    family = GaugeMetricFamily(
        "agent_checkpoints_pending_by_age",
        "Checkpoints that wait for a decision now, by the upper bound of their age.",
        labels=["age"],
    )
    counts = {one.up_to: one.count for one in figures.pending_ages}
    for name, up_to in zip((*_AGE_NAMES, OLDER), (*AGES, None), strict=True):
        family.add_metric([name], counts.get(up_to, 0))
    return family


def _labels(joined: str, known: KnownType) -> tuple[str, str, str]:
    first, risk, job_type = joined.split("|", 2)
    return first, risk, known(job_type)
