"""What a run has used of models so far, against what its job may use before it asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, Field

from agent_console.domain.jobs import Json
from agent_console.domain.usage import Budget, Usage, budget_of, usd

RAISE = "raise-budget"  # the action of the checkpoint


class BudgetRaise(BaseModel):
    """The new limits, counted from the job's beginning; what is left out is not limited."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    budget_usd: float | None = Field(
        default=None, alias="budgetUsd", gt=0, description="US dollars"
    )
    max_tokens: int | None = Field(default=None, alias="maxTokens", gt=0)


class Ledger:
    """Adds up usage in the order of the record, so that every run asks at the same call.

    What a retry cut off the record was spent all the same. It counts from the first call that is
    recorded after the retry, and is part of that call's record: earlier ones stay as they were.
    """

    __slots__ = ("_allowance", "_carried", "_limit", "_used")

    def __init__(self, configuration: Json) -> None:
        """Take the limits from a task configuration.

        Raises:
            Invalid: a limit in it is not a number above 0.
        """
        self._allowance = self._limit = budget_of(configuration)
        self._used = self._carried = Usage()

    @property
    def over(self) -> bool:
        """Whether more was used than is allowed so far."""
        return self._limit.exceeded(self._spent)

    @property
    def _spent(self) -> Usage:
        return self._used + self._carried

    def add(self, used: Usage, carried: Usage) -> None:
        """Count what a call used; ``carried`` is what was cut off the record before it."""
        self._used += used
        self._carried = carried

    def proposal(self) -> dict[str, Json]:
        """Return the limits to ask for: as much again as the job was given."""
        return _json(self._limit.extended(self._spent, self._allowance))

    def question(self) -> str:
        """Return the sentence that asks for them."""
        limits = _words(_json(self._limit))
        used = self._spent
        spent = _words({"budgetUsd": usd(used.cost_micros), "maxTokens": used.tokens})
        return (
            f"The budget of this job is used up: {spent} used, {limits} allowed. "
            f"Go on with {_words(self.proposal())} in all?"
        )

    def extend(self, granted: Json) -> None:
        """Take the limits that were approved, or edited."""
        self._limit = budget_of(granted)


def entry(used: Usage, carried: Usage) -> dict[str, Json]:
    """Return the form in which a call's usage is part of the record."""
    return _figures(used) | ({} if carried == Usage() else {"carried": _figures(carried)})


def read_entry(recorded: Json) -> tuple[Usage, Usage]:
    """Return what was used, and what was carried, of an ``entry``."""
    figures = cast("dict[str, Any]", recorded)
    return _usage(figures), _usage(figures["carried"]) if "carried" in figures else Usage()


def _figures(used: Usage) -> dict[str, Json]:
    return {
        "inputTokens": used.input_tokens,
        "outputTokens": used.output_tokens,
        "costMicros": used.cost_micros,
    }


def _usage(figures: Mapping[str, int]) -> Usage:
    return Usage(figures["inputTokens"], figures["outputTokens"], figures["costMicros"])


def _json(limits: Budget) -> dict[str, Json]:
    both: dict[str, Json] = {"budgetUsd": usd(limits.cost_micros), "maxTokens": limits.tokens}
    return {name: value for name, value in both.items() if value is not None}


def _words(limits: dict[str, Json]) -> str:
    parts = []
    if (dollars := limits.get("budgetUsd")) is not None:
        parts.append(f"${dollars:,.2f}" if cast("float", dollars) >= 1 else f"${dollars:.6g}")
    if (tokens := limits.get("maxTokens")) is not None:
        parts.append(f"{tokens:,} tokens")
    return " and ".join(parts) or "no limit"
