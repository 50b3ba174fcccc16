"""What changes: diffs of texts and rows, images; readable by sign as well as by colour."""

from __future__ import annotations

from typing import cast

import reflex as rx

from agent_console.ui.components.change_models import (
    CellView,
    ChangeView,
    RecordView,
)
from agent_console.ui.components.file_diff import OnCard, file_diff, layout_switch
from agent_console.ui.components.image_change import image_change


def changes(items: rx.Var[list[ChangeView]], card: OnCard | None = None) -> rx.Component:
    """Show every change, open: nothing above a verdict is folded away by itself.

    ``card`` is what a review card adds to them.
    """
    several = items.length() > 1
    shown = rx.foreach(items, lambda one: _change(cast("rx.Var[ChangeView]", one), several, card))
    if card is None:
        return rx.el.div(layout_switch(), shown, class_name="diff-list")
    return rx.el.div(
        layout_switch(),
        # Which ones were viewed is the browser's to know (assets/diff.js): it writes how many.
        rx.cond(several, rx.el.p(class_name="ac-meta diff-viewed-count", role="status")),
        shown,
        class_name="diff-list",
        custom_attrs={"data-viewed-of": card.of},
    )


def _change(item: rx.Var[ChangeView], several: rx.Var[bool], card: OnCard | None) -> rx.Component:
    told = rx.el.details(
        rx.el.summary(
            rx.icon("chevron_right", size=14, class_name="diff-chevron", aria_hidden=True),
            rx.el.span(item.title, class_name="diff-title"),
            rx.el.span(item.word, class_name="diff-word"),
            rx.el.span(
                rx.cond(item.added != "", rx.el.span(item.added, class_name="diff-plus")),
                rx.cond(item.removed != "", rx.el.span(item.removed, class_name="diff-minus")),
                class_name="diff-counts",
            ),
        ),
        rx.match(
            item.kind,
            ("file", file_diff(item, card)),
            ("text", file_diff(item, card)),
            ("rows", _rows(item)),
            ("image", image_change(item)),
            rx.el.pre(item.text, class_name="json-text", tab_index=0),
        ),
        rx.cond(item.note != "", rx.el.p(item.note, class_name="diff-note")),
        open=True,
        class_name="diff",
        key=item.key,
    )
    if card is None:
        return told
    # Beside the head, not in it: a control within a control is none for who hears the page.
    box = rx.cond(several, _viewed(item))
    return rx.el.div(told, box, class_name="diff-file", key=item.key)


def _viewed(item: rx.Var[ChangeView]) -> rx.Component:
    return rx.el.label(
        rx.el.input(
            type="checkbox",
            aria_label="Viewed: " + item.title.to(str),
            custom_attrs={"data-viewed": item.key, "data-kind": item.kind},
        ),
        rx.el.span("Viewed", aria_hidden=True),
        class_name="diff-viewed",
    )


def _rows(item: rx.Var[ChangeView]) -> rx.Component:
    return rx.el.div(
        rx.el.table(
            rx.el.thead(
                rx.el.tr(
                    rx.el.th(rx.el.span("Change", class_name="ac-sr"), scope="col"),
                    rx.foreach(
                        item.columns,
                        lambda one: rx.el.th(one.text, scope="col", class_name=one.css),
                    ),
                )
            ),
            rx.el.tbody(
                rx.foreach(item.records, lambda one: _record(cast("rx.Var[RecordView]", one)))
            ),
            class_name="rowdiff",
            aria_label="Rows before and after: " + item.title.to(str),
        ),
        class_name="rowdiff-box",
        role="region",
        aria_label=item.title,
        tab_index=0,
    )


def _record(record: rx.Var[RecordView]) -> rx.Component:
    return rx.el.tr(
        rx.el.th(
            rx.el.span(record.sign, aria_hidden=True),
            rx.el.span(record.word, class_name="ac-sr"),
            scope="row",
            class_name="rowdiff-sign",
        ),
        rx.foreach(
            record.cells,
            lambda one: _cell(cast("rx.Var[CellView]", one)),
        ),
        class_name=record.css,
    )


def _cell(cell: rx.Var[CellView]) -> rx.Component:
    return rx.el.td(cell.text, class_name=cell.css)
