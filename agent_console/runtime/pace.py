"""How long runs of each type take lately: whether it pays to claim ahead."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from statistics import median

SHORT = 0.05  # seconds; below it a claim costs more than a run waits
SAMPLES = 16
ENOUGH = 5  # runs before a median is believed
STOCK = 0.45  # seconds of work that may wait claimed: well below the time after which it goes back
AHEAD = 50  # jobs claimed ahead per slot, at most


class Pace:
    """Recent durations by job type. Appending is atomic, so handler threads need no lock."""

    def __init__(self) -> None:
        """Know nothing: no type is short before it has shown it."""
        self._recent: dict[str, deque[float]] = {}

    def note(self, job_type: str, seconds: float) -> None:
        """Remember a run of ``job_type``."""
        recent = self._recent.get(job_type)
        if recent is None:
            recent = self._recent.setdefault(job_type, deque(maxlen=SAMPLES))
        recent.append(seconds)

    def distrust(self, job_types: Iterable[str]) -> None:
        """Forget what is known of types that turned out to keep others waiting."""
        for job_type in job_types:
            self._recent.pop(job_type, None)

    def ahead(self, job_types: Iterable[str]) -> int:
        """Return how many jobs per slot are worth claiming ahead, were they of these types.

        None unless runs of every type are known to be short.
        """
        longest = max(map(self._usual, job_types), default=SHORT)
        return min(AHEAD, int(STOCK / max(longest, STOCK / AHEAD))) if longest < SHORT else 0

    def _usual(self, job_type: str) -> float:
        """Return the median of the last runs of ``job_type``, ``SHORT`` when too few are known."""
        recent = tuple(self._recent.get(job_type, ()))
        return median(recent) if len(recent) >= ENOUGH else SHORT
