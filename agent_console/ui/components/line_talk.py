"""What was said to a line of a difference, below that line; the thread has it as well."""

from __future__ import annotations

from typing import cast

import reflex as rx

from agent_console.ui.components.comment_models import RemarkView
from agent_console.ui.elements import NativeLink, moment


def line_talk(said: rx.Var[list[RemarkView]], label: rx.Var[str]) -> rx.Component:
    """Return the comments on one line, oldest first; ``label`` says of which. Text stays text."""
    return rx.el.ul(
        rx.foreach(said, lambda one: _remark(cast("rx.Var[RemarkView]", one))),
        class_name="diff-talk",
        aria_label=label,
        role="list",
    )


def _remark(one: rx.Var[RemarkView]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.strong(one.author),
            moment(one.at),
            rx.cond(one.round != "", rx.el.span("in ", one.round)),
            rx.cond(one.edited, rx.el.span("edited")),
            rx.cond(
                one.href != "",
                NativeLink.create(
                    "In the thread",
                    href=one.href,
                    aria_label="In the thread: comment by " + one.author,
                    class_name="comment-where",
                ),
            ),
            class_name="card-line ac-meta",
        ),
        rx.el.p(one.text, class_name="comment-text"),
        key=one.id,
    )
