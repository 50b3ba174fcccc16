"""The difference of a text: unified or side by side, read by ear as well as by eye.

Which of the two is the browser's to know: it keeps the choice, and a narrow one has none
(``assets/diff.js``). Syntax colour comes from there too, over plain text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import reflex as rx
from reflex.vars import VarData
from reflex_base.utils.imports import ImportVar

from agent_console.domain.anchors import SIDE_WORDS
from agent_console.ui.components.basics import icon, words
from agent_console.ui.components.change_models import (
    ChangeView,
    LineView,
    PairView,
    PartView,
)
from agent_console.ui.components.comment_models import RemarkView
from agent_console.ui.components.line_talk import line_talk

# Only one of the two layouts is ever in the page: a long diff would cost twice.
_HOOK = (
    "const diffSplit = useSyncExternalStore("
    "(changed) => { window.addEventListener('ac-diff-view', changed);"
    " return () => window.removeEventListener('ac-diff-view', changed); },"
    " () => document.documentElement.dataset.diffView === 'split', () => false)"
)
SPLIT: rx.vars.BooleanVar = rx.Var(
    "diffSplit",
    _var_data=VarData(
        hooks={_HOOK: None}, imports={"react": [ImportVar(tag="useSyncExternalStore")]}
    ),
).to(bool)


@dataclass(frozen=True, slots=True, kw_only=True)
class OnCard:
    """What a review card adds to its differences: comments on their lines, and Viewed boxes.

    ``of`` names what is reviewed, for the boxes; ``may`` says whether to offer comments, and
    ``said`` counts those that there are by the id of the line, ``below`` are those to show there.
    """

    of: rx.Var[str]
    may: rx.Var[bool]
    said: rx.Var[dict[str, int]]
    below: rx.Var[dict[str, list[RemarkView]]]


def layout_switch() -> rx.Component:
    """Return the choice between the two layouts; not on screens too narrow for two columns."""
    return rx.el.div(
        _choice("unified", "rows_2", "Unified", ~SPLIT),
        _choice("split", "columns_2", "Side by side", SPLIT),
        class_name="diff-switch",
        role="group",
        aria_label="Layout of differences",
    )


def _choice(view: str, icon_name: str, label: str, chosen: rx.Var[bool]) -> rx.Component:
    return rx.el.button(
        icon(icon_name, 14),
        label,
        type="button",
        custom_attrs={"data-diff-choice": view, "aria-pressed": words(chosen, "true", "false")},
    )


def file_diff(item: rx.Var[ChangeView], card: OnCard | None = None) -> rx.Component:
    """Show the lines of ``item``; side by side where that was chosen and both sides have text.

    On a ``card`` people may comment on its lines.
    """
    return rx.cond(SPLIT & (item.pairs.length() > 0), _split(item, card), _unified(item, card))


def _unified(item: rx.Var[ChangeView], card: OnCard | None) -> rx.Component:
    # Other names than those of the loop around: within, theirs would hide ``item``.
    lines = rx.foreach(
        item.lines,
        lambda line, row: _line(_Numbers(item, card, row == 1), cast("rx.Var[LineView]", line)),
    )
    heads = _heads("Line before", "Line after", "Change", "Text")
    return _table(item, heads, lines, "unified", card)


def _split(item: rx.Var[ChangeView], card: OnCard | None) -> rx.Component:
    rows = rx.foreach(
        item.pairs,
        lambda pair, row: _pair(_Numbers(item, card, row == 1), cast("rx.Var[PairView]", pair)),
    )
    heads = _heads("Line before", "Change", "Before", "Line after", "Change", "After")
    return _table(item, heads, rows, "split", card)


def _table(
    item: rx.Var[ChangeView],
    heads: rx.Component,
    rows: rx.Component,
    layout: str,
    card: OnCard | None,
) -> rx.Component:
    return rx.el.table(
        heads,
        rx.el.tbody(rows),
        class_name="diff-table",
        aria_label="Changes to " + item.title.to(str),
        custom_attrs={
            "data-layout": layout,
            "data-prose": words(item.prose, "yes", "no"),
            "data-sides": words(item.pairs.length() > 0, "two", "one"),
            "data-says": "no" if card is None else words(card.may, "yes", "no"),
        },
    )


def _heads(*names: str) -> rx.Component:
    """Return the column heads, for who hears the table: signs and numbers say it to the eye."""
    css = {"Change": "diff-sign", "Line before": "diff-number", "Line after": "diff-number"}
    return rx.el.thead(
        rx.el.tr(
            *[
                rx.el.th(
                    rx.el.span(name, class_name="ac-sr"),
                    scope="col",
                    class_name=css.get(name, ""),
                )
                for name in names
            ]
        ),
        class_name="diff-heads",
    )


_NONE: rx.Var[str] = rx.Var("undefined").to(str)  # an attribute that is not there


@dataclass(frozen=True, slots=True)
class _Numbers:
    """The numbers of a row.

    Only one button of a table is in the order of Tab, in its ``first`` row: the arrow keys go on
    from there (``assets/diff.js``).
    """

    item: rx.Var[ChangeView]
    card: OnCard | None
    first: rx.Var[bool]

    def cell(
        self, side: str, number: rx.Var[str], tab: rx.Var[bool] | bool, css: rx.Var[str] | str = ""
    ) -> rx.Component:
        """Return the cell of a line's number; ``tab`` says whether its button comes first."""
        name = "diff-number " + css
        if self.card is None:
            return rx.el.td(number, class_name=name)
        place = self._place(side, number)
        count = self.card.said.to(dict[str, int])[place]
        many = words(count == 1, "1 comment", count.to(str) + " comments")
        button = rx.el.button(
            number,
            type="button",
            tab_index=words(self.first & tab, "0", "-1").to(int),
            class_name="diff-say",
            aria_label=f"Comment on line {number}, {SIDE_WORDS[side]}",
        )
        return rx.el.td(
            rx.cond(
                number != "",
                rx.fragment(
                    rx.cond(count, rx.el.span(count, title=many, class_name="diff-said")),
                    rx.cond(self.card.may, button, number),
                ),
            ),
            id=words(number != "", place, _NONE),
            # Who hears the row hears its numbers, and not what their buttons would do.
            aria_label=words(number != "", words(count, number + ", " + many, number), _NONE),
            class_name=name,
        )

    def talk(
        self, row: rx.Component, old: rx.Var[str], new: rx.Var[str], *, split: bool
    ) -> rx.Component:
        """Return ``row`` with what was said to its lines below it; ``split``: each on its side."""
        if self.card is None:
            return row
        below = self.card.below.to(dict[str, list[RemarkView]])
        sides = [
            (cast("rx.Var[list[RemarkView]]", below[self._place(side, number)]), side, number)
            for side, number in (("before", old), ("after", new))
        ]
        told = [
            rx.cond(said, line_talk(said, f"Comments on line {number}, {SIDE_WORDS[side]}"))
            for said, side, number in sides
        ]
        cells = (
            [rx.el.td(one, col_span=3, class_name="diff-below") for one in told]
            if split
            else [rx.el.td(*told, col_span=4, class_name="diff-below")]
        )
        both = sides[0][0].bool() | sides[1][0].bool()
        return rx.fragment(row, rx.cond(both, rx.el.tr(*cells)))

    def _place(self, side: str, number: rx.Var[str]) -> rx.Var[str]:
        """Return the id of a line in the page."""
        return cast("rx.Var[str]", "line-" + self.item.key.to(str) + f"-{side}-" + number.to(str))


