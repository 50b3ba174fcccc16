"""Markdown as a list of blocks that a page can show and a PDF can hold: pure, no HTML.

What an agent wrote never becomes HTML: every text is a text, tags included; images are named, not
fetched; and a link goes to the web or to a page of the console, nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

from agent_console.domain.visible import reveal

MAX_MARKDOWN = 200_000  # characters that are rendered; the rest is in the download
MAX_BLOCKS = 1_500
PLACES = ("/artifacts/", "/jobs/", "/context/", "/admin/agent-checkpoints/")  # pages to link to
_OPTIONS = {"html": False, "maxNesting": 100}
_PARSER = MarkdownIt("commonmark", _OPTIONS).enable(["table", "strikethrough"])
_STYLES = {"strong": "strong", "em": "em", "s": "strike"}


@dataclass(frozen=True, slots=True)
class SpanView:
    """A run of text in one style; ``style`` is words out of strong, em, strike and code."""

    key: str
    text: str
    style: str = ""
    href: str = ""
    outside: bool = False  # the link leaves the console


@dataclass(frozen=True, slots=True)
class ItemView:
    """An item of a list, or a later paragraph of one (no ``marker``); ``depth`` from 1."""

    key: str
    marker: str
    depth: int
    spans: list[SpanView]


@dataclass(frozen=True, slots=True)
class CellView:
    """A cell of a table."""

    key: str
    spans: list[SpanView]


@dataclass(frozen=True, slots=True)
class LineView:
    """A row of a table."""

    key: str
    cells: list[CellView]


@dataclass(frozen=True, slots=True)
class BlockView:
    """A block; ``kind`` is h2, h3, h4, text, quote, list, code, table or rule."""

    key: str
    kind: str
    spans: list[SpanView] = field(default_factory=list)
    points: list[ItemView] = field(default_factory=list)
    head: list[CellView] = field(default_factory=list)
    lines: list[LineView] = field(default_factory=list)
    text: str = ""


def blocks(markdown: str) -> list[BlockView]:
    """Return the blocks of ``markdown``, at most ``MAX_BLOCKS`` of its beginning."""
    beginning = markdown[:MAX_MARKDOWN]
    found = _Reader(_PARSER.parse(beginning)).read()
    # The parser leaves out what is nested beyond its limit: nothing may be hidden by that.
    return found or ([BlockView("0", "code", text=_clean(beginning))] if beginning.strip() else [])


class _Reader:
    """Walks the flat tokens once, keeping track of the lists and quotes it is in."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._made: list[BlockView] = []
        self._items: list[ItemView] = []
        self._lists: list[int | None] = []  # the next number of each open list; None: bullets
        self._quotes = 0
        self._marker = ""
        self._cells: list[CellView] = []
        self._head: list[CellView] = []
        self._lines: list[LineView] = []

    def read(self) -> list[BlockView]:
        """Return the blocks."""
        kind = "text"
        for token in self._tokens:
            if len(self._made) >= MAX_BLOCKS:
                break
            if token.type == "heading_open":
                kind = f"h{min(int(token.tag[1]) + 1, 4)}"
            elif token.type == "heading_close":
                kind = "text"
            elif token.type == "inline":
                self._inline(kind, token)
            elif token.type in {"fence", "code_block"}:
                self._add("code", text=_clean(token.content.rstrip("\n")))
            elif token.type == "hr":
                self._add("rule")
            else:
                self._structure(token)
        self._end_list()
        return self._made

    def _structure(self, token: Token) -> None:
        if token.type in {"bullet_list_open", "ordered_list_open"}:
            start = token.attrs.get("start", 1)
            self._lists.append(int(start) if token.type.startswith("ordered") else None)
        elif token.type in {"bullet_list_close", "ordered_list_close"}:
            self._lists.pop()
            if not self._lists:
                self._end_list()
        elif token.type == "list_item_open":
            number = self._lists[-1]
            self._marker = "•" if number is None else f"{number}."
            self._lists[-1] = None if number is None else number + 1
        elif token.type in {"blockquote_open", "blockquote_close"}:
            self._quotes += token.nesting
        else:
            self._table(token)

    def _table(self, token: Token) -> None:
        if token.type == "thead_close":
            self._head, self._lines = self._lines[0].cells, []
        elif token.type == "tr_close":
            self._lines.append(LineView(str(len(self._lines)), self._cells))
            self._cells = []
        elif token.type == "table_close":
            self._add("table", head=self._head, lines=self._lines)
            self._head, self._lines = [], []
        elif token.type in {"th_open", "td_open"}:
            self._cells.append(CellView(str(len(self._cells)), []))

    def _inline(self, kind: str, token: Token) -> None:
        spans = list(_spans(token.children or []))
        if self._cells:
            self._cells[-1].spans.extend(spans)
        elif self._lists and kind == "text":
            key, depth = str(len(self._items)), min(len(self._lists), 6)
            self._items.append(ItemView(key, self._marker, depth, spans))
            self._marker = ""
        else:
            self._add("quote" if self._quotes and kind == "text" else kind, spans=spans)

    def _add(self, kind: str, **parts: object) -> None:
        self._end_list()
        self._made.append(BlockView(str(len(self._made)), kind, **parts))  # type: ignore[arg-type]

    def _end_list(self) -> None:
        if self._items:
            items, self._items = self._items, []
            self._made.append(BlockView(str(len(self._made)), "list", points=items))


def _clean(text: str) -> str:
    return reveal(text).text


def _spans(tokens: Sequence[Token]) -> Iterator[SpanView]:
    """Return the runs of a paragraph, in order."""
    styles: list[str] = []
    href, outside = "", False
    for number, token in enumerate(tokens):
        name = token.type.removesuffix("_open").removesuffix("_close")
        if name in _STYLES:
            if token.nesting > 0:
                styles.append(_STYLES[name])
            else:
                styles.remove(_STYLES[name])
        elif name == "link":
            href, outside = _target(token) if token.nesting > 0 else ("", False)
        elif text := _words(token):
            style = [*styles, "code"] if token.type == "code_inline" else styles
            yield SpanView(str(number), text, " ".join(style), href, outside)


def _words(token: Token) -> str:
    if token.type == "softbreak":
        return " "
    if token.type == "hardbreak":
        return "\n"
    if token.type == "image":
        return f"[image: {_clean(token.content) or 'no description'}]"
    return _clean(token.content)


def _target(token: Token) -> tuple[str, bool]:
    """Return where a link goes and whether that is outside; nothing for what is not allowed."""
    href = str(token.attrs.get("href", ""))
    if href.startswith(PLACES) and ".." not in href:
        return href, False
    try:
        parts = urlsplit(href)
    except ValueError:
        return "", False
    allowed = parts.scheme in {"http", "https"} and bool(parts.netloc)
    return (href, True) if allowed else ("", False)
