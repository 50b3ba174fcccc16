"""The rounds of a proposal on the review card: what was said before, and what changed since."""

from __future__ import annotations

from typing import cast

import reflex as rx

from agent_console.ui import theme
from agent_console.ui.components.basics import status_mark, words
from agent_console.ui.components.diff import changes
from agent_console.ui.components.review_models import BodyView, RoundView, RulingView
from agent_console.ui.elements import moment


def rounds_section(body: rx.Var[BodyView], ruling: rx.Var[RulingView]) -> rx.Component:
    """Return the chain of rounds and the difference to the one before; nothing in a first one."""
    return rx.fragment(
        rx.cond(
            ruling.rounds.length() > 0,
            rx.el.section(
                rx.el.h3("Rounds", class_name="card-h"),
                rx.el.ol(
                    rx.foreach(ruling.rounds, lambda one: _round(cast("rx.Var[RoundView]", one))),
                    class_name="card-rounds",
                    role="list",
                    data_testid="rounds",
                ),
                class_name="card-part",
            ),
        ),
        rx.cond(
            body.since_word != "",
            rx.el.section(
                rx.el.h3(body.since_word, class_name="card-h"),
                rx.cond(
                    body.since.length() > 0,
                    changes(body.since),
                    rx.el.p("Nothing: the data are the same as before.", class_name="ac-meta"),
                ),
                class_name="card-part",
                data_testid="since-last",
            ),
        ),
    )


def _round(one: rx.Var[RoundView]) -> rx.Component:
    name = rx.cond(
        one.current,
        rx.el.strong(one.name),
        rx.link(one.name, href=one.href),
    )
    return rx.el.li(
        rx.el.div(
            name,
            status_mark(one.status, theme.CHECKPOINT_MARKS),
            rx.cond(one.who != "", rx.el.span("by ", one.who, class_name="ac-quiet")),
            rx.el.span(moment(one.at), class_name="ac-meta"),
            class_name="card-line",
        ),
        rx.cond(one.said != "", rx.el.blockquote(one.said, class_name="card-words")),
        key=one.id,
        custom_attrs={"aria-current": words(one.current, "step", "false")},
    )
