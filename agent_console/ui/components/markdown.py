"""Markdown blocks as plain components; nothing here knows HTML."""

from __future__ import annotations

from typing import cast

import reflex as rx

from agent_console.services.markdown_blocks import BlockView, CellView, ItemView, LineView, SpanView
from agent_console.ui.components.basics import pick
from agent_console.ui.elements import NativeLink


def markdown(blocks: rx.Var[list[BlockView]]) -> rx.Component:
    """Show ``blocks`` as one text."""
    return rx.el.div(
        rx.foreach(blocks, lambda one: _block(cast("rx.Var[BlockView]", one))), class_name="md"
    )


def _block(block: rx.Var[BlockView]) -> rx.Component:
    spans = _spans(block.spans)
    code = rx.el.pre(block.text, class_name="ac-code", tab_index=0, aria_label="Code")
    items = rx.el.ul(
        rx.foreach(block.points, lambda one: _item(cast("rx.Var[ItemView]", one))), role="list"
    )
    return rx.el.div(
        pick(
            block.kind,
            ("h2", rx.el.h2(spans)),
            ("h3", rx.el.h3(spans)),
            ("h4", rx.el.h4(spans)),
            ("quote", rx.el.blockquote(spans)),
            ("code", code),
            ("list", items),
            ("table", _table(block)),
            ("rule", rx.el.hr()),
            rx.el.p(spans),
        ),
        key=block.key,
    )


def _spans(spans: rx.Var[list[SpanView]]) -> rx.Component:
    return rx.foreach(spans, lambda one: _span(cast("rx.Var[SpanView]", one)))


def _span(span: rx.Var[SpanView]) -> rx.Component:
    text = rx.el.span(span.text, class_name="md-" + span.style.replace(" ", " md-"))
    outside = NativeLink.create(
        text, href=span.href, custom_attrs={"target": "_blank", "rel": "noopener noreferrer"}
    )
    link = rx.cond(span.outside, outside, rx.link(text, href=span.href))
    return rx.fragment(rx.cond(span.href != "", link, text), key=span.key)


def _item(item: rx.Var[ItemView]) -> rx.Component:
    return rx.el.li(
        rx.el.span(item.marker, class_name="md-marker"),
        rx.el.span(_spans(item.spans)),
        key=item.key,
        custom_attrs={"data-depth": item.depth.to_string()},
    )


def _table(block: rx.Var[BlockView]) -> rx.Component:
    return rx.el.div(
        rx.el.table(
            rx.el.thead(
                rx.el.tr(
                    rx.foreach(
                        block.head,
                        lambda one: rx.el.th(
                            _spans(cast("rx.Var[CellView]", one).spans), key=one.key, scope="col"
                        ),
                    )
                )
            ),
            rx.el.tbody(rx.foreach(block.lines, lambda one: _line(cast("rx.Var[LineView]", one)))),
        ),
        class_name="md-table",
        tab_index=0,
        role="group",
        aria_label="Table",
    )


def _line(line: rx.Var[LineView]) -> rx.Component:
    return rx.el.tr(
        rx.foreach(
            line.cells,
            lambda one: rx.el.td(_spans(cast("rx.Var[CellView]", one).spans), key=one.key),
        ),
        key=line.key,
    )
