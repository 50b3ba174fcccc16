"""What viewers of typed evidence leave out of the data; pure, no Reflex.

A shape names the keys that a viewer shows, each with a test of whether it shows the value whole.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeGuard

from agent_console.domain.jobs import Json

Object = Mapping[str, Json]
Test = Callable[[Json], bool]
Shape = Mapping[str, Test]

MAX_LINE, MAX_NAME = 2_000, 40  # characters of a line of text, of a name


def left_out(holder: Object, shape: Shape) -> dict[str, Json]:
    """Return what of ``holder`` a viewer of ``shape`` does not show."""
    return {
        name: value for name, value in holder.items() if name not in shape or not shape[name](value)
    }


def left_of(items: Sequence[Object], shape: Shape, name: str) -> list[Json]:
    """Return what is left of each item that is not shown whole, under its ``name``."""
    return [{name: one.get(name), **rest} for one in items if (rest := left_out(one, shape))]


def text_of(limit: int) -> Test:
    """Return the test for a text of at most ``limit`` characters."""
    return lambda value: isinstance(value, str) and len(value) <= limit


def one_of(known: Collection[str]) -> Test:
    """Return the test for one of ``known`` texts."""
    return lambda value: isinstance(value, str) and value in known


def fraction(value: Json) -> bool:
    """Say whether ``value`` is a number from 0 to 1."""
    return is_number(value) and 0 <= value <= 1  # type: ignore[operator]


def whole(value: Json) -> TypeGuard[int]:
    """Say whether ``value`` is a whole number that a page can show exactly."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def is_number(value: Json) -> bool:
    """Say whether ``value`` is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def texts(limit: int) -> Test:
    """Return the test for a list of texts, together at most ``limit`` characters."""

    def test(value: Json) -> bool:
        return (
            isinstance(value, list)
            and all(isinstance(one, str) for one in value)
            and len(", ".join(map(str, value))) <= limit
        )

    return test


def object_of(shape: Shape) -> Test:
    """Return the test for an object that ``shape`` shows whole."""
    return lambda value: isinstance(value, dict) and not left_out(value, shape)


def all_of(shape: Shape) -> Test:
    """Return the test for a list of objects that ``shape`` shows whole."""
    inner = object_of(shape)
    return lambda value: isinstance(value, list) and all(map(inner, value))


def text_in(value: Json) -> str:
    """Return ``value`` where it is a text, else an empty one."""
    return value if isinstance(value, str) else ""


def texts_in(value: Json) -> list[str]:
    """Return the texts of a list; nothing where ``value`` is none."""
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def count(number: int, noun: str) -> str:
    """Return ``number`` with its noun, e.g. ``2 findings``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
