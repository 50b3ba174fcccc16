"""When a failed attempt is tried again: capped exponential backoff with full jitter."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta

from agent_console.domain.errors import Misconfigured
from agent_console.domain.jobs import DEFAULT_MAX_ATTEMPTS


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often, and after how long, a handler is tried again.

    ``base`` and ``cap`` are seconds. The delay before attempt n+1 is drawn uniformly from
    ``[base/2, min(cap, base * 2**(n-1))]`` ("full jitter" with a floor; AWS Architecture Blog,
    "Exponential Backoff And Jitter"). Errors in ``never`` fail the job at once.
    """

    max_attempts: int = DEFAULT_MAX_ATTEMPTS
    base: float = 1.0
    cap: float = 300.0
    never: tuple[type[BaseException], ...] = ()

    def __post_init__(self) -> None:
        """Refuse a policy that cannot work."""
        if self.max_attempts < 1 or self.base < 0 or self.cap < self.base:
            raise Misconfigured("RetryPolicy needs max_attempts >= 1 and 0 <= base <= cap.")
        if not _are_errors(self.never):
            raise Misconfigured("RetryPolicy needs never to be a tuple of exception classes.")

    def delay(self, attempt: int, rng: random.Random) -> timedelta:
        """Return the wait after failed ``attempt`` (1 is the first)."""
        # 2**40 seconds is beyond any cap; without the bound a huge attempt overflows a float.
        ceiling = min(self.cap, self.base * 2 ** min(attempt - 1, 40))
        floor = min(self.base / 2, ceiling)
        return timedelta(seconds=rng.uniform(floor, ceiling))

    def may_retry(self, attempt: int, max_attempts: int, error: BaseException) -> bool:
        """Say whether another attempt follows failed ``attempt``."""
        return attempt < max_attempts and not isinstance(error, self.never)


def _are_errors(kinds: object) -> bool:
    return isinstance(kinds, tuple) and all(
        isinstance(kind, type) and issubclass(kind, BaseException) for kind in kinds
    )
