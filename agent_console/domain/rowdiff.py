"""A bounded table of rows before and after, aligned so that a reader sees what each became."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from agent_console.domain.jobs import Json
from agent_console.domain.linediff import opcodes
from agent_console.domain.payload import canonical
from agent_console.domain.visible import reveal

MAX_ROWS = 200  # of the table, changed and unchanged
MAX_FIELDS = 50  # columns
_MAX_CELL = 500  # characters
_LOOK_AHEAD = 10  # rows after, searched for what a row before has become
_VALUE = "value"  # the column of rows that are not objects

RowStatus = Literal["added", "removed", "changed", "same"]
_Row = Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class RowDiff:
    """One row: its cells before and after in column order, and which of them differ.

    ``before`` is empty for an added row, ``after`` for a removed one.
    """

    status: RowStatus
    before: tuple[str, ...]
    after: tuple[str, ...]
    changed: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class RowsDiff:
    """A table of rows; ``truncated`` rows of the sample are not in it.

    ``hidden`` counts characters of title, columns and shown cells that would have been
    invisible; ``columns_truncated`` columns are left out.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[RowDiff, ...]
    total_before: int
    total_after: int
    hidden: int = 0
    truncated: int = 0
    columns_truncated: int = 0


def diff_rows(
    title: str, before: Sequence[Json], after: Sequence[Json], total_before: int, total_after: int
) -> RowsDiff:
    """Align the samples and return their table."""
    old, new = [_as_row(row) for row in before], [_as_row(row) for row in after]
    columns = list(dict.fromkeys(name for row in (*old, *new) for name in row))
    table = _Table(columns[:MAX_FIELDS])
    pairs = list(_aligned(old, new))
    rows = tuple(table.row(was, now) for was, now in pairs[:MAX_ROWS])
    shown_title = table.text(title)
    return RowsDiff(
        title=shown_title,
        columns=tuple(table.text(name) for name in table.columns),
        rows=rows,
        total_before=total_before,
        total_after=total_after,
        hidden=table.hidden,
        truncated=max(0, len(pairs) - MAX_ROWS),
        columns_truncated=max(0, len(columns) - MAX_FIELDS),
    )


class _Table:
    """Makes cells of one table and counts what was hidden in them."""

    def __init__(self, columns: Sequence[str]) -> None:
        self.columns = tuple(columns)
        self.hidden = 0

    def text(self, raw: str) -> str:
        more = len(raw) - _MAX_CELL
        shown = reveal(raw[:_MAX_CELL])
        self.hidden += shown.hidden
        return shown.text if more <= 0 else f"{shown.text} ⟨{more:,} more characters⟩"

    def row(self, was: _Row | None, now: _Row | None) -> RowDiff:
        before, after = self._cells(was), self._cells(now)
        if was is None or now is None:
            changed = (True,) * len(self.columns)
            return RowDiff("added" if was is None else "removed", before, after, changed)
        changed = tuple(_cell_differs(was, now, name) for name in self.columns)
        return RowDiff("changed" if _differs(was, now) else "same", before, after, changed)

    def _cells(self, row: _Row | None) -> tuple[str, ...]:
        if row is None:
            return ()
        return tuple(self.text(_cell(row[n])) if n in row else "" for n in self.columns)


def _as_row(value: Json) -> _Row:
    return value if isinstance(value, dict) else {_VALUE: value}


def _differs(was: _Row, now: _Row) -> bool:
    return canonical(was) != canonical(now)


def _cell_differs(was: _Row, now: _Row, name: str) -> bool:
    """Compare as JSON: 1 is not true, and an absent cell is not null."""
    if name not in was or name not in now:
        return name in was or name in now
    return canonical(was[name]) != canonical(now[name])


def _aligned(old: Sequence[_Row], new: Sequence[_Row]) -> Iterator[tuple[_Row | None, _Row | None]]:
    """Pair equal rows, and between them rows that share at least one cell, in order."""
    old_keys, new_keys = [canonical(r) for r in old], [canonical(r) for r in new]
    for op in opcodes(old_keys, new_keys):
        was, now = old[op.i1 : op.i2], new[op.j1 : op.j2]
        yield from zip(was, now, strict=True) if op.equal else _paired(was, now)


def _paired(was: Sequence[_Row], now: Sequence[_Row]) -> Iterator[tuple[_Row | None, _Row | None]]:
    """Pair one to one when the counts agree, otherwise by what two rows have in common."""
    if len(was) == len(now):
        yield from zip(was, now, strict=True)
        return
    rest = list(now)
    for row in was:
        near = rest[:_LOOK_AHEAD]
        partner = next((i for i, other in enumerate(near) if _kin(row, other)), None)
        if partner is None:
            yield row, None
            continue
        yield from ((None, skipped) for skipped in rest[:partner])
        yield row, rest[partner]
        del rest[: partner + 1]
    yield from ((None, row) for row in rest)


def _kin(row: _Row, other: _Row) -> bool:
    return any(name in other and other[name] == value for name, value in row.items())


def _cell(value: Json) -> str:
    """Return a cell's text; a text that reads like a number or null is quoted."""
    if not isinstance(value, str):
        return canonical(value)
    try:
        json.loads(value)
    except (ValueError, RecursionError):
        return value
    return json.dumps(value, ensure_ascii=False)
