"""The difference of a text: unified or side by side, read by ear as well as by eye.

Which of the two is the browser's to know: it keeps the choice, and a narrow one has none
(``assets/diff.js``). Syntax colour comes from there too, over plain text.
"""

from __future__ import annotations

from typing import cast

import reflex as rx
from reflex.vars import VarData
from reflex_base.utils.imports import ImportVar

from agent_console.ui.components.basics import icon, words
from agent_console.ui.components.change_models import (
    ChangeView,
    LineView,
    PairView,
    PartView,
)

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


def file_diff(item: rx.Var[ChangeView]) -> rx.Component:
    """Show the lines of ``item``; side by side where that was chosen and both sides have text."""
    return rx.cond(SPLIT & (item.pairs.length() > 0), _split(item), _unified(item))


def _unified(item: rx.Var[ChangeView]) -> rx.Component:
    lines = rx.foreach(item.lines, lambda one: _line(cast("rx.Var[LineView]", one)))
    return _table(item, _heads("Line before", "Line after", "Change", "Text"), lines, "unified")


def _split(item: rx.Var[ChangeView]) -> rx.Component:
    # Another name than that of the loop around: within, theirs would hide ``item``.
    rows = rx.foreach(item.pairs, lambda pair: _pair(item, cast("rx.Var[PairView]", pair)))
    heads = _heads("Line before", "Change", "Before", "Line after", "Change", "After")
    return _table(item, heads, rows, "split")


def _table(
    item: rx.Var[ChangeView], heads: rx.Component, rows: rx.Component, layout: str
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


def _line(line: rx.Var[LineView]) -> rx.Component:
    return rx.el.tr(
        rx.el.td(line.old, class_name="diff-number"),
        rx.el.td(line.new, class_name="diff-number"),
        _sign(line),
        _text(line),
        class_name=line.css,
    )


def _pair(item: rx.Var[ChangeView], pair: rx.Var[PairView]) -> rx.Component:
    left = cast("rx.Var[LineView]", item.lines[pair.left])
    right = cast("rx.Var[LineView]", item.lines[pair.right])
    return rx.cond(
        pair.hunk,
        rx.el.tr(rx.el.td(left.text, class_name="diff-text", col_span=6), class_name="diff-hunk"),
        rx.el.tr(
            _half(pair.left >= 0, left, left.old),
            _half(pair.right >= 0, right, right.new),
        ),
    )


def _half(there: rx.Var[bool], line: rx.Var[LineView], number: rx.Var[str]) -> rx.Component:
    css = line.css.to(str)
    return rx.cond(
        there,
        rx.fragment(
            rx.el.td(number, class_name="diff-number " + css),
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
