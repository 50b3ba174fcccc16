"""What is approved without a person, on the page of policies: records, the brake, suggestions."""

from __future__ import annotations

from typing import Any, cast

import reflex as rx

from agent_console.ui.components.basics import OFFLINE, fact, facts, section, verb_button
from agent_console.ui.components.dialog_parts import complaint, line, way_out
from agent_console.ui.elements import moment
from agent_console.ui.rule_views import PastRow, SuggestionRow
from agent_console.ui.states.policy_rules import PolicyRules
from agent_console.ui.states.review_policies import ReviewPolicies

RECORD = PolicyRules.record


def past_list(found: Any, label: str) -> rx.Component:
    """Return checkpoints, linked, with how they ended."""
    return rx.el.ul(
        rx.foreach(found, lambda one: _past(cast("rx.Var[PastRow]", one))),
        class_name="card-rounds",
        aria_label=label,
        role="list",
    )


def _past(one: rx.Var[PastRow]) -> rx.Component:
    return rx.el.li(
        rx.link(one.what, href=one.href),
        rx.el.span(" ", one.ended, class_name="ac-mark", custom_attrs={"data-tone": one.tone}),
        rx.el.span(" by ", one.by, " ", moment(one.at), class_name="ac-meta"),
        rx.el.span(", risk ", one.risk, class_name="ac-meta"),
        key=one.id,
        data_testid="past-checkpoint",
    )


def record_dialog() -> rx.Component:
    """Return the dialog with the record of a policy's rule, and the brake."""
    return rx.dialog.root(
        rx.dialog.content(_record(), max_width="38rem"),
        open=PolicyRules.opened,
        on_open_change=PolicyRules.turn,
    )


def _record() -> rx.Component:
    return rx.fragment(
        rx.dialog.title("By itself: " + RECORD.title),
        rx.dialog.description(
            "What this policy approved without a person, or would have in shadow, in the last ",
            RECORD.days,
            " days, all versions.",
        ),
        facts(
            ("It approves by itself", RECORD.rule),
            ("Approved by itself", RECORD.approved.to_string()),
            fact("In shadow", RECORD.shadow, given=RECORD.shadow != ""),
        ),
        rx.cond(
            RECORD.contradictions.length() > 0,
            rx.fragment(
                rx.el.h3("People did not want so", class_name="card-h"),
                past_list(RECORD.contradictions, "What people did not want so"),
            ),
        ),
        rx.el.h3("Approved by itself, latest first", class_name="card-h"),
        rx.cond(
            RECORD.latest.length() > 0,
            past_list(RECORD.latest, "What was approved by itself"),
            rx.el.p("Nothing.", class_name="ac-meta"),
        ),
        _brake(),
    )


def _brake() -> rx.Component:
    return rx.form(
        rx.cond(
            RECORD.live,
            line("pr-reason", "reason", "Why it is stopped (for the journal)", max_length=500),
        ),
        complaint(PolicyRules.wrong),
        rx.el.div(
            way_out("Close"),
            rx.cond(
                RECORD.live,
                verb_button(
                    "Stop approving by itself",
                    reason=PolicyRules.stop_refusal,
                    type="submit",
                    variant="outline",
                    color_scheme="red",
                ),
            ),
            class_name="ac-dialogverbs",
        ),
        on_submit=PolicyRules.stop,
        reset_on_submit=True,
    )


def suggestions() -> rx.Component:
    """Return what might be approved by itself, with the evidence."""
    rows = rx.el.ul(
        rx.foreach(
            PolicyRules.suggestions, lambda one: _suggestion(cast("rx.Var[SuggestionRow]", one))
        ),
        class_name="ac-rows",
        aria_label="Suggestions",
    )
    none = rx.el.p(
        "Nothing: that takes at least 20 decisions in 30 days, every one approved as proposed.",
        class_name="ac-meta",
    )
    return rx.el.div(
        section(
            "Suggestions",
            rx.cond(
                PolicyRules.looked,
                rx.cond(PolicyRules.suggestions.length() > 0, rows, none),
                rx.el.p("Looking at what was decided…", class_name="ac-meta"),
            ),
        ),
        class_name="jt",
    )


def _suggestion(one: rx.Var[SuggestionRow]) -> rx.Component:
    return rx.el.li(
        rx.el.strong(one.title),
        rx.el.p(one.words, class_name="jt-why"),
        rx.el.p(
            "Asked from ", moment(one.first), " to ", moment(one.last), ". The latest:",
            class_name="ac-meta",
        ),
        past_list(one.rows, "The latest of them"),
        verb_button(
            "Look at the form",
            reason=one.refusal,
            size="1",
            variant="soft",
            on_click=ReviewPolicies.suggest(one.job_type, one.action, one.up_to),
            aria_label="Look at the form for " + one.title,
        ),
        key=one.key,
        class_name="ac-past rp-suggestion",
        data_testid="policy-suggestion",
    )  # fmt: skip


def try_button() -> rx.Component:
    """Return the button that tries the rule chosen in the form, and what came of it."""
    tried = ReviewPolicies.tried
    return rx.el.div(
        rx.button(
            "Try on the last 30 days",
            type="button",
            variant="soft",
            size="1",
            disabled=OFFLINE,
            on_click=ReviewPolicies.try_rule,
        ),
        rx.el.div(
            rx.cond(tried.words != "", rx.el.p(tried.words, class_name="jt-why")),
            past_list(tried.rows, "What people did not want so"),
            custom_attrs={"aria-live": "polite"},
        ),
        class_name="ac-field",
        data_testid="policy-backtest",
    )
