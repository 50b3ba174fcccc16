"""Histograms as tallies keep them, in the form that Prometheus wants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

INF: Final = "+Inf"


class Series:
    """One labelled histogram: how many observations fell into each bucket, and their sum."""

    def __init__(self) -> None:
        self.buckets: dict[str, float] = {}
        self.total = 0.0

    def add_bucket(self, bound: str, value: float) -> None:
        """Count ``value`` observations up to ``bound``."""
        self.buckets[bound] = self.buckets.get(bound, 0.0) + value

    def cumulative(self, bounds: tuple[float, ...]) -> list[tuple[str, float]]:
        """Return ``(le, observations at or below it)`` as Prometheus wants them.

        A bound of an earlier version, no longer in ``bounds``, counts from the next one up.
        """
        return list(_accumulate(self.buckets, bounds))


def _accumulate(
    buckets: Mapping[str, float], bounds: tuple[float, ...]
) -> Iterator[tuple[str, float]]:
    ordered: Final = sorted((float(bound), value) for bound, value in buckets.items())
    for bound in bounds:
        yield str(bound), sum(value for at, value in ordered if at <= bound)
    yield INF, sum(value for _, value in ordered)
