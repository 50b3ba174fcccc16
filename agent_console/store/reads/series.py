"""Sums by slot of time, read for charts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from agent_console.store.tally_slots import charted, micros
from agent_console.store.transactions import Params, Queries

READ: Final = """
SELECT slot, name, labels, value FROM tally_slots WHERE width = :width AND slot >= :first
"""
# What commits have left, and no sweep has added to the slots yet.
READ_NEW: Final = """
SELECT at / :micros, name, labels, sum(value) FROM tally_deltas WHERE at >= :since
GROUP BY 1, 2, 3
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Sums by ``(name, labels)`` and number of the slot, 0 being the oldest of ``count``.

    ``start`` is the beginning of slot 0 (µs), ``width`` a slot's length in seconds.
    """

    start: int
    width: int
    count: int
    sums: Mapping[tuple[str, str], Mapping[int, float]]

    def total(self, name: str, labels: str = "") -> float:
        """Return the sum over all slots."""
        return sum(self.sums.get((name, labels), {}).values())

    def values(self, name: str, labels: str = "") -> list[float]:
        """Return the sum of each slot, 0 where nothing happened."""
        found = self.sums.get((name, labels), {})
        return [found.get(number, 0.0) for number in range(self.count)]

    def buckets(self, name: str, labels: str = "") -> dict[str, list[float]]:
        """Return the counts of a histogram by upper bound, each slot by slot.

        ``labels`` are those before the bound.
        """
        prefix = f"{labels}|" if labels else ""
        return {
            found.removeprefix(prefix): self.values(name, found)
            for kind, found in self.sums
            if kind == name and found.startswith(prefix)
        }


def read(reader: Queries, *, width: int, count: int) -> Series:
    """Return the last ``count`` slots of ``width`` seconds, the one of this moment included."""
    first = reader.now() // micros(width) - count + 1
    sums: dict[tuple[str, str], dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for slot, name, labels, value in reader.rows(READ, {"width": width, "first": first}):
        sums[name, labels][slot - first] += value
    new: Params = {"micros": micros(width), "since": first * micros(width)}
    for slot, name, labels, value in reader.rows(READ_NEW, new):
        if (kept := charted(name, labels)) is not None:
            sums[name, kept][slot - first] += value
    return Series(start=first * micros(width), width=width, count=count, sums=sums)
