"""Markdown as a PDF: text, lists, tables and code, set in fonts that come with the console.

Nothing is fetched: images are named, as on the pages, and no address is opened. A character that
the fonts lack is written as its code, and the last page says so.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from pathlib import Path
from typing import ClassVar

from fpdf import FPDF
from fpdf.enums import TableBordersLayout, WrapMode, XPos, YPos
from fpdf.fonts import FontFace, TTFFont
from fpdf.util import Padding

from agent_console.domain.errors import Unavailable
from agent_console.services.markdown_blocks import (
    MAX_BLOCKS,
    MAX_MARKDOWN,
    BlockView,
    CellView,
    SpanView,
    blocks,
)

FONTS = Path(__file__).with_name("fonts")
SIZE, SMALL, LINE = 10.0, 8.0, 5.2  # points, points, millimetres
HEADINGS = {"h2": 18.0, "h3": 13.5, "h4": 11.0}  # points
MARGIN, INDENT = 20.0, 6.0  # millimetres
INK, FAINT, PAPER = 25, 110, 245  # greys: text, notes, the ground of code
MAX_COLUMNS = 8  # of a table; wider ones are written out row by row
MAX_CELL = 400  # characters, the same
PATIENCE = 20.0  # seconds
_STYLES = {"strong": "B", "em": "I"}
_TOO_LONG = "The text goes on: the download as Markdown has all of it."

# The library that cuts the fonts to size tells of every table it prunes.
logging.getLogger("fontTools").setLevel(logging.WARNING)
# Setting a long report keeps a core busy: one at a time leaves the others to everybody else.
_one_at_a_time = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Imprint:
    """What is said beside the text: its name, a line on where it comes from, and when."""

    name: str
    origin: str
    at: datetime


def pdf_of(markdown: str, imprint: Imprint) -> bytes:
    """Return ``markdown`` as a PDF, A4; the same text gives the same file.

    Raises:
        Unavailable: others were still waiting for theirs after ``PATIENCE`` seconds.
    """
    if not _one_at_a_time.acquire(timeout=PATIENCE):
        raise Unavailable(retryAfter=5)
    try:
        return _Setter(imprint).set(markdown)
    finally:
        _one_at_a_time.release()


class _Paper(FPDF):
    """Pages with a foot: the document's name, the page and how many there are."""

    def __init__(self) -> None:
        super().__init__(format="A4")
        self.foot = ""
        self.set_margin(MARGIN)
        self.set_auto_page_break(auto=True, margin=MARGIN + 4)

    def footer(self) -> None:
        self.set_y(-MARGIN + 4)
        self.set_font("Sans", size=SMALL)
        self.set_text_color(FAINT)
        half = self.epw / 2
        self.cell(half * 1.6, LINE, self.foot)
        self.cell(half * 0.4, LINE, f"{self.page_no()} / {{nb}}", align="R")


