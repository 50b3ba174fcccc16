"""How much somebody may do in a while, remembered by this process."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque

from agent_console.domain.clock import Clock
from agent_console.domain.errors import RateLimited

_CAPACITY = 10_000  # names remembered; the longest unused go first


class Allowance:
    """Lets each name do ``limit`` things within ``seconds``."""

    def __init__(self, clock: Clock, limit: int, seconds: float) -> None:
        """``clock`` measures the time that has passed."""
        self._clock = clock
        self._limit = limit
        self._seconds = seconds
        self._done: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, name: str) -> None:
        """Count one for ``name``.

        Raises:
            RateLimited: it was as many as allowed; ``retryAfter`` says when there is more (s).
        """
        now = self._clock.monotonic()
        with self._lock:
            done = self._done.setdefault(name, deque())
            self._done.move_to_end(name)
            while done and now - done[0] >= self._seconds:
                done.popleft()
            if len(done) >= self._limit:
                wait = max(1, round(self._seconds - (now - done[0])))
                raise RateLimited(f"Too many messages; go on in {wait} s.", retryAfter=wait)
            done.append(now)
            while len(self._done) > _CAPACITY:
                self._done.popitem(last=False)
