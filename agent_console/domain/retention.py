"""How long finished jobs and the journal are kept, and how that is written in settings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from agent_console.domain.jobs import FINISHED, JobStatus

DELETED = "retention.deleted"  # the event that takes jobs out of the counts
OPEN_DELETED = "openCheckpoints"  # and, by this fact of it, questions that nobody answered
PRUNED = "audit.pruned"
KEY_OUTLIVES = 86_400  # seconds that an idempotency key stays after its job was deleted
SHORTEST = 60  # seconds: less would take a job away from whoever waits for its end
_AGE = re.compile(r"([0-9]{1,9})([smhdw])")
_UNITS: Mapping[str, int] = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
FOREVER = frozenset({"", "0", "off"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """Bounds of one kind of thing; None: no such bound. ``seconds`` is an age, ``count`` a number.

    What is beyond either bound goes.
    """

    seconds: int | None = None
    count: int | None = None

    @property
    def forever(self) -> bool:
        """Whether nothing ever goes."""
        return self.seconds is None and self.count is None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionPolicy:
    """What is kept of finished jobs, by their status, and of the journal."""

    jobs: Mapping[JobStatus, Keep]
    journal: Keep

    def __post_init__(self) -> None:
        """Refuse to speak of jobs that are not finished: those are never deleted."""
        assert set(self.jobs) <= FINISHED  # noqa: S101 - a mistake of ours, never of a setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What one batch deleted: jobs by status, and all ``rows`` that belonged to them."""

    jobs: Mapping[JobStatus, int]
    rows: int

    @property
    def total(self) -> int:
        """The number of jobs."""
        return sum(self.jobs.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What one batch took out of the journal; ``kept`` rows of its seals are of living jobs."""

    rows: int
    kept: int
    seals: int
    last_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What would go now, counted up to a bound: ``more`` says that there is more than that.

    ``journal_rows`` includes rows of jobs that are not finished, which stay when it comes to it.
    """

    jobs: Mapping[JobStatus, int]
    journal_rows: int
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LastRun:
    """The newest batch that the journal tells of."""

    at: datetime
    by: str
    jobs: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionReport:
    """The policy, what would go now, and when something went last."""

    policy: RetentionPolicy
    due: Due
    last: LastRun | None


def parse_age(text: str) -> int | None:
    """Return the seconds of ``30d``, ``12h``, ``4w``; None for ``off`` and ``0``: keep for ever.

    Raises:
        ValueError: it is neither.
    """
    word = text.strip().lower()
    if word in FOREVER:
        return None
    match = _AGE.fullmatch(word)
    if match is None:
        raise ValueError("use a number with s, m, h, d or w, such as 30d, or off")
    seconds = int(match[1]) * _UNITS[match[2]]
    if not SHORTEST <= seconds <= 100 * 366 * 86_400:
        raise ValueError("use at least 1m and at most 100 years, or off")
    return seconds


def age_words(seconds: int | None) -> str:
    """Return how a person says the age: ``90 days``, ``12 hours``, ``for ever``."""
    if seconds is None:
        return "for ever"
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds % length == 0 and seconds >= length:
            count = seconds // length
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{seconds} seconds"
