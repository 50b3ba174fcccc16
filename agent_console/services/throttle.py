"""Waiting times after failed sign-ins, for what has no row to remember them in."""

from __future__ import annotations

import threading
from collections import OrderedDict

from agent_console.domain.clock import Clock

FREE_TRIES = 5
MAX_DELAY = 300.0  # seconds
FORGET = 3600.0  # seconds without a failure, after which a name starts afresh
_CAPACITY = 10_000  # names remembered; the longest unused go first


def delay_after(failures: int, free: int = FREE_TRIES) -> float:
    """Return the seconds to wait after the given number of failures in a row.

    It doubles with each failure up to ``MAX_DELAY``: an account is slowed down, never locked,
    or anybody could lock out anybody.
    """
    if failures < free:
        return 0.0
    return min(MAX_DELAY, 2.0 ** min(failures - free, 30))


class Throttle:
    """Counts failures per name (an address, an unknown account) in this process."""

    def __init__(self, clock: Clock, *, free: int = FREE_TRIES) -> None:
        """``free``: failures before the first wait."""
        self._clock = clock
        self._free = free
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, name: str) -> float:
        """Return the seconds until ``name`` may try again; 0 is now."""
        with self._lock:
            _, until = self._failures.get(name, (0, 0.0))
        return max(0.0, until - self._clock.monotonic())

    def failed(self, name: str) -> float:
        """Count a failure; return the seconds to wait now."""
        with self._lock:
            now = self._clock.monotonic()
            before, until = self._failures.pop(name, (0, now))
            count = 1 if now - until > FORGET else before + 1
            delay = delay_after(count, self._free)
            self._failures[name] = (count, now + delay)
            while len(self._failures) > _CAPACITY:
                self._failures.popitem(last=False)
        return delay

    def forget(self, name: str) -> None:
        """Start ``name`` afresh: it succeeded."""
        with self._lock:
            self._failures.pop(name, None)
