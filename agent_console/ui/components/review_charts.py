"""How reviewing goes, on the overview: tiles, stages and ends over time, ages, kinds."""

from __future__ import annotations

from typing import cast

import reflex as rx

from agent_console.ui.components.basics import section
from agent_console.ui.components.charts import ages, endings, stages
from agent_console.ui.review_figure_views import KindRow, ReviewsView, Tile

_COLUMNS = ("Kind", "Ended", "To first seen", "To decided", "Expired", "Edited", "Changes")


def reviews_section(view: rx.Var[ReviewsView]) -> rx.Component:
    """Return the part of the page that is about reviews."""
    return rx.fragment(
        rx.el.h2("Reviews", class_name="ac-h2 ac-part"),
        rx.el.ul(
            rx.foreach(view.tiles, lambda one: tile(cast("rx.Var[Tile]", one))),
            class_name="ac-figures",
            aria_label="Review figures",
        ),
        rx.el.p(view.summary, class_name="ac-sr"),
        rx.el.div(
            section(
                "Stages, median",
                chart(view.has_times, stages(view.points), "Nothing was reviewed in this time."),
            ),
            section(
                "How reviews ended",
                chart(view.has_ends, endings(view.points), "No review ended in this time."),
            ),
            section(
                "Waiting now, by age",
                chart(view.waiting > 0, ages(view.ages), "Nothing waits."),
            ),
            section(
                "By job type and risk",
                chart(view.rows.length() > 0, _table(view), "No review ended in this time."),
            ),
            class_name="ac-charts",
        ),
    )


def tile(one: rx.Var[Tile]) -> rx.Component:
    """Return a figure with its name, as a link."""
    return rx.el.li(
        rx.link(
            rx.el.span(one.value, class_name="ac-number", data_tone=one.tone),
            rx.el.span(one.label, class_name="ac-meta"),
            href=one.href,
            underline="none",
        ),
        key=one.label,
    )


def chart(given: rx.Var[bool], drawn: rx.Component, none: str) -> rx.Component:
    """Return what is ``drawn``, or the sentence ``none`` in its place."""
    return rx.cond(given, drawn, rx.el.p(none, class_name="ac-chartless"))


def _table(view: rx.Var[ReviewsView]) -> rx.Component:
    head = [rx.el.th(name, scope="col") for name in _COLUMNS]
    return rx.el.div(
        rx.el.table(
            rx.el.thead(rx.el.tr(*head)),
            rx.el.tbody(rx.foreach(view.rows, lambda one: _row(cast("rx.Var[KindRow]", one)))),
            class_name="ac-kinds",
        ),
        class_name="ac-kinds-box",
        tab_index=0,
        role="region",
        aria_label="Reviews by job type and risk",
    )


def _row(one: rx.Var[KindRow]) -> rx.Component:
    cells = (one.ended, one.seen, one.decided, one.expired, one.edited, one.changes)
    return rx.el.tr(
        rx.el.th(one.name, scope="row"),
        *[rx.el.td(cell) for cell in cells],
        key=one.name,
    )
