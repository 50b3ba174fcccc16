"""The job around a checkpoint: where it is, what it wrote, what it has made."""

from __future__ import annotations

from typing import cast

import reflex as rx

from agent_console.ui import theme
from agent_console.ui.components.basics import facts, icon, status_mark, verb_button
from agent_console.ui.components.review_models import (
    ArtifactView,
    BodyView,
    ContextView,
    LogView,
)
from agent_console.ui.states.chat import Chat


def context_section(body: rx.Var[BodyView], context: rx.Var[ContextView]) -> rx.Component:
    """Return the last part of a card: job, log tail, artifacts."""
    chat = verb_button(
        "Chat",
        icon_name="messages_square",
        variant="soft",
        color_scheme="gray",
        size="1",
        on_click=Chat.on_checkpoint(body.id),
    )
    return rx.el.section(
        rx.el.h3("Context", rx.el.span(chat, class_name="chat-ask"), class_name="card-h"),
        facts(
            (
                "Job",
                rx.link(body.job_id, href=body.job_href, class_name="ac-mono card-job"),
            ),
            ("Status", status_mark(context.job_status, theme.JOB_MARKS)),
            ("Attempt", context.attempt),
        ),
        rx.cond(
            context.progress != "",
            facts(("Progress", context.progress)),
        ),
        _logs(context.logs),
        _artifacts(context.artifacts),
        class_name="card-part",
    )


def _logs(lines: rx.Var[list[LogView]]) -> rx.Component:
    return rx.el.div(
        rx.el.h4("Logs", class_name="card-h4"),
        rx.el.div(
            rx.foreach(lines, lambda one: _log(cast("rx.Var[LogView]", one))),
            rx.cond(lines.length() == 0, rx.el.div("No log lines.", class_name="log-at")),
            class_name="card-logs",
            role="log",
            aria_label="Logs of the job",
            aria_live="off",
            tab_index=0,
            data_follow="on",
        ),
    )


def _log(line: rx.Var[LogView]) -> rx.Component:
    return rx.el.div(
        rx.el.span(line.at, class_name="log-at"),
        rx.el.span(line.level, class_name="log-level", custom_attrs={"data-tone": line.tone}),
        rx.el.span(line.message, class_name="log-text"),
        key=line.id,
        class_name="log-line",
    )


def _artifacts(items: rx.Var[list[ArtifactView]]) -> rx.Component:
    return rx.cond(
        items.length() > 0,
        rx.el.div(
            rx.el.h4("Artifacts", class_name="card-h4"),
            rx.el.ul(
                rx.foreach(items, lambda one: _artifact(cast("rx.Var[ArtifactView]", one))),
                class_name="card-artifacts",
            ),
        ),
    )


def _artifact(item: rx.Var[ArtifactView]) -> rx.Component:
    return rx.el.li(
        icon("file_text", 14),
        rx.link(item.name, href=item.href),
        rx.el.span(item.kind, " · ", item.size, class_name="ac-meta"),
        key=item.id,
    )
