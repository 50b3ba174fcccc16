"""What models cost a job, and the limits a job may have. Money is whole millionths of a dollar."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_UP, Decimal
from typing import Final

from agent_console.domain.errors import Invalid
from agent_console.domain.jobs import Json

MICROS: Final = 1_000_000  # per US dollar
MAX_MODEL = 200  # characters of a model's name
_MAX = 2**53  # beyond this a figure is a mistake


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens and cost of one call of a model, or the sum of several."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost_micros: int = 0

    @property
    def tokens(self) -> int:
        """Tokens in both directions."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: Usage) -> Usage:
        """Return the sum."""
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cost_micros + other.cost_micros,
        )

    @classmethod
    def of(cls, input_tokens: int, output_tokens: int, cost_usd: float | Decimal) -> Usage:
        """Return the usage; a fraction of a millionth of a dollar counts as one.

        Raises:
            Invalid: a figure is negative or no number.
        """
        for field, value in (("input_tokens", input_tokens), ("output_tokens", output_tokens)):
            if not 0 <= value < _MAX:
                raise Invalid.field(field, "must be a number of tokens, 0 or more")
        if not math.isfinite(cost_usd) or not 0 <= cost_usd * MICROS < _MAX:
            raise Invalid.field("cost_usd", "must be an amount of US dollars, 0 or more")
        exact = Decimal(str(cost_usd)) * MICROS
        return cls(int(input_tokens), int(output_tokens), int(exact.to_integral_value(ROUND_UP)))


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelUsage:
    """What a job used of one model, in ``calls`` calls."""

    model: str
    calls: int
    used: Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class JobUsage:
    """What a job used of all models; ``models`` by cost, dearest first."""

    calls: int = 0
    total: Usage = Usage()
    models: Sequence[ModelUsage] = ()


@dataclass(frozen=True, slots=True)
class Budget:
    """The most a job may use before it has to ask; None: no limit."""

    cost_micros: int | None = None
    tokens: int | None = None

    def exceeded(self, used: Usage) -> bool:
        """Say whether ``used`` is beyond a limit."""
        return _above(used.cost_micros, self.cost_micros) or _above(used.tokens, self.tokens)

    def extended(self, used: Usage, by: Budget) -> Budget:
        """Return the limits that leave ``by`` beyond these, or beyond what is used already."""
        return Budget(
            _next(self.cost_micros, used.cost_micros, by.cost_micros),
            _next(self.tokens, used.tokens, by.tokens),
        )


def budget_of(configuration: Json) -> Budget:
    """Return the limits in a task configuration: ``budgetUsd`` and ``maxTokens``, both optional.

    Raises:
        Invalid: one of them is not a number above 0.
    """
    if not isinstance(configuration, dict):
        return Budget()
    usd, tokens = configuration.get("budgetUsd"), configuration.get("maxTokens")
    if usd is not None and not _is_amount(usd):
        raise Invalid.field("taskConfiguration.budgetUsd", "must be US dollars, above 0")
    if tokens is not None and not (_is_amount(tokens) and tokens == int(tokens)):  # type: ignore[arg-type]
        raise Invalid.field("taskConfiguration.maxTokens", "must be a whole number above 0")
    return Budget(
        None if usd is None else Usage.of(0, 0, usd).cost_micros,  # type: ignore[arg-type]
        None if tokens is None else int(tokens),
    )


def usd(micros: int | None) -> float | None:
    """Return an amount in US dollars."""
    return None if micros is None else micros / MICROS


def _is_amount(value: object) -> bool:
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return plain and math.isfinite(value) and 0 < value < _MAX / MICROS  # type: ignore[arg-type,operator]


def _above(used: int, limit: int | None) -> bool:
    return limit is not None and used > limit


def _next(limit: int | None, used: int, by: int | None) -> int | None:
    return None if limit is None else max(limit, used) + (by or 0)
