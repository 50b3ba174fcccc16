"""JSON that every database accepts, one canonical text for it, and the digest decisions carry.

Canonical text is RFC 8785 (JSON Canonicalization Scheme) with one extension: integers beyond
2**53 are written in full instead of being refused, because ids of other systems are that big
and rounding them would approve something else than was shown. A float that is a whole number
is written like one, so it comes back as an integer of the same value.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from json.encoder import encode_basestring
from typing import NamedTuple

import rfc8785

from agent_console.domain.errors import Invalid, TooLarge
from agent_console.domain.jobs import Json

MAX_DEPTH = 64
MAX_BYTES = 1_048_576
_MAX_INT = 10**1000  # far beyond any id; Python itself refuses to print 4,300 digits
_NAME_SHOWN = 80  # characters of a key that an error message repeats
# Made once: making one for every text takes longer than writing a short one.
_text = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
).encode


class _Path(NamedTuple):
    """Where the walk is: a chain, so that names are put together only for an error."""

    parent: _Path | None
    part: str


def check_json(value: object, field: str, *, limit: int = MAX_BYTES) -> None:
    """Refuse what SQLite or PostgreSQL would refuse, or what is no JSON, naming the place.

    ``limit`` is in bytes of compact UTF-8, numbers estimated. The walk keeps its own stack, so
    no depth can exhaust Python's.

    Raises:
        Invalid: NUL, lone surrogate, NaN, Infinity, non-text key, depth above ``MAX_DEPTH``,
            or a type that JSON does not have; the field reads like ``inputData.files.0.content``.
        TooLarge: more than ``limit`` bytes.
    """
    size = 0
    stack: list[Iterator[tuple[_Path, object]]] = [iter([(_Path(None, field), value)])]
    while stack:
        entry = next(stack[-1], None)
        if entry is None:
            stack.pop()
            continue
        path, item = entry
        size += _leaf_size(path, item)
        if size > limit:
            what = field or "The document"
            raise TooLarge(f"{what} is larger than {limit:,} bytes.", field=field, limit=limit)
        if isinstance(item, dict | list | tuple):
            if len(stack) > MAX_DEPTH:
                raise Invalid.field(_name(path), f"nested deeper than {MAX_DEPTH} levels")
            stack.append(_children(path, item))


def canonical(value: object) -> str:
    """Return the canonical text of ``value`` (module docstring).

    Raises:
        Invalid: ``value`` is no JSON.
    """
    try:
        text = _text(value)
        plain = (text.isascii() or max(text) < "\ud800") and not _has_float(text)
        return text if plain else _write(value)
    except RecursionError:
        raise Invalid.field("", f"nested deeper than {MAX_DEPTH} levels") from None
    except (TypeError, ValueError) as error:
        raise Invalid.field("", f"not JSON: {error}") from None


def digest(text: str) -> str:
    """Return the SHA-256 of the UTF-8 of ``text``, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def dumps(value: object) -> str:
    """Return the text to store for ``value``: canonical, so that equal values are equal text."""
    return canonical(value)


def in_order(value: Json) -> str:
    """Return JSON text whose members keep their order; for what is laid out, never for digests."""
    return json.dumps(value, ensure_ascii=False)


def loads(text: str) -> Json:
    """Return the value of stored text; integers of any size come back exactly."""
    value: Json = json.loads(text)
    return value


def _leaf_size(path: _Path, item: object) -> int:
    """Return the bytes ``item`` adds, without its children; refuse what is no JSON."""
    if isinstance(item, str):
        return _text_size(item, path)
    if item is None or isinstance(item, bool):
        return 5
    if isinstance(item, int):
        if abs(item) >= _MAX_INT:
            raise Invalid.field(_name(path), "an integer of more than 1,000 digits")
        return item.bit_length() // 4 + 2
    if isinstance(item, float):
        if not math.isfinite(item):
            raise Invalid.field(_name(path), "NaN and Infinity are not JSON")
        return 8
    if isinstance(item, dict | list | tuple):
        return 2 + len(item)
    raise Invalid.field(_name(path), f"{type(item).__name__} is not a JSON type")


def _text_size(text: str, path: _Path) -> int:
    if "\x00" in text:
        raise Invalid.field(_name(path), "contains a NUL character")
    try:
        return len(encode_basestring(text).encode())
    except UnicodeEncodeError:
        raise Invalid.field(_name(path), "contains half of a surrogate pair") from None


def _children(
    path: _Path, item: dict[object, object] | Sequence[object]
) -> Iterator[tuple[_Path, object]]:
    if not isinstance(item, dict):
        for index, child in enumerate(item):
            yield _Path(path, str(index)), child
        return
    for key, child in item.items():
        if not isinstance(key, str):
            raise Invalid.field(_name(path), f"the key {key!r:.80} is not text")
        here = _Path(path, key)
        yield here, key  # a text like any other: it may hold what no database stores
        yield here, child


def _name(path: _Path) -> str:
    """Return the dotted path, with characters that cannot be shown written as escapes."""
    parts: list[str] = []
    step: _Path | None = path
    while step is not None:
        parts.append(step.part[:_NAME_SHOWN])
        step = step.parent
    joined = ".".join(reversed([part for part in parts if part]))
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in joined)


def _has_float(text: str) -> bool:
    """Say whether JSON ``text`` holds a number that is not an integer, at C speed."""
    if "." not in text and "e+" not in text and "e-" not in text:
        return False  # no float is written without one of them
    found = False

    def saw(number: str) -> float:
        nonlocal found
        found = True
        return float(number)

    json.loads(text, parse_float=saw, parse_int=len)
    return found


def _write(value: object) -> str:
    """Write canonically what ``json.dumps`` orders or formats otherwise than RFC 8785."""
    if isinstance(value, dict):
        items = sorted(value.items(), key=lambda item: item[0].encode("utf-16-be"))
        return "{" + ",".join(f"{_write(k)}:{_write(v)}" for k, v in items) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_write, value)) + "]"
    if isinstance(value, int) and not isinstance(value, bool):
        return str(int(value))
    if value is None or isinstance(value, bool | float | str):
        return rfc8785.dumps(value).decode()
    raise TypeError(f"{type(value).__name__} is not a JSON type")
