"""What was said to a line of a difference, below that line; the thread has it as well."""

from __future__ import annotations

from typing import cast

import reflex as rx

from agent_console.ui.components.comment_head import comment_head
from agent_console.ui.components.comment_models import RemarkView
from agent_console.ui.elements import NativeLink


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
        comment_head(
            one,
            rx.cond(
                one.href != "",
                NativeLink.create(
                    "In the thread",
                    href=one.href,
                    aria_label="In the thread: comment by " + one.author,
                    class_name="comment-where",
                ),
            ),
        ),
        rx.el.p(one.text, class_name="comment-text"),
        key=one.id,
    )
