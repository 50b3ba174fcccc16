"""Diffs of the domain as view models; their texts are already revealed there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from agent_console.domain.changes import (
    FileDiff,
    ImageDiff,
    Pictured,
    RowDiff,
    RowsDiff,
    render,
)
from agent_console.domain.images import Side
from agent_console.domain.jobs import Json
from agent_console.services.pictures import look
from agent_console.ui.components.change_models import (
    CellView,
    ChangeView,
    ImageView,
    RecordView,
)
from agent_console.ui.components.review_lines import SIGNS, line_views, pair_views

_SIDES: tuple[Side, Side] = ("before", "after")
_FILE_WORDS = {
    "added": "new file",
    "removed": "deleted",
    "modified": "modified",
    "unchanged": "unchanged",
}
_NUMBER = re.compile(r"-?\d[\d.eE+-]*")


def change_views(
    changes: Sequence[Mapping[str, Json]], images: str = ""
) -> tuple[list[ChangeView], int]:
    """Return what to show of ``changes``, and how many hidden characters are in them.

    ``images`` is the address below which the console serves those of them.
    """
    pictures = render(changes)
    views = [
        _view(str(index), picture, change, f"{images}/{index}")
        for index, (picture, change) in enumerate(zip(pictures, changes, strict=True))
    ]
    return views, sum(one.hidden for one in pictures)


def summary(views: Sequence[ChangeView]) -> str:
    """Return one line that says how much changes, such as ``2 files, 1 table of rows``."""
    counts = {
        ("file", "files"): sum(one.kind == "file" for one in views),
        ("text", "texts"): sum(one.kind == "text" for one in views),
        ("image", "images"): sum(one.kind == "image" for one in views),
        ("table of rows", "tables of rows"): sum(one.kind == "rows" for one in views),
        ("unreadable change", "unreadable changes"): sum(one.kind == "raw" for one in views),
    }
    return ", ".join(f"{n} {names[n != 1]}" for names, n in counts.items() if n)


def unreadable(views: Sequence[ChangeView]) -> bool:
    """Say whether something of ``views`` cannot be shown as what it should be."""
    return any(one.kind == "raw" or any(side.problem for side in one.images) for one in views)


def _view(key: str, picture: Pictured, change: Mapping[str, Json], images: str) -> ChangeView:
    if isinstance(picture, FileDiff):
        return _file(key, picture, change)
    if isinstance(picture, RowsDiff):
        return _rows(key, picture)
    if isinstance(picture, ImageDiff):
        return _images(key, picture, images)
    note = "The console cannot picture this change. Read it as it is before you decide."
    if picture.truncated:
        note += f" {picture.truncated:,} characters are not shown."
    return ChangeView(
        key=key, kind="raw", title="Unreadable change", word="raw", note=note, text=picture.text
    )


def _file(key: str, diff: FileDiff, change: Mapping[str, Json]) -> ChangeView:
    notes = []
    kind = str(change["kind"])
    if diff.status == "unchanged":
        notes.append(f"The {kind} stays as it is.")
    if diff.truncated:
        notes.append(f"{diff.truncated:,} more lines of this diff are not shown.")
    return ChangeView(
        key=key,
        kind=kind,
        title=diff.path,
        word=_FILE_WORDS[diff.status].replace("file", kind),
        added=f"+{diff.added:,}" if diff.added else "",
        removed=f"{SIGNS['removed']}{diff.removed:,}" if diff.removed else "",
        note=" ".join(notes),
        prose=diff.prose,
        lines=line_views(diff, change),
        pairs=pair_views(diff),
    )


def _images(key: str, diff: ImageDiff, address: str) -> ChangeView:
    images = [_image(diff, side, address) for side in _SIDES if diff.side(side) is not None]
    words = {"before": "removed image", "after": "new image"}
    word = words[images[0].side] if len(images) == 1 else "replaced image"
    same = diff.before == diff.after
    return ChangeView(
        key=key,
        kind="image",
        title=diff.title,
        word="unchanged" if same else word,
        note="Both are the same, byte for byte." if same else "",
        images=images,
    )


def _image(diff: ImageDiff, side: Side, address: str) -> ImageView:
    content = diff.side(side) or b""
    picture = look(content)
    if picture is None:
        problem = (
            f"{len(content):,} bytes that are no PNG, JPEG, GIF or WebP image, or one too large."
        )
        return ImageView(side=side, problem=problem)
    kind = picture.media_type.removeprefix("image/").upper()
    moving = ", animated: it shows more than one picture" if picture.animated else ""
    measures = f"{picture.width:,} × {picture.height:,} pixels"
    return ImageView(
        side=side,
        src=f"{address}/{side}",
        alt=f"{diff.title}, {side}",
        facts=f"{measures}, {len(content):,} bytes, {kind}{moving}",
        digest=picture.digest,
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
        removed=_count(SIGNS["removed"], diff.rows, "removed"),
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
        yield _record(SIGNS["removed"], word, "rowdiff-removed", row.before, row.changed)
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
