from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_console.domain.figures import quantile

BOUNDS = ("0.1", "1.0", "10.0", "+Inf")


def test_a_quantile_lies_within_its_bucket() -> None:
    buckets = {"0.1": 50.0, "1.0": 40.0, "10.0": 10.0, "+Inf": 0.0}
    assert quantile(buckets, 0.5) == pytest.approx(0.1)
    assert quantile(buckets, 0.9) == pytest.approx(1.0)
    assert quantile(buckets, 0.95) == pytest.approx(5.5)


def test_beyond_the_last_bound_only_the_bound_is_known() -> None:
    assert quantile({"1.0": 1.0, "+Inf": 9.0}, 0.95) == 1.0


def test_nothing_has_no_quantile() -> None:
    assert quantile({}, 0.5) is None
    assert quantile(dict.fromkeys(BOUNDS, 0.0), 0.5) is None


@given(
    st.lists(st.integers(0, 1000), min_size=4, max_size=4).filter(any),
    st.floats(0.01, 1.0),
    st.floats(0.01, 1.0),
)
def test_quantiles_grow(counts: list[int], one: float, other: float) -> None:
    buckets = dict(zip(BOUNDS, map(float, counts), strict=True))
    low, high = quantile(buckets, min(one, other)), quantile(buckets, max(one, other))
    assert low is not None
    assert high is not None
    assert 0 <= low <= high <= 10.0
