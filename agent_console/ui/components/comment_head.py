"""Who said something and when: above a comment in the thread, and above one below its line."""

from __future__ import annotations

from typing import TypeVar

import reflex as rx

from agent_console.ui.components.comment_models import CommentView, RemarkView
from agent_console.ui.elements import moment

Said = TypeVar("Said", CommentView, RemarkView)


def comment_head(one: rx.Var[Said], *more: rx.Component) -> rx.Component:
    """Return author, time and round of a comment, and behind them ``more``."""
    return rx.el.div(
        rx.el.strong(one.author),
        moment(one.at),
        rx.cond(one.round != "", rx.el.span("in ", one.round)),
        rx.cond(one.edited, rx.el.span("edited")),
        *more,
        class_name="card-line ac-meta",
    )
