"""What PromQL expressions speak of, by a parser of the language itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import promql_parser

# What Grafana puts in before Prometheus sees the expression.
VARIABLES = {"$__rate_interval": "5m", "$job": ".*"}


@dataclass(frozen=True, slots=True)
class Selected:
    """A metric that an expression reads, and the labels it asks for."""

    name: str
    labels: frozenset[str] = field(default_factory=frozenset)


def parsed(expr: str) -> Any:
    """Return the syntax tree of ``expr``; raises ValueError when it is no PromQL."""
    for variable, value in VARIABLES.items():
        expr = expr.replace(variable, value)
    return promql_parser.parse(expr)


def selected(node: Any) -> Iterator[Selected]:
    """Yield every metric below ``node``."""
    if isinstance(node, promql_parser.VectorSelector):
        matchers = node.matchers.matchers
        yield Selected(str(node.name), frozenset(m.name for m in matchers))
    for name in ("expr", "lhs", "rhs", "vector_selector"):
        if (child := getattr(node, name, None)) is not None:
            yield from selected(child)
    for argument in getattr(node, "args", ()):
        yield from selected(argument)


def grouped(node: Any) -> Iterator[tuple[frozenset[str], frozenset[str]]]:
    """Yield the labels of every grouping, with the metrics it groups."""
    modifier = getattr(node, "modifier", None)
    if isinstance(node, promql_parser.AggregateExpr) and modifier is not None:
        yield frozenset(modifier.labels), frozenset(s.name for s in selected(node.expr))
    for name in ("expr", "lhs", "rhs", "vector_selector"):
        if (child := getattr(node, name, None)) is not None:
            yield from grouped(child)
    for argument in getattr(node, "args", ()):
        yield from grouped(argument)
