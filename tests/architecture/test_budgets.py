"""Modules and functions stay small enough to be read at once."""

from __future__ import annotations

import ast
from statistics import median

from tests.architecture.sources import functions, length, lengths, modules, percentile

MODULE_MEDIAN, MODULE_CAP = 150, 500
FUNCTION_P90, FUNCTION_CAP = 30, 60


def test_no_module_is_longer_than_the_cap() -> None:
    assert {name: n for name, n in lengths().items() if n > MODULE_CAP} == {}


def test_the_median_module_is_short() -> None:
    assert median(lengths().values()) <= MODULE_MEDIAN


def test_no_function_is_longer_than_the_cap() -> None:
    long = {f"{m}:{f.name}": length(f) for m, f in functions() if length(f) > FUNCTION_CAP}
    assert long == {}


def test_nine_functions_in_ten_are_short() -> None:
    assert percentile([length(f) for _, f in functions()], 0.9) <= FUNCTION_P90


def is_public(name: str) -> bool:
    return not name.startswith("_")


def undocumented(tree: ast.Module) -> list[str]:
    """Return what a reader may use and finds no word about."""
    found = [] if ast.get_docstring(tree) else ["(module)"]
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if is_public(node.name) and not ast.get_docstring(node):
                found.append(node.name)
            if isinstance(node, ast.ClassDef) and is_public(node.name):
                found += [
                    f"{node.name}.{part.name}"
                    for part in node.body
                    if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)
                    and is_public(part.name)
                    and not ast.get_docstring(part)
                    and not any(ast.unparse(one) == "overload" for one in part.decorator_list)
                ]
    return found


def test_everything_public_says_what_it_is() -> None:
    missing = {name: gaps for name, tree in modules().items() if (gaps := undocumented(tree))}
    assert missing == {}
