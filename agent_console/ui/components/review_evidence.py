"""Typed evidence on the review card: findings by question, drafts side by side, a report."""

from __future__ import annotations

from typing import cast

import reflex as rx

from agent_console.ui.components.artifact_body import draft, finding
from agent_console.ui.components.basics import callout, icon, pick
from agent_console.ui.components.evidence_models import (
    AnswerEvidence,
    EvidenceView,
    FindingEvidence,
    SourceEvidence,
)
from agent_console.ui.components.json_view import json_view
from agent_console.ui.components.markdown import markdown


def evidence(view: rx.Var[EvidenceView]) -> rx.Component:
    """Show what the agent puts up, and below it what of the data that leaves out."""
    return rx.el.div(
        pick(
            view.kind,
            ("findings", _findings(view)),
            ("draft", draft(view.body)),
            ("report", _report(view)),
            rx.fragment(),
        ),
        rx.cond(
            view.rest.text != "",
            rx.el.div(
                rx.el.h4("Also in the data", class_name="card-h4"),
                json_view(view.rest, "Also in the data"),
            ),
        ),
        class_name="evidence",
        custom_attrs={"data-kind": view.kind},
        data_testid="evidence",
    )


def confidence_mark(text: rx.Var[str], tone: rx.Var[str]) -> rx.Component:
    """Show a confidence by its word; nothing when nobody said."""
    return rx.cond(
        text != "",
        rx.el.span(
            icon("gauge", 12),
            "Confidence ",
            text,
            class_name="ac-mark",
            custom_attrs={"data-tone": tone},
        ),
    )


def _report(view: rx.Var[EvidenceView]) -> rx.Component:
    return rx.fragment(
        rx.cond(view.title != "", rx.el.p("Title: ", view.title, class_name="evidence-title")),
        rx.el.div(markdown(view.body.blocks), class_name="evidence-sheet"),
    )


def _findings(view: rx.Var[EvidenceView]) -> rx.Component:
    return rx.fragment(
        rx.cond(view.alarm != "", callout("red", "triangle_alert", view.alarm)),
        rx.cond(view.title != "", rx.el.p("Topic: ", view.title, class_name="evidence-title")),
        rx.foreach(view.answers, lambda one: _answer(cast("rx.Var[AnswerEvidence]", one))),
        rx.cond(
            view.sources.length() > 0,
            rx.el.div(
                rx.el.h4("Documents read", class_name="card-h4"),
                rx.el.ul(
                    rx.foreach(
                        view.sources, lambda one: _source(cast("rx.Var[SourceEvidence]", one))
                    ),
                    class_name="evidence-sources",
                ),
            ),
        ),
        rx.cond(
            view.method != "",
            rx.el.div(
                rx.el.h4("How they were found", class_name="card-h4"),
                rx.el.p(view.method, class_name="evidence-method"),
            ),
        ),
    )


def _answer(answer: rx.Var[AnswerEvidence]) -> rx.Component:
    return rx.el.section(
        rx.cond(
            answer.question != "",
            rx.el.header(
                rx.el.h4(answer.question, class_name="evidence-question"),
                confidence_mark(answer.confidence, answer.tone),
                class_name="evidence-head",
            ),
        ),
        rx.cond(
            answer.unanswered,
            rx.el.p(
                icon("circle_help", 14),
                "Nothing was found that answers this.",
                class_name="evidence-open",
            ),
        ),
        _missing("No finding speaks of: ", answer.missing),
        rx.el.ol(
            rx.foreach(answer.findings, lambda one: _one(cast("rx.Var[FindingEvidence]", one))),
            class_name="evidence-findings",
            role="list",
        ),
        key=answer.key,
        class_name="evidence-answer",
    )


def _one(item: rx.Var[FindingEvidence]) -> rx.Component:
    return rx.el.li(
        rx.el.span(item.mark, class_name="evidence-mark"),
        rx.el.div(
            finding(item.body),
            rx.cond(item.place != "", rx.el.p(item.place, class_name="ac-meta")),
            _check(item.check),
            _missing("Does not speak of: ", item.missing),
            class_name="evidence-body",
        ),
        key=item.key,
        class_name="evidence-finding",
    )


def _check(check: rx.Var[str]) -> rx.Component:
    """Say what the console saw at the place that a finding names."""
    stands = rx.el.p(icon("check", 13), "Stands there word for word", class_name="evidence-check")
    differs = rx.el.p(
        icon("triangle_alert", 13),
        "The document does not say this there",
        class_name="evidence-check",
        data_tone="red",
    )
    return pick(check, ("stands", stands), ("differs", differs), rx.fragment())


def _missing(lead: str, words: rx.Var[str]) -> rx.Component:
    return rx.cond(words != "", rx.el.p(lead, words, class_name="ac-meta"))


def _source(source: rx.Var[SourceEvidence]) -> rx.Component:
    return rx.el.li(
        icon("file_text", 14),
        rx.cond(
            source.href != "", rx.link(source.title, href=source.href), rx.el.span(source.title)
        ),
        rx.cond(
            source.digest != "",
            rx.el.code(source.digest, class_name="evidence-digest", title="SHA-256"),
        ),
        key=source.key,
    )
