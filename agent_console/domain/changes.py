"""What a checkpoint says would change, and the bounded picture of it that reviewers read.

``FileChange``, ``TextChange``, ``RowsChange`` and ``ImageChange`` are what handlers hand over;
their ``to_json`` is part of the digested payload. ``render`` turns that JSON into diffs; every text
in them went through ``visible.reveal``. A diff is cut at ``MAX_LINES`` and says how much was cut.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Literal, cast

from agent_console.domain.images import ImageChange, ImageDiff, read_image
from agent_console.domain.jobs import Json
from agent_console.domain.linediff import Opcode, grouped, opcodes
from agent_console.domain.linepairs import MAX_MARKED, Pair, Span, changed_words, pair_run
from agent_console.domain.payload import canonical
from agent_console.domain.rowdiff import RowDiff, RowsDiff, diff_rows
from agent_console.domain.visible import reveal

__all__ = [
    "DiffLine",
    "FileChange",
    "FileDiff",
    "ImageChange",
    "ImageDiff",
    "Pictured",
    "RawChange",
    "RowDiff",
    "RowsChange",
    "RowsDiff",
    "TextChange",
    "render",
    "text_lines",
]

MAX_LINES = 2_000  # of one file's diff, hunk headers included
MAX_COLUMNS = 2_000  # characters of one line
_MAX_RAW = 20_000  # characters of a change nobody can picture
_PROSE = frozenset({".md", ".markdown", ".txt", ".rst", ".adoc"})
_NO_NEWLINE = " ⟨no newline at end of file⟩"


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file: its text now (None: there is none) and afterwards (None: removed)."""

    path: str
    before: str | None
    after: str | None

    def to_json(self) -> dict[str, Json]:
        """Return the form that is digested and stored."""
        return {"kind": "file", "path": self.path, "before": self.before, "after": self.after}


@dataclass(frozen=True, slots=True)
class TextChange:
    """Something to be read and no file, such as a draft: its text now and afterwards, as above."""

    title: str
    before: str | None
    after: str | None

    def to_json(self) -> dict[str, Json]:
        """Return the form that is digested and stored."""
        return {"kind": "text", "title": self.title, "before": self.before, "after": self.after}