def _line(numbers: _Numbers, line: rx.Var[LineView]) -> rx.Component:
    row = rx.el.tr(
        numbers.cell("before", line.old, tab=True),
        numbers.cell("after", line.new, tab=line.old == ""),
        _sign(line),
        _text(line),
        class_name=line.css,
    )
    return numbers.talk(row, line.old, line.new, split=False)


def _pair(numbers: _Numbers, pair: rx.Var[PairView]) -> rx.Component:
    left = cast("rx.Var[LineView]", numbers.item.lines[pair.left])
    right = cast("rx.Var[LineView]", numbers.item.lines[pair.right])
    was, now = left.css.to(str), right.css.to(str)
    before = numbers.cell("before", left.old, tab=True, css=was)
    after = numbers.cell("after", right.new, tab=pair.left < 0, css=now)
    row = rx.el.tr(
        _half(pair.left >= 0, left, before),
        _half(pair.right >= 0, right, after),
    )
    # Of a side that is not there, place -1 would be the last line's.
    old = words(pair.left >= 0, left.old, "")
    new = words(pair.right >= 0, right.new, "")
    return rx.cond(
        pair.hunk,
        rx.el.tr(rx.el.td(left.text, class_name="diff-text", col_span=6), class_name="diff-hunk"),
        numbers.talk(row, old, new, split=True),
    )


def _half(there: rx.Var[bool], line: rx.Var[LineView], number: rx.Component) -> rx.Component:
    css = line.css.to(str)
    return rx.cond(
        there,
        rx.fragment(
            number,
            _sign(line, css),
            _text(line, css),
        ),
        rx.el.td(col_span=3, class_name="diff-void"),
    )


def _sign(line: rx.Var[LineView], css: rx.Var[str] | str = "") -> rx.Component:
    spoken = rx.fragment(
        rx.el.span(line.sign, aria_hidden=True), rx.el.span(line.word, class_name="ac-sr")
    )
    return rx.el.td(rx.cond(line.word != "", spoken), class_name="diff-sign " + css)


def _text(line: rx.Var[LineView], css: rx.Var[str] | str = "") -> rx.Component:
    parts = rx.foreach(line.parts, lambda one: _part(cast("rx.Var[PartView]", one)))
    return rx.el.td(
        rx.cond(line.parts.length() > 0, parts, line.text),
        class_name="diff-text " + css,
        custom_attrs={"data-colours": line.colours},
    )


def _part(part: rx.Var[PartView]) -> rx.Component:
    return rx.cond(part.mark, rx.el.mark(part.text, class_name="diff-mark"), part.text)
