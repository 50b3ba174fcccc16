"""What a checkpoint is about: changes, typed evidence, data; on the card and on the job page."""

from __future__ import annotations

import reflex as rx

from agent_console.ui.components.basics import copy_button
from agent_console.ui.components.diff import changes
from agent_console.ui.components.file_diff import OnCard
from agent_console.ui.components.json_models import JsonView
from agent_console.ui.components.json_view import json_view
from agent_console.ui.components.review_evidence import confidence_mark, evidence
from agent_console.ui.components.review_models import BodyView, RulingView
from agent_console.ui.elements import moment

_HEADINGS = (("findings", "What was found"), ("draft", "Drafts"), ("report", "Report"))


def content(body: rx.Var[BodyView], card: OnCard | None = None) -> rx.Component:
    """Return everything the payload holds, in the order of a careful reader.

    ``card`` is what a review card adds to its differences.
    """
    return rx.fragment(
        rx.cond(
            body.changes.length() > 0,
            part(
                "What changes",
                changes(body.changes, card),
                aside=rx.el.span(body.summary, class_name="ac-meta"),
            ),
        ),
        rx.cond(body.evidence.kind != "", _typed(body), _document("Data", body.data)),
        _document("Metadata", body.metadata),
    )


def part(
    title: str | rx.Component, *children: rx.Component, aside: rx.Component | None = None
) -> rx.Component:
    """Return a titled part of a card."""
    head = [title] if aside is None else [title, aside]
    return rx.el.section(rx.el.h3(*head, class_name="card-h"), *children, class_name="card-part")


def decided(ruling: rx.Var[RulingView]) -> rx.Component:
    """Say who decided what, and in which words; nothing while it is open."""
    return rx.cond(
        ruling.headline != "",
        rx.el.div(
            rx.el.div(
                rx.el.strong(ruling.headline),
                rx.cond(
                    ruling.decided_at != "",
                    rx.el.span(moment(ruling.decided_at), class_name="ac-meta"),
                ),
                class_name="card-line",
            ),
            _said("Reason", ruling.reason),
            _said("Feedback", ruling.feedback),
            _said("Answer", ruling.answer_text),
            rx.cond(ruling.answer.text != "", json_view(ruling.answer, "Answer")),
            rx.cond(
                ruling.was_edited,
                rx.el.div(
                    rx.el.p("Approved with these data instead of the proposed:"),
                    json_view(ruling.edited, "Approved data"),
                ),
            ),
            class_name="card-decided",
            custom_attrs={"data-tone": ruling.tone},
            role="status",
        ),
    )


def _said(term: str, text: rx.Var[str]) -> rx.Component:
    return rx.cond(
        text != "",
        rx.el.p(rx.el.span(f"{term}: ", class_name="ac-quiet"), text, class_name="card-said"),
    )


def _typed(body: rx.Var[BodyView]) -> rx.Component:
    view = body.evidence
    return part(
        rx.match(view.kind, *_HEADINGS, "Data"),
        evidence(view),
        rx.el.details(
            rx.el.summary("All of it as JSON"),
            rx.el.div(
                copy_button(body.data.text, "Copy data"),
                json_view(body.data, "Data"),
                class_name="evidence-json",
            ),
            class_name="evidence-whole",
        ),
        aside=rx.el.span(
            rx.el.span(view.summary, class_name="ac-meta"),
            confidence_mark(view.confidence, view.tone),
            class_name="card-aside",
        ),
    )


def _document(title: str, document: rx.Var[JsonView]) -> rx.Component:
    return rx.cond(
        document.text != "",
        part(
            title,
            json_view(document, title),
            aside=copy_button(document.text, f"Copy {title.lower()}"),
        ),
    )