class _Setter:
    """Sets one document."""

    _files: ClassVar = {
        ("Sans", ""): "DejaVuSans.ttf",
        ("Sans", "B"): "DejaVuSans-Bold.ttf",
        ("Sans", "I"): "DejaVuSans-Oblique.ttf",
        ("Mono", ""): "DejaVuSansMono.ttf",
    }

    def __init__(self, imprint: Imprint) -> None:
        self._imprint = imprint
        self._lacking = 0
        self._paper = _Paper()
        self._read: set[tuple[str, str]] = set()
        self._font("Sans")
        self._paper.set_fallback_fonts(["Sans"], exact_match=False)
        plain = self._paper.fonts["sans"]
        self._known = plain.cmap if isinstance(plain, TTFFont) else {}
        self._paper.foot = self._clean(imprint.name)[:90]

    def set(self, markdown: str) -> bytes:
        """Return the finished file."""
        paper, found = self._paper, blocks(markdown)
        paper.set_title(self._imprint.name)
        paper.set_creator("agent_console")
        paper.set_creation_date(self._imprint.at)
        paper.add_page()
        self._note(self._imprint.origin)
        for block in found:
            self._block(block)
        if len(markdown) > MAX_MARKDOWN or len(found) >= MAX_BLOCKS:
            self._note(_TOO_LONG)
        if self._lacking:
            self._note(
                f"{self._lacking:,} characters have no shape in the fonts of this file and are "
                "written as codes; the download as Markdown has them as they are."
            )
        return bytes(paper.output())

    def _block(self, block: BlockView) -> None:
        if block.kind in HEADINGS:
            self._heading(block)
        elif block.kind == "code":
            self._code(block.text)
        elif block.kind == "list":
            for item in block.points:
                self._item(item.marker, item.depth, item.spans)
            self._paper.ln(LINE / 2)
        elif block.kind == "table":
            self._table(block)
        elif block.kind == "rule":
            y = self._paper.get_y() + LINE / 2
            self._paper.set_draw_color(FAINT)
            self._paper.line(MARGIN, y, self._paper.w - MARGIN, y)
            self._paper.ln(LINE)
        else:
            self._paragraph(block.spans, INDENT if block.kind == "quote" else 0)

    def _heading(self, block: BlockView) -> None:
        paper, size = self._paper, HEADINGS[block.kind]
        paper.ln(LINE * 0.6)
        # A heading does not stay alone at the foot of a page.
        if paper.get_y() > paper.h - 3 * MARGIN:
            paper.add_page()
        self._font("Sans", "B", size)
        paper.set_text_color(INK)
        paper.multi_cell(
            0,
            size * 0.5,
            self._clean(_plain(block.spans)),
            align="L",
            new_x=XPos.LMARGIN,
            new_y=YPos.NEXT,
        )
        paper.ln(LINE * 0.4)

    def _paragraph(self, spans: Sequence[SpanView], indent: float = 0) -> None:
        paper = self._paper
        paper.set_left_margin(MARGIN + indent)
        paper.set_x(MARGIN + indent)
        self._spans(spans, INK if not indent else FAINT - 40)
        paper.ln(LINE * 1.5)
        paper.set_left_margin(MARGIN)
        paper.set_x(MARGIN)

    def _item(self, marker: str, depth: int, spans: Sequence[SpanView]) -> None:
        paper, left = self._paper, MARGIN + INDENT * depth
        self._font("Sans")
        paper.set_text_color(INK)
        paper.set_x(left - INDENT)
        paper.cell(INDENT, LINE, marker)
        paper.set_left_margin(left)
        paper.set_x(left)
        self._spans(spans, INK)
        paper.ln(LINE * 1.1)
        paper.set_left_margin(MARGIN)
        paper.set_x(MARGIN)

    def _spans(self, spans: Iterable[SpanView], ink: int) -> None:
        for span in spans:
            styles = span.style.split()
            letter = next((_STYLES[one] for one in styles if one in _STYLES), "")
            marks = ("U" if span.outside else "") + ("S" if "strike" in styles else "")
            if "code" in styles:
                self._font("Mono", marks=marks)
            else:
                self._font("Sans", letter, marks=marks)
            self._paper.set_text_color(ink)
            self._paper.write(LINE, self._clean(span.text), span.href if span.outside else "")

    def _code(self, text: str) -> None:
        self._font("Mono", size=SMALL)
        self._paper.set_text_color(INK)
        self._paper.set_fill_color(PAPER)
        self._paper.multi_cell(
            0,
            LINE * 0.8,
            self._clean(text.expandtabs(4)),
            fill=True,
            align="L",
            padding=Padding(1.5, 1.5, 1.5, 1.5),
            wrapmode=WrapMode.CHAR,
            new_x=XPos.LMARGIN,
            new_y=YPos.NEXT,
        )
        self._paper.ln(LINE * 0.6)

    def _table(self, block: BlockView) -> None:
        lines = [[self._cell(one) for one in line.cells] for line in block.lines]
        head = [self._cell(one) for one in block.head]
        longest = max((len(text) for line in [head, *lines] for text in line), default=0)
        if len(head) > MAX_COLUMNS or longest > MAX_CELL:
            self._rows(head, lines)
            return
        paper = self._paper
        self._font("Sans", "B", SMALL)
        self._font("Sans", size=SMALL)
        paper.set_text_color(INK)
        paper.set_draw_color(200)
        lines = [(line + [""] * len(head))[: len(head)] for line in lines]
        with paper.table(
            [head, *lines],
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            headings_style=FontFace(emphasis="B"),
            line_height=LINE * 0.85,
            padding=0.8,
            col_widths=_widths([head, *lines]),
            text_align="L",
        ):
            pass
        paper.ln(LINE * 0.8)

    def _rows(self, head: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
        """Write a table that no page is wide enough for, a row after the other."""
        for line in lines:
            for name, text in zip(head, line, strict=False):
                self._paragraph([SpanView("0", f"{name}: ", "strong"), SpanView("1", text)])

    def _cell(self, cell: CellView) -> str:
        return self._clean(_plain(cell.spans))

    def _note(self, text: str) -> None:
        self._font("Sans", size=SMALL)
        self._paper.set_text_color(FAINT)
        self._paper.multi_cell(
            0,
            LINE * 0.8,
            self._clean(text),
            align="L",
            new_x=XPos.LMARGIN,
            new_y=YPos.NEXT,
        )

    def _font(self, family: str, style: str = "", size: float = SIZE, marks: str = "") -> None:
        """Write on in this font; its file is read at first use, which takes a while."""
        if (family, style) not in self._read:
            self._paper.add_font(family, style, FONTS / self._files[family, style])
            self._read.add((family, style))
        self._paper.set_font(family, style + marks, size)

    def _clean(self, text: str) -> str:
        """Return ``text`` with a code in place of each character that no font has."""
        if text.isascii():
            return text
        shown = []
        for one in text:
            lacks = one != "\n" and ord(one) not in self._known
            self._lacking += lacks
            shown.append(f"[U+{ord(one):04X}]" if lacks else one)
        return "".join(shown)


def _plain(spans: Iterable[SpanView]) -> str:
    return "".join(span.text for span in spans)


def _widths(lines: Sequence[Sequence[str]]) -> tuple[int, ...]:
    """Return the columns' shares of the width: by their longest text, none next to nothing."""
    columns = zip_longest(*lines, fillvalue="")
    return tuple(6 + min(max(len(text) for text in column), 40) for column in columns)
