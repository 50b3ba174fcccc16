"""The journal's proof and retention, as the audit page shows them."""

from __future__ import annotations

import reflex as rx

from agent_console.ui.components.basics import OFFLINE, icon, section, words
from agent_console.ui.elements import moment
from agent_console.ui.seal_views import KeptRow
from agent_console.ui.states.seals import Seals

PROOF, KEPT = Seals.integrity, Seals.retention


def _said(text: rx.Var[str], at: rx.Var[str], tone: rx.Var[str] | str = "") -> rx.Component:
    return rx.el.span(
        rx.el.span(class_name="audit-dot", data_tone=tone),
        text,
        rx.cond(at != "", rx.el.span(moment(at), class_name="ac-meta")),
        class_name="seal-fact",
    )


def seal_bar() -> rx.Component:
    """Say how far the journal is sealed and verified, with the button that verifies it."""
    running = PROOF.running != ""
    return rx.cond(
        Seals.loaded & (Seals.problem == ""),
        rx.el.div(
            _said(PROOF.sealed, PROOF.sealed_at),
            _said(PROOF.verified, PROOF.verified_at, PROOF.tone),
            rx.cond(PROOF.reason != "", rx.el.span(PROOF.reason, class_name="seal-reason")),
            rx.el.span(
                rx.cond(running, rx.el.span(PROOF.running, class_name="ac-meta")),
                rx.button(
                    icon("shield_check", 15),
                    words(running, "Verifying…", "Verify"),
                    size="2",
                    variant="soft",
                    color_scheme="gray",
                    disabled=OFFLINE | running,
                    on_click=Seals.verify,
                ),
                class_name="seal-verb",
            ),
            role="group",
            aria_label="Proof of the journal",
            class_name="seal-bar",
        ),
    )


def _row(row: rx.Var[KeptRow]) -> rx.Component:
    return rx.el.li(
        rx.el.span(row.name, class_name="seal-name"),
        rx.el.span(row.kept),
        rx.el.span(row.due, class_name="ac-meta"),
        key=row.name,
    )


def retention_section() -> rx.Component:
    """Say what is kept for how long."""
    return rx.cond(
        Seals.loaded & (Seals.problem == ""),
        section(
            "Retention",
            rx.el.ul(rx.foreach(KEPT.rows, _row), class_name="seal-kept", role="list"),
            rx.el.p(
                KEPT.last,
                " ",
                rx.cond(KEPT.last_at != "", moment(KEPT.last_at)),
                class_name="ac-meta",
            ),
        ),
    )
