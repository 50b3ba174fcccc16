"""Findings on the review card: what speaks against the request, gravest first."""

from __future__ import annotations

from typing import cast

import reflex as rx

from agent_console.ui.components.review_models import BodyView, FindingView


def findings_section(body: rx.Var[BodyView]) -> rx.Component:
    """Return the part of the card that lists the findings; nothing when there are none."""
    return rx.cond(
        body.findings.length() > 0,
        rx.el.section(
            rx.el.h3("Findings", rx.el.span(body.risk, class_name="ac-meta"), class_name="card-h"),
            rx.el.ul(
                rx.foreach(body.findings, lambda one: _finding(cast("rx.Var[FindingView]", one))),
                class_name="card-findings",
                data_testid="findings",
            ),
            class_name="card-part",
        ),
    )


def _finding(item: rx.Var[FindingView]) -> rx.Component:
    return rx.el.li(
        rx.el.span(item.severity, class_name="ac-mark", custom_attrs={"data-tone": item.tone}),
        rx.el.span(
            item.message,
            rx.cond(
                item.location != "",
                rx.el.span(" ", item.location, class_name="ac-mono ac-meta"),
            ),
            class_name="card-finding",
        ),
        rx.el.span(item.rule, class_name="ac-meta"),
        key=item.key,
    )
