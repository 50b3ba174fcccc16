"""Cuts a text into sentences whose places in it are exact, with what stands around each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from agent_console.agents.documents import Document

_BLOCK = re.compile(r"[^\n]*\S[^\n]*(?:\n[^\n]*\S[^\n]*)*")  # lines between empty ones
_HEADING = re.compile(r"^\s{0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
_ITEM = re.compile(r"^\s*(?:[-*+]|\d{1,3}[.)])\s+")
_FENCE = re.compile(r"^\s*(?:```|~~~)")
_ROW = re.compile(r"^\s*\|.*\|\s*$")
_RULE = re.compile(r"^[\s|:\-]+$")
_END = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+(?=[\"'“‘(\[]*[^\W_a-zß-öø-ÿ])")
_SHORT = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|cf|vs|approx|Mr|Mrs|Ms|Dr|Prof|St|No|Fig|Jan|Feb|Mar|Apr|Jun|Jul|Aug|"
    r"Sept?|Oct|Nov|Dec)|\b[A-Z])\.$"
)
MAX_SENTENCE = 1_200  # characters; a longer run without a full stop is no sentence to quote


@dataclass(frozen=True, slots=True)
class Sentence:
    """Characters ``start`` to ``end`` of a document. ``block`` numbers its paragraph or list item.

    ``claim`` is the same in one line: wrapped lines joined, the cells of a table row named.
    """

    document: Document
    start: int
    end: int
    claim: str
    heading: str
    block: int

    @property
    def quote(self) -> str:
        """The text exactly as it stands in the document."""
        return self.document.text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class _Line:
    start: int
    text: str


def sentences(document: Document) -> list[Sentence]:
    """Return the sentences of a plain or Markdown text in order; headings and code are none."""
    found: list[Sentence] = []
    heading, fenced = "", False
    for block, part in enumerate(_blocks(document.text)):
        lines, fenced = _outside_code(part, fenced)
        columns: list[str] = []
        for piece in _pieces(lines):
            first = piece[0]
            if title := _HEADING.match(first.text):
                heading = title.group(2)
            elif _ROW.match(first.text):
                cells = _cells(first)
                if columns and cells:
                    named = list(zip(columns, cells, strict=False))
                    found.append(_row(document, first, heading, block, named))
                columns = columns or cells
            else:
                found += _split(document, piece, heading, block)
    return found


def _blocks(text: str) -> Iterator[list[_Line]]:
    for block in _BLOCK.finditer(text):
        at, lines = block.start(), []
        for raw in block.group().split("\n"):
            lines.append(_Line(at, raw))
            at += len(raw) + 1
        yield lines


def _outside_code(lines: list[_Line], fenced: bool) -> tuple[list[_Line], bool]:
    kept = []
    for line in lines:
        if _FENCE.match(line.text):
            fenced = not fenced
        elif not fenced:
            kept.append(line)
    return kept, fenced


def _pieces(lines: list[_Line]) -> Iterator[list[_Line]]:
    """Group the lines of a block: a heading, a list item, a table row each; others belong on."""
    piece: list[_Line] = []
    for line in lines:
        alone = bool(_HEADING.match(line.text) or _ROW.match(line.text))
        if piece and (alone or _ITEM.match(line.text)):
            yield piece
            piece = []
        piece.append(line)
        if alone:
            yield piece
            piece = []
    if piece:
        yield piece


def _cells(line: _Line) -> list[str]:
    """Return the cells of a table's row; none for the rule below the heading."""
    if _RULE.match(line.text):
        return []
    return [cell.strip() for cell in line.text.strip().strip("|").split("|")]


def _row(
    document: Document, line: _Line, heading: str, block: int, named: list[tuple[str, str]]
) -> Sentence:
    """Return a table's row as a sentence: each cell under the name of its column."""
    claim = ", ".join(f"{name}: {cell}" for name, cell in named if cell)
    start = line.start + len(line.text) - len(line.text.lstrip())
    return Sentence(document, start, start + len(line.text.strip()), claim, heading, block)


def _split(document: Document, piece: list[_Line], heading: str, block: int) -> Iterator[Sentence]:
    """Yield the sentences of a paragraph or of one list item."""
    marker = _ITEM.match(piece[0].text)
    begin = piece[0].start + (marker.end() if marker else 0)
    finish = piece[-1].start + len(piece[-1].text)
    at = begin
    for end in [*_ends(document.text, begin, finish), finish]:
        start, stop = _trim(document.text, at, end)
        at = end
        if stop > start and stop - start <= MAX_SENTENCE:
            claim = " ".join(document.text[start:stop].split())
            yield Sentence(document, start, stop, claim, heading, block)


def _ends(text: str, begin: int, finish: int) -> Iterator[int]:
    for found in _END.finditer(text, begin, finish):
        if not _SHORT.search(text[begin : found.start()].rstrip()[-12:]):
            yield found.end()


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
