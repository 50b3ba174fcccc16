"""What changes: diffs of texts and rows, images; readable by sign as well as by colour."""

from __future__ import annotations

from typing import cast

import reflex as rx

from agent_console.ui.components.change_models import (
    CellView,
    ChangeView,
    RecordView,
)
from agent_console.ui.components.file_diff import file_diff, layout_switch
from agent_console.ui.components.image_change import image_change


def changes(items: rx.Var[list[ChangeView]]) -> rx.Component:
    """Show every change, open: nothing above a verdict is folded away by itself."""
    return rx.el.div(
        layout_switch(),
        rx.foreach(items, lambda one: _change(cast("rx.Var[ChangeView]", one))),
        class_name="diff-list",
    )


def _change(item: rx.Var[ChangeView]) -> rx.Component:
    return rx.el.details(
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
            ("file", file_diff(item)),
            ("text", file_diff(item)),
            ("rows", _rows(item)),
            ("image", image_change(item)),
            rx.el.pre(item.text, class_name="json-text", tab_index=0),
        ),
        rx.cond(item.note != "", rx.el.p(item.note, class_name="diff-note")),
        open=True,
        class_name="diff",
        key=item.key,
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
