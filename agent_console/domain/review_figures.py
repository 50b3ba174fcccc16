"""How reviewing goes: how long its stages take, how it ends, how old what waits is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from agent_console.domain.figures import quantile

BOUNDS: Final = (
    0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 86_400.0, 604_800.0,
)  # fmt: skip
INF: Final = "+Inf"
AGES: Final = (300, 3_600, 14_400, 86_400)  # seconds; what is older comes last


class Stage(StrEnum):
    """A stretch of a review: asked to first seen, seen to decided, approved to gone on."""

    SEEN = "seen"
    DECIDED = "decided"
    RESUMED = "resumed"


class Outcome(StrEnum):
    """How a review ended; ``SELF`` is no end of its own: somebody decided on their own job."""

    APPROVED = "approved"
    EDITED = "edited"
    CHANGES_REQUESTED = "changes_requested"
    REJECTED = "rejected"
    EXPIRED = "expired"
    POLICY = "policy"
    SELF = "self"


ENDS: Final = tuple(outcome for outcome in Outcome if outcome is not Outcome.SELF)
BY_PEOPLE: Final = (
    Outcome.APPROVED,
    Outcome.EDITED,
    Outcome.CHANGES_REQUESTED,
    Outcome.REJECTED,
)


def bound_of(seconds: float) -> str:
    """Return the upper bound of the bucket that ``seconds`` fall into."""
    return next((str(bound) for bound in BOUNDS if seconds <= bound), INF)


@dataclass(slots=True)
class Times:
    """A histogram of seconds: how many fell into each bucket, by upper bound, and their sum."""

    buckets: dict[str, int] = field(default_factory=dict)
    total: float = 0.0

    @property
    def count(self) -> int:
        """How many there are."""
        return sum(self.buckets.values())

    @property
    def mean(self) -> float | None:
        """The arithmetic mean; None without any."""
        return self.total / self.count if self.buckets else None

    def quantile(self, q: float) -> float | None:
        """Return the ``q`` quantile, interpolated within its bucket; None without any."""
        # Empty buckets as well: within which bounds a value lies is told by the one before.
        return quantile({b: float(self.buckets.get(b, 0)) for b in (*map(str, BOUNDS), INF)}, q)


@dataclass(slots=True)
class Reviews:
    """What happened to some reviews."""

    times: dict[Stage, Times] = field(default_factory=lambda: {stage: Times() for stage in Stage})
    outcomes: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(Outcome, 0))

    def add(self, measure: str, count: int, seconds: float) -> None:
        """Count what is stored as ``measure``: an outcome, or a stage and the bound of a bucket."""
        name, _, bound = measure.partition("|")
        if not bound:
            self.outcomes[Outcome(name)] += count
            return
        times = self.times[Stage(name)]
        times.buckets[bound] = times.buckets.get(bound, 0) + count
        times.total += seconds

    def include(self, other: Reviews) -> None:
        """Count what happened to ``other`` ones as well."""
        for outcome, count in other.outcomes.items():
            self.outcomes[outcome] += count
        for stage, times in other.times.items():
            mine = self.times[stage]
            mine.total += times.total
            for bound, count in times.buckets.items():
                mine.buckets[bound] = mine.buckets.get(bound, 0) + count

    @property
    def by_people(self) -> int:
        """How many people decided."""
        return sum(self.outcomes[outcome] for outcome in BY_PEOPLE)

    @property
    def ended(self) -> int:
        """How many ended, by whatever way."""
        return sum(self.outcomes[outcome] for outcome in ENDS)

    def rates(self) -> dict[str, float | None]:
        """Return shares from 0 to 1, None where there is nothing to divide by.

        ``expired`` of what waited for people; ``edited`` of what they approved; ``changes`` and
        ``self`` of what they decided; ``policy`` of all that ended.
        """
        n, people = self.outcomes, self.by_people
        approved = n[Outcome.APPROVED] + n[Outcome.EDITED]
        return {
            "expired": _share(n[Outcome.EXPIRED], people + n[Outcome.EXPIRED]),
            "edited": _share(n[Outcome.EDITED], approved),
            "changes": _share(n[Outcome.CHANGES_REQUESTED], people),
            "self": _share(n[Outcome.SELF], people),
            "policy": _share(n[Outcome.POLICY], self.ended),
        }


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Age:
    """How many wait for at most ``up_to`` seconds, and longer than the age before; None: longer."""

    up_to: int | None
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewPoint:
    """What ended in one slot of time."""

    at: datetime
    reviews: Reviews


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewFigures:
    """Figures of what ended from ``since`` to ``until``, whole slots of ``width`` seconds.

    ``pending`` is of this moment. Points are oldest first; slots without any are left in.
    """

    since: datetime
    until: datetime
    width: int
    job_type: str | None
    total: Reviews
    by_job_type: Mapping[str, Reviews]
    by_risk: Mapping[str, Reviews]
    pending: Sequence[Age]
    points: Sequence[ReviewPoint]
