"""Lines of a difference that people speak of: named, checked, and found again in a later round.

A line is one of the text that is there now (``before``) or would be there (``after``), of a
``FileChange`` or ``TextChange`` of the payload; lines end at newlines only, as in the difference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from agent_console.domain.changes import text_lines
from agent_console.domain.errors import Invalid
from agent_console.domain.images import Side
from agent_console.domain.jobs import Json

MAX_PATH: Final = 4_000  # characters of a path that is asked for
MAX_KEPT: Final = 1_000  # characters of a line that are kept with a comment
SIDE_WORDS: Final[Mapping[str, str]] = {"before": "old", "after": "new"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A line by its 1-based number. ``path`` is that of the file, or the title of a text."""

    path: str
    side: Side
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor(Place):
    """A line and how it read when somebody spoke of it, cut at ``MAX_KEPT`` characters."""

    text: str


def anchored(changes: Sequence[Mapping[str, Json]], place: Place) -> Anchor:
    """Return ``place`` with the text that stands there in ``changes``.

    Raises:
        Invalid: there is no such file or text, nothing on that side of it, or no such line.
    """
    found = named(changes).get(place.path)
    if found is None:
        raise Invalid.field("anchor.path", "is no file or text that this checkpoint would change.")
    if place.side not in SIDE_WORDS:
        raise Invalid.field("anchor.side", "must be before or after.")
    lines = _lines(changes[found], place.side)
    if not lines:
        raise Invalid.field("anchor.side", f"there are no lines {place.side}.")
    if not 1 <= place.line <= len(lines):
        raise Invalid.field("anchor.line", f"must be from 1 to {len(lines):,}.")
    text = lines[place.line - 1]
    return Anchor(path=place.path, side=place.side, line=place.line, text=text)


def found_again(changes: Sequence[Mapping[str, Json]], anchor: Anchor) -> int | None:
    """Return the number of the nearest line of ``changes`` that reads as the anchor did, or None.

    An empty line is like any other empty one: it is found at its own number only.
    """
    place = named(changes).get(anchor.path)
    if place is None:
        return None
    lines = _lines(changes[place], anchor.side)
    same = [number for number, text in enumerate(lines, 1) if text == anchor.text]
    if not anchor.text.strip():
        return anchor.line if anchor.line in same else None
    return min(same, key=lambda number: abs(number - anchor.line), default=None)


def named(changes: Sequence[Mapping[str, Json]]) -> dict[str, int]:
    """Return which of ``changes`` has lines to speak of, by path or title; of twins the first."""
    found: dict[str, int] = {}
    for index, change in enumerate(changes):
        name = {"file": "path", "text": "title"}.get(str(change.get("kind")))
        path = change.get(name) if name else None
        if isinstance(path, str):
            found.setdefault(path, index)
    return found


def in_words(place: Place) -> str:
    """Return ``place`` as people say it, such as ``src/app.py, line 12, new``."""
    return f"{place.path}, line {place.line:,}, {SIDE_WORDS[place.side]}"


def _lines(change: Mapping[str, Json], side: Side) -> list[str]:
    text = change.get(side)
    if not isinstance(text, str):
        return []
    return [line.removesuffix("\n").removesuffix("\r")[:MAX_KEPT] for line in text_lines(text)]
