"""Figures of usage, and the limits of a task configuration."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from agent_console.domain.errors import Invalid
from agent_console.domain.usage import Budget, Usage, budget_of, usd


@pytest.mark.parametrize(
    ("cost", "micros"),
    [(0, 0), (0.0025, 2_500), (Decimal("0.0000001"), 1), (1, 1_000_000), (0.1 + 0.2, 300_001)],
)
def test_cost_is_kept_in_whole_millionths_rounded_up(cost: float | Decimal, micros: int) -> None:
    assert Usage.of(0, 0, cost).cost_micros == micros


def test_usage_adds_up() -> None:
    assert Usage(1, 2, 3) + Usage(10, 20, 30) == Usage(11, 22, 33)
    assert Usage(1, 2, 3).tokens == 3
    assert usd(1_500_000) == 1.5
    assert usd(None) is None


@pytest.mark.parametrize(
    ("configuration", "budget"),
    [
        (None, Budget()),
        ([], Budget()),
        ({}, Budget()),
        ({"topic": "x"}, Budget()),
        ({"budgetUsd": 0.5}, Budget(500_000)),
        ({"maxTokens": 1000}, Budget(None, 1000)),
        ({"budgetUsd": 2, "maxTokens": 10}, Budget(2_000_000, 10)),
    ],
)
def test_limits_of_a_configuration(configuration: Any, budget: Budget) -> None:
    assert budget_of(configuration) == budget


@pytest.mark.parametrize("value", [0, -1, True, "5", [], 1e300, float("inf")])
@pytest.mark.parametrize("name", ["budgetUsd", "maxTokens"])
def test_what_is_no_limit_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(Invalid) as refused:
        budget_of({name: value})
    assert refused.value.fields[0].field == f"taskConfiguration.{name}"


def test_tokens_are_whole() -> None:
    with pytest.raises(Invalid):
        budget_of({"maxTokens": 1.5})


def test_a_limit_is_exceeded_beyond_it_not_at_it() -> None:
    assert not Budget(10, 5).exceeded(Usage(3, 2, 10))
    assert Budget(10, 5).exceeded(Usage(3, 3, 0))
    assert Budget(10, 5).exceeded(Usage(0, 0, 11))
    assert not Budget().exceeded(Usage(10**9, 10**9, 10**9))


def test_an_extension_leaves_as_much_again() -> None:
    assert Budget(10).extended(Usage(0, 0, 12), Budget(10)) == Budget(22)
    assert Budget(10).extended(Usage(0, 0, 4), Budget(10)) == Budget(20)
