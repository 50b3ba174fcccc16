"""A clock that stands still until it is told to move."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

DEFAULT_START = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


class FakeClock:
    """Implements ``domain.clock.Clock``; safe to advance from any thread."""

    def __init__(self, start: datetime = DEFAULT_START) -> None:
        """Begin at ``start``, an aware datetime."""
        self._lock = threading.Lock()
        self._now = start
        self._monotonic = 0.0

    def now(self) -> datetime:
        """Return the current instant, aware, in UTC."""
        with self._lock:
            return self._now

    def monotonic(self) -> float:
        """Return the seconds advanced so far, setbacks of the wall clock left out."""
        with self._lock:
            return self._monotonic

    def advance(self, step: timedelta | float) -> datetime:
        """Move forward by ``step`` (seconds when a number) and return the new instant."""
        delta = step if isinstance(step, timedelta) else timedelta(seconds=step)
        if delta < timedelta(0):
            raise ValueError("advance() goes forward only; use set() for a wall clock that jumps.")
        with self._lock:
            self._now += delta
            self._monotonic += delta.total_seconds()
            return self._now

    def set(self, instant: datetime) -> None:
        """Let the wall clock jump to ``instant``; monotonic time stays."""
        with self._lock:
            self._now = instant
