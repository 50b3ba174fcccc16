"""View models of diffs; apart from the desk's, because viewers of artifacts need them too."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class LineView:
    """A line of a diff; ``old`` and ``new`` are line numbers, ``css`` its kind."""

    old: str = ""
    new: str = ""
    sign: str = ""
    text: str = ""
    css: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellView:
    """A cell or column head of a row diff; ``css`` says whether it is a number, and changed."""

    text: str = ""
    css: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordView:
    """One printed line of a row diff: a row as it was, as it will be, or unchanged."""

    sign: str = ""
    word: str = ""
    css: str = ""
    cells: list[CellView] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeView:
    """One change: ``kind`` is ``file``, ``rows`` or ``raw`` (could not be understood)."""

    key: str = ""
    kind: str = "raw"
    title: str = ""
    word: str = ""
    added: str = ""
    removed: str = ""
    note: str = ""
    lines: list[LineView] = field(default_factory=list)
    columns: list[CellView] = field(default_factory=list)
    records: list[RecordView] = field(default_factory=list)
    text: str = ""
