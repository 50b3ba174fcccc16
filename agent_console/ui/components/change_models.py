"""View models of diffs; apart from the desk's, because viewers of artifacts need them too."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class PartView:
    """A part of a line; ``mark`` says that the line beside it has something else there."""

    text: str = ""
    mark: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LineView:
    """A line of a diff; ``old`` and ``new`` are line numbers, ``css`` its kind, ``word`` for ears.

    ``parts`` are the text again where words of it are marked, else empty; ``colours`` are ranges
    of it as ``ui.syntax`` writes them, "" for plain text.
    """

    old: str = ""
    new: str = ""
    sign: str = ""
    word: str = ""
    text: str = ""
    css: str = ""
    colours: str = ""
    parts: list[PartView] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class PairView:
    """A row of a diff side by side: places in its ``lines``, -1 where a side has none."""

    left: int = -1
    right: int = -1
    hunk: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageView:
    """An image as it was or would be, and what the console found out about it.

    ``problem`` says why it is not shown; then the rest is empty.
    """

    side: str = ""
    src: str = ""
    alt: str = ""
    facts: str = ""
    digest: str = ""
    problem: str = ""


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
    """One change: ``kind`` is ``file``, ``rows``, ``image`` or ``raw`` (could not be understood).

    A file with text on both sides has ``pairs``; ``prose`` is to be read rather than run.
    """

    key: str = ""
    kind: str = "raw"
    title: str = ""
    word: str = ""
    added: str = ""
    removed: str = ""
    note: str = ""
    prose: bool = False
    lines: list[LineView] = field(default_factory=list)
    pairs: list[PairView] = field(default_factory=list)
    images: list[ImageView] = field(default_factory=list)
    columns: list[CellView] = field(default_factory=list)
    records: list[RecordView] = field(default_factory=list)
    text: str = ""
