"""Retry policies: delays are bounded, jittered and repeatable; some errors are final."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_console.domain.errors import Misconfigured
from agent_console.domain.retry import RetryPolicy


@given(
    attempt=st.integers(1, 10**9),
    base=st.floats(0, 100),
    factor=st.floats(1, 1000),
    seed=st.integers(),
)
def test_a_delay_is_never_below_half_the_base_nor_above_the_cap(
    attempt: int, base: float, factor: float, seed: int
) -> None:
    policy = RetryPolicy(base=base, cap=base * factor)
    delay = policy.delay(attempt, random.Random(seed)).total_seconds()
    assert base / 2 - 1e-6 <= delay <= policy.cap + 1e-6


def test_the_ceiling_doubles_until_it_meets_the_cap() -> None:
    policy = RetryPolicy(base=1, cap=10)

    class Highest(random.Random):
        def uniform(self, a: float, b: float) -> float:
            assert a == 0.5
            return b

    ceilings = [policy.delay(n, Highest()).total_seconds() for n in range(1, 7)]
    assert ceilings == [1, 2, 4, 8, 10, 10]


def test_delays_are_spread_and_repeatable() -> None:
    policy = RetryPolicy()
    spread = {policy.delay(5, random.Random(seed)) for seed in range(50)}
    assert len(spread) == 50
    assert policy.delay(5, random.Random(1)) == policy.delay(5, random.Random(1))


def test_no_pause_is_possible() -> None:
    assert RetryPolicy(base=0, cap=0).delay(3, random.Random(0)) == timedelta(0)


@pytest.mark.parametrize(
    ("attempt", "error", "again"),
    [
        (1, OSError(), True),
        (2, OSError(), True),
        (3, OSError(), False),
        (1, KeyError(), False),
        (1, LookupError(), True),
    ],
)
def test_another_attempt_follows_unless_used_up_or_final(
    attempt: int, error: Exception, again: bool
) -> None:
    assert RetryPolicy(never=(KeyError,)).may_retry(attempt, 3, error) is again


@pytest.mark.parametrize(
    "fields",
    [{"max_attempts": 0}, {"base": -1.0}, {"base": 2.0, "cap": 1.0}, {"never": [KeyError]}],
    ids=str,
)
def test_a_policy_that_cannot_work_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(Misconfigured):
        RetryPolicy(**fields)
