"""Diffs of the domain as view models; their texts are already revealed there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from agent_console.domain.changes import FileDiff, RawChange, RowDiff, RowsDiff, render
from agent_console.domain.jobs import Json
from agent_console.ui.components.change_models import (
    CellView,
    ChangeView,
    LineView,
    RecordView,
)

_SIGNS = {"added": "+", "removed": "\N{MINUS SIGN}", "context": "", "hunk": ""}
_FILE_WORDS = {
    "added": "new file",
    "removed": "deleted",
    "modified": "modified",
    "unchanged": "unchanged",
}
_NUMBER = re.compile(r"-?\d[\d.eE+-]*")


def change_views(changes: Sequence[Mapping[str, Json]]) -> tuple[list[ChangeView], int]:
    """Return what to show of ``changes``, and how many hidden characters are in them."""
    pictures = render(changes)
    views = [_view(str(index), one) for index, one in enumerate(pictures)]
    return views, sum(one.hidden for one in pictures)


def summary(views: Sequence[ChangeView]) -> str:
    """Return one line that says how much changes, such as ``2 files, 1 table of rows``."""
    counts = {
        ("file", "files"): sum(one.kind == "file" for one in views),
        ("table of rows", "tables of rows"): sum(one.kind == "rows" for one in views),
        ("unreadable change", "unreadable changes"): sum(one.kind == "raw" for one in views),
    }
    return ", ".join(f"{n} {names[n != 1]}" for names, n in counts.items() if n)


def _view(key: str, picture: FileDiff | RowsDiff | RawChange) -> ChangeView:
    if isinstance(picture, FileDiff):
        return _file(key, picture)
    if isinstance(picture, RowsDiff):
        return _rows(key, picture)
    note = "The console cannot picture this change. Read it as it is before you decide."
    if picture.truncated:
        note += f" {picture.truncated:,} characters are not shown."
    return ChangeView(
        key=key, kind="raw", title="Unreadable change", word="raw", note=note, text=picture.text
    )


def _file(key: str, diff: FileDiff) -> ChangeView:
    notes = []
    if diff.status == "unchanged":
        notes.append("The file stays as it is.")
    if diff.truncated:
        notes.append(f"{diff.truncated:,} more lines of this diff are not shown.")
    return ChangeView(
        key=key,
        kind="file",
        title=diff.path,
        word=_FILE_WORDS[diff.status],
        added=f"+{diff.added:,}" if diff.added else "",
        removed=f"{_SIGNS['removed']}{diff.removed:,}" if diff.removed else "",
        note=" ".join(notes),
        lines=[
            LineView(
                old="" if line.old is None else str(line.old),
                new="" if line.new is None else str(line.new),
                sign=_SIGNS[line.kind],
                text=line.text,
                css=f"diff-{line.kind}",
            )
            for line in diff.lines
        ],
    )


def _rows(key: str, diff: RowsDiff) -> ChangeView:
    notes = []
    if diff.truncated:
        notes.append(f"{diff.truncated:,} more rows of the sample are not shown.")
    if diff.columns_truncated:
        notes.append(f"{diff.columns_truncated:,} more columns are not shown.")
    shown = len(diff.rows)
    if max(diff.total_before, diff.total_after) > shown:
        notes.append(f"A sample: {shown:,} rows of the whole are compared here.")
    return ChangeView(
        key=key,
        kind="rows",
        title=diff.title,
        word=_totals(diff.total_before, diff.total_after),
        added=_count("+", diff.rows, "added"),
        removed=_count(_SIGNS["removed"], diff.rows, "removed"),
        note=" ".join(notes),
        columns=[_column(diff, index) for index in range(len(diff.columns))],
        records=[record for row in diff.rows for record in _records(row)],
    )


def _column(diff: RowsDiff, index: int) -> CellView:
    cells = (cells[index] for row in diff.rows for cells in (row.before, row.after) if cells)
    numbers = all(_NUMBER.fullmatch(text) for text in cells if text)
    return CellView(text=diff.columns[index], css="rowdiff-number" if numbers else "")


def _totals(before: int, after: int) -> str:
    if before == after:
        return f"{before:,} row{'' if before == 1 else 's'}"
    return f"{before:,} → {after:,} rows"


def _count(sign: str, rows: Sequence[RowDiff], status: str) -> str:
    number = sum(row.status == status for row in rows)
    return f"{sign}{number:,}" if number else ""


def _records(row: RowDiff) -> Iterator[RecordView]:
    """A changed row is printed twice: as it was, and as it will be."""
    if row.status == "same":
        yield _record("", "unchanged", "rowdiff-same", row.before, row.changed)
        return
    if row.before:
        word = "before" if row.after else "removed"
        yield _record(_SIGNS["removed"], word, "rowdiff-removed", row.before, row.changed)
    if row.after:
        word = "after" if row.before else "added"
        yield _record("+", word, "rowdiff-added", row.after, row.changed)


def _record(
    sign: str, word: str, css: str, cells: Sequence[str], changed: Sequence[bool]
) -> RecordView:
    marks = [
        CellView(text=text, css=_cell_css(text, differs))
        for text, differs in zip(cells, changed, strict=True)
    ]
    return RecordView(sign=sign, word=word, css=css, cells=marks)


def _cell_css(text: str, differs: bool) -> str:
    number = "rowdiff-number" if _NUMBER.fullmatch(text) else ""
    return " ".join(filter(None, [number, "rowdiff-changed" if differs else ""]))
