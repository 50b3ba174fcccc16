"""The product's sources, parsed once."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "agent_console"

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def modules() -> dict[str, ast.Module]:
    """Return the syntax trees of the package by path relative to the checkout."""
    return {
        str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(PACKAGE.rglob("*.py"))
    }


@cache
def lengths() -> dict[str, int]:
    """Return the number of lines of each module."""
    return {name: len((ROOT / name).read_text("utf-8").splitlines()) for name in modules()}


def functions() -> Iterator[tuple[str, Function]]:
    """Yield every function with the name of its module."""
    for name, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, Function):
                yield name, node


def length(node: Function) -> int:
    """Return a function's lines, without decorators."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Yield every call with ``module:line``."""
    for name, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                yield f"{name}:{node.lineno}", node


def percentile(values: list[int], share: float) -> int:
    """Return the value below which ``share`` (0 to 1) of ``values`` lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
