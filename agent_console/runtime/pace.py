"""How long runs of each type take lately: whether it pays to claim ahead."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from statistics import median

SHORT = 0.05  # seconds; below it a claim costs more than a run waits
SAMPLES = 16
ENOUGH = 5  # runs before a median is believed
AHEAD = 9  # jobs claimed ahead per slot


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

    def all_short(self, job_types: Iterable[str]) -> bool:
        """Say whether runs of every one of these types are known to be short."""
        return all(self._is_short(job_type) for job_type in job_types)

    def _is_short(self, job_type: str) -> bool:
        recent = self._recent.get(job_type)
        return recent is not None and len(recent) >= ENOUGH and median(tuple(recent)) < SHORT
