"""Who is asked on a review card, who has said what, and what the deadline brings."""

from __future__ import annotations

from typing import cast

import reflex as rx

from agent_console.ui.components.basics import OFFLINE, fact, facts, icon, verb_button, words
from agent_console.ui.components.review_models import RulingView, VoteView
from agent_console.ui.elements import moment


def asked_facts(ruling: rx.Var[RulingView]) -> rx.Component:
    """Return the review policy that holds, or was applied."""
    asked = ruling.asked
    policy = rx.link(
        words(asked.policy != "", asked.policy, "none saved"),
        href=asked.policy_href,
        class_name="card-job",
    )
    return facts(
        fact("Who is asked", asked.who, given=ruling.pending),
        fact("Approvals", asked.approvals, given=asked.approvals != ""),
        ("Review policy", policy),
    )


def by_itself(ruling: rx.Var[RulingView], stop: rx.event.EventType[()]) -> rx.Component:
    """Return what a rule on automatic approval had to do with it; ``stop`` ends the rule."""
    asked = ruling.asked
    stops = verb_button(
        "Stop approving by itself",
        reason=asked.stop_refusal,
        on_click=stop,
        size="1",
        variant="outline",
        color_scheme="red",
    )
    return rx.cond(
        asked.by_itself != "",
        rx.el.div(
            rx.el.span(asked.by_itself),
            rx.cond(asked.stops_type != "", stops),
            class_name="card-line",
            data_testid="by-itself",
        ),
    )


def deadline_fact(ruling: rx.Var[RulingView]) -> rx.Component:
    """Return what happens when nobody decides in time."""
    return rx.cond(
        ruling.expires_at != "",
        rx.el.span(moment(ruling.expires_at, "until"), ": ", ruling.asked.at_deadline, "."),
        rx.el.span("It does not expire."),
    )


def votes_section(ruling: rx.Var[RulingView], withdraw: rx.event.EventType[()]) -> rx.Component:
    """Return what was said by those who have to agree; nothing where one person decides."""
    asked = ruling.asked
    return rx.cond(
        asked.votes.length() > 0,
        rx.el.section(
            rx.el.h3(
                "Said so far",
                rx.cond(asked.approvals != "", rx.el.span(asked.approvals, class_name="ac-meta")),
                class_name="card-h",
            ),
            rx.el.ul(
                rx.foreach(asked.votes, lambda one: _vote(cast("rx.Var[VoteView]", one), withdraw)),
                class_name="card-rounds",
            ),
            class_name="card-part",
            data_testid="votes",
            custom_attrs={"aria-live": "polite"},
        ),
    )


def _vote(one: rx.Var[VoteView], withdraw: rx.event.EventType[()]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.strong(one.who),
            rx.el.span(
                icon("check", 13),
                one.verb,
                class_name="ac-mark",
                custom_attrs={"data-tone": one.tone},
            ),
            rx.el.span(moment(one.at), class_name="ac-meta"),
            rx.cond(
                one.own,
                rx.button(
                    "Withdraw",
                    on_click=withdraw,
                    size="1",
                    variant="soft",
                    color_scheme="gray",
                    disabled=OFFLINE,
                ),
            ),
            class_name="card-line",
        ),
        rx.cond(one.said != "", rx.el.blockquote(one.said, class_name="card-words")),
        key=one.key,
    )
