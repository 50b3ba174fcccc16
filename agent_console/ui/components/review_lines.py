"""Lines of a diff as view models: signs, marked words, colours, and the rows side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from agent_console.domain.changes import DiffLine, FileDiff
from agent_console.domain.jobs import Json
from agent_console.ui.components.change_models import LineView, PairView, PartView
from agent_console.ui.syntax import colours

SIGNS = {"added": "+", "removed": "\N{MINUS SIGN}", "context": "", "hunk": ""}
_WORDS = {"added": "added", "removed": "removed"}


def line_views(diff: FileDiff, change: Mapping[str, Json]) -> list[LineView]:
    """Return the lines of ``diff``, the picture of ``change``, coloured where it is code."""
    paint = _Paint(change) if change.get("kind") == "file" and not diff.prose else None
    return [
        LineView(
            old="" if line.old is None else str(line.old),
            new="" if line.new is None else str(line.new),
            sign=SIGNS[line.kind],
            word=_WORDS.get(line.kind, ""),
            text=line.text,
            css=f"diff-{line.kind}",
            colours=paint.of(line) if paint else "",
            parts=list(_parts(line)) if line.marks else [],
        )
        for line in diff.lines
    ]


def pair_views(diff: FileDiff) -> list[PairView]:
    """Return the rows of ``diff`` side by side; none where one side is empty throughout."""
    if diff.status != "modified":
        return []
    return [
        PairView(
            left=-1 if was is None else was,
            right=-1 if now is None else now,
            hunk=was is not None and diff.lines[was].kind == "hunk",
        )
        for was, now in diff.pairs
    ]


class _Paint:
    """The colours of a file before and after, for lines that are shown as they are."""

    def __init__(self, change: Mapping[str, Json]) -> None:
        path = str(change.get("path"))
        self._old = _Side(path, change.get("before"))
        self._new = _Side(path, change.get("after"))

    def of(self, line: DiffLine) -> str:
        """Return the colours of ``line``, "" for one that has none."""
        if line.new is not None:
            return self._new.of(line.new, line.text)
        return "" if line.old is None else self._old.of(line.old, line.text)


class _Side:
    def __init__(self, path: str, text: Json) -> None:
        self._ranges = colours(path, text if isinstance(text, str) else None)
        self._lines = text.split("\n") if isinstance(text, str) and self._ranges else []

    def of(self, number: int, shown: str) -> str:
        """Return the colours of a line, if it is shown to the letter: places would not fit else."""
        if number > len(self._lines) or self._lines[number - 1].removesuffix("\r") != shown:
            return ""
        return self._ranges[number - 1]


def _parts(line: DiffLine) -> Iterator[PartView]:
    at = 0
    for start, end in line.marks:
        if start > at:
            yield PartView(text=line.text[at:start])
        yield PartView(text=line.text[start:end], mark=True)
        at = end
    if at < len(line.text):
        yield PartView(text=line.text[at:])
