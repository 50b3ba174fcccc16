"""Rows as one relation of a statement, on PostgreSQL: few parameters, however many rows.

Quoting and parsing every value of a long ``VALUES`` list was dearer than what the statement did.
Here a column whose value is the same in all rows is written once, any other is one array, in the
text form that costs driver and server least.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

# Of a text array; texts that hold one of them (none of ours does) go as an array of literals.
_SEPARATOR, _NULL = "\x1f", "\x1e"
# Each before what it is also an instance of.
_KINDS = ((str, "text"), (bool, "boolean"), (int, "bigint"), (float, "double precision"))
_SPLIT = f"string_to_array(%s, '{_SEPARATOR}', '{_NULL}')"


def relation(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> tuple[str, list[object]]:
    """Return a ``SELECT`` of ``rows`` in their order, as ``columns``, and its parameters.

    Texts are ``text``, whole numbers ``bigint``, other numbers ``double precision``; a column of
    nothing but ``None`` is an untyped NULL. Types are written, not left to the values: the text is
    the same for all rows of a form, and a plan of it can be kept.
    """
    shown, names, arrays = [], [], []
    constants: list[object] = []
    varying: list[object] = []
    for name, values in zip(columns, zip(*rows, strict=True), strict=True):
        if values.count(values[0]) == len(values):
            shown.append(f"{_constant(values[0])} AS {name}")
            if values[0] is not None:
                constants.append(values[0])
        else:
            shown.append(f"u.{name}")
            form, value = _array(values)
            names.append(name)
            arrays.append(form)
            varying.append(value)
    if names:
        source = f" FROM unnest({', '.join(arrays)}) AS u({', '.join(names)})"
    else:
        source = f" FROM generate_series(1, {len(rows)})" if len(rows) > 1 else ""
    return f"SELECT {', '.join(shown)}{source}", [*constants, *varying]


def _constant(value: Any) -> str:
    """Return how a value that all rows share is written."""
    if value is None:
        return "NULL"
    return f"%s::{next(kind for python, kind in _KINDS if isinstance(value, python))}"


def _array(values: tuple[Any, ...]) -> tuple[str, object]:
    """Return how the array of ``values`` is written, and its parameter."""
    first = next(value for value in values if value is not None)
    if isinstance(first, str):
        text = _SEPARATOR.join(_NULL if value is None else value for value in values)
        nulls = values.count(None)
        if text.count(_SEPARATOR) == len(values) - 1 and text.count(_NULL) == nulls:
            return _SPLIT, text
        return "%s::text[]", list(values)
    kind = "bigint" if all(isinstance(v, int | None) for v in values) else "double precision"
    return f"%s::{kind}[]", "{" + ",".join("NULL" if v is None else repr(v) for v in values) + "}"