@dataclass(frozen=True, slots=True)
class RowsChange:
    """A sample of rows before and after, and how many there are in all.

    A row is an object or any other JSON value; totals default to the sample's length.
    """

    title: str
    before: Sequence[Json]
    after: Sequence[Json]
    total_before: int | None = None
    total_after: int | None = None

    def to_json(self) -> dict[str, Json]:
        """Return the form that is digested and stored."""
        return {
            "kind": "rows",
            "title": self.title,
            "before": list(self.before),
            "after": list(self.after),
            "totalBefore": len(self.before) if self.total_before is None else self.total_before,
            "totalAfter": len(self.after) if self.total_after is None else self.total_after,
        }


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line of a diff with its 1-based numbers; ``text`` of a hunk is its header.

    ``marks`` are the parts of the text that the line it stands beside has otherwise.
    """

    kind: Literal["context", "added", "removed", "hunk"]
    old: int | None
    new: int | None
    text: str
    marks: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class FileDiff:
    """A file's diff: counts of all changed lines, the lines shown, and how many were cut.

    ``hidden`` counts characters that would have been invisible, in the path and all of the
    text that is there now or would be there, shown or not. ``pairs`` are the rows of the same
    lines side by side, by their places in ``lines``; a line of context is both of its sides.
    ``prose`` is to be read, not run.
    """

    path: str
    status: Literal["added", "removed", "modified", "unchanged"]
    added: int
    removed: int
    lines: tuple[DiffLine, ...]
    hidden: int = 0
    truncated: int = 0
    pairs: tuple[Pair, ...] = ()
    prose: bool = False


@dataclass(frozen=True, slots=True)
class RawChange:
    """A change that could not be pictured: its JSON, never to be approved in one click."""

    text: str
    hidden: int = 0
    truncated: int = 0


Pictured = FileDiff | RowsDiff | ImageDiff | RawChange


def render(changes: Sequence[Mapping[str, Json]]) -> list[Pictured]:
    """Return one picture per change, in order; what is malformed comes back as ``RawChange``."""
    return [_render(change) for change in changes]


def _render(change: Mapping[str, Json]) -> Pictured:
    match change:
        case {"kind": "file", "path": str(path), "before": before, "after": after} if (
            _is_text(before) and _is_text(after) and (before is not None or after is not None)
        ):
            return diff_file(
                FileChange(path, cast("str | None", before), cast("str | None", after))
            )
        case {"kind": "text", "title": str(title), "before": before, "after": after} if (
            _is_text(before) and _is_text(after) and (before is not None or after is not None)
        ):
            text = FileChange(title, cast("str | None", before), cast("str | None", after))
            return replace(diff_file(text), prose=True)
        case {"kind": "image"}:
            return read_image(change) or _raw(change)
        case {
            "kind": "rows",
            "title": str(title),
            "before": list(before),
            "after": list(after),
            "totalBefore": int(total_before),
            "totalAfter": int(total_after),
        }:
            return diff_rows(title, before, after, total_before, total_after)
    return _raw(change)


def diff_file(change: FileChange, *, max_lines: int = MAX_LINES) -> FileDiff:
    """Return the line diff of ``change`` with three lines of context around each hunk."""
    before, after = change.before or "", change.after or ""
    path = reveal(change.path)
    hidden = path.hidden + max(reveal(before).hidden, reveal(after).hidden)
    prose = PurePosixPath(change.path).suffix.lower() in _PROSE
    if change.before == change.after:
        return FileDiff(path.text, "unchanged", 0, 0, (), hidden, prose=prose)
    old, new = text_lines(before), text_lines(after)
    drop_returns = all(line.endswith("\r\n") for line in (*old, *new) if line.endswith("\n"))
    added = removed = truncated = 0
    lines: list[DiffLine] = []
    for group in grouped(opcodes(old, new)):
        for line in _hunk(group, old, new):
            added += line.kind == "added"
            removed += line.kind == "removed"
            if len(lines) < max_lines:
                lines.append(_shown(line, drop_returns=drop_returns))
            else:
                truncated += 1
    pairs = _side_by_side(lines)
    return FileDiff(
        path.text, _status(change), added, removed, tuple(lines), hidden, truncated, pairs, prose
    )


def _status(change: FileChange) -> Literal["added", "removed", "modified"]:
    if change.before is None:
        return "added"
    return "removed" if change.after is None else "modified"


def text_lines(text: str) -> list[str]:
    """Split at newlines only, which stay: other separators must be seen, not obeyed."""
    lines = text.split("\n")
    last = lines.pop()
    return [line + "\n" for line in lines] + ([last] if last else [])


def _hunk(group: Sequence[Opcode], old: Sequence[str], new: Sequence[str]) -> list[DiffLine]:
    first, last = group[0], group[-1]
    header = f"@@ -{_span(first.i1, last.i2)} +{_span(first.j1, last.j2)} @@"
    lines = [DiffLine("hunk", None, None, header)]
    for op in group:
        if op.equal:
            for i, j in zip(range(op.i1, op.i2), range(op.j1, op.j2), strict=True):
                lines.append(DiffLine("context", i + 1, j + 1, old[i]))
            continue
        lines += [DiffLine("removed", i + 1, None, old[i]) for i in range(op.i1, op.i2)]
        lines += [DiffLine("added", None, j + 1, new[j]) for j in range(op.j1, op.j2)]
    return lines


def _span(start: int, stop: int) -> str:
    """Return the range of a hunk header as ``diff -u`` writes it."""
    length = stop - start
    beginning = start + 1 if length else start
    return str(beginning) if length == 1 else f"{beginning},{length}"


def _shown(line: DiffLine, *, drop_returns: bool) -> DiffLine:
    if line.kind == "hunk":
        return line
    text = line.text
    end = "" if text.endswith("\n") else _NO_NEWLINE
    text = text.removesuffix("\n")
    if drop_returns and not end:
        text = text.removesuffix("\r")
    return DiffLine(line.kind, line.old, line.new, reveal(_cut(text)).text + end)


def _side_by_side(lines: list[DiffLine]) -> tuple[Pair, ...]:
    """Return the rows of ``lines`` side by side; the words that differ are marked in place."""
    pairs: list[Pair] = []
    left = MAX_MARKED
    start = 0
    while start < len(lines):
        if lines[start].kind in {"context", "hunk"}:
            pairs.append((start, start))
            start += 1
            continue
        middle = _end_of(lines, start, "removed")
        end = _end_of(lines, middle, "added")
        rows, kin = pair_run(
            [line.text for line in lines[start:middle]], [line.text for line in lines[middle:end]]
        )
        pairs += [
            (None if was is None else start + was, None if now is None else middle + now)
            for was, now in rows
        ]
        for was, now in kin[:left]:
            _mark(lines, start + was, middle + now)
        left -= len(kin[:left])
        start = end
    return tuple(pairs)


def _end_of(lines: Sequence[DiffLine], start: int, kind: str) -> int:
    while start < len(lines) and lines[start].kind == kind:
        start += 1
    return start


def _mark(lines: list[DiffLine], was: int, now: int) -> None:
    before, after = changed_words(lines[was].text, lines[now].text)
    lines[was] = replace(lines[was], marks=tuple(before))
    lines[now] = replace(lines[now], marks=tuple(after))


def _cut(text: str) -> str:
    more = len(text) - MAX_COLUMNS
    return text if more <= 0 else f"{text[:MAX_COLUMNS]} ⟨{more:,} more characters⟩"


def _is_text(value: Json) -> bool:
    return value is None or isinstance(value, str)


def _raw(change: Mapping[str, Json]) -> RawChange:
    text = json.dumps(json.loads(canonical(change)), ensure_ascii=False, indent=2)
    shown = reveal(text)
    return RawChange(shown.text[:_MAX_RAW], shown.hidden, max(0, len(shown.text) - _MAX_RAW))
