"""JSON bodies, read without mercy: one meaning, bounded depth, exact integers."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from agent_console.api.problems import MalformedJson
from agent_console.domain.errors import Invalid
from agent_console.domain.payload import MAX_DEPTH, check_json

# Strings first, then brackets, so that brackets inside strings do not count. The possessive
# quantifier and the optional end quote make every string match at once: no backtracking.
_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*+"?|([\[{])|([\]}])', re.DOTALL)


def parse(body: bytes) -> Any:
    """Return the value of ``body``.

    Raises:
        MalformedJson: not UTF-8, or not JSON.
        Invalid: JSON that two readers may understand differently, or that a database would
            refuse: NaN, Infinity, repeated keys, NUL, lone surrogates, nesting beyond
            ``MAX_DEPTH``, integers too long to read.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedJson("The body is not valid UTF-8.") from None
    _check_depth(text)
    try:
        value = json.loads(
            text, parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=_unique
        )
    except json.JSONDecodeError as error:
        raise MalformedJson(
            f"The body is not valid JSON: {error.msg} at line {error.lineno} column {error.colno}.",
            line=error.lineno,
            column=error.colno,
        ) from None
    except ValueError:  # int() refuses thousands of digits
        raise Invalid("The body holds an integer that is too long.") from None
    # The byte limit was enforced on the wire; the estimate here must not be the stricter one.
    check_json(value, "", limit=64 + 16 * len(body))
    return value


def _check_depth(text: str) -> None:
    """Refuse deep nesting before the recursive parser meets it."""
    depth = 0
    for match in _TOKENS.finditer(text):
        if match.group(1):
            depth += 1
            if depth > MAX_DEPTH:
                raise Invalid(f"The body is nested deeper than {MAX_DEPTH} levels.")
        elif match.group(2):
            depth -= 1


def _refuse_constant(name: str) -> float:
    raise Invalid(f"{name} is not a JSON number.")


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise Invalid(f"The number {text[:40]} is out of range.")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                shown = key[:80].encode("ascii", "backslashreplace").decode()
                raise Invalid.field(shown, "This key appears more than once in one object.")
            seen.add(key)
    return value
