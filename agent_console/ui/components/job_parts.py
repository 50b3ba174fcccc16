"""The parts of the job page."""

from __future__ import annotations

import reflex as rx

from agent_console.ui.components.artifact_body import viewer
from agent_console.ui.components.basics import (
    Text,
    copy_button,
    icon,
    pick,
    section,
    status_mark,
    words,
)
from agent_console.ui.components.review_content import content, decided
from agent_console.ui.elements import NativeLink, moment
from agent_console.ui.job_views import ArtifactRow, CheckpointRow, Happening, LogRow
from agent_console.ui.states.job import JobPage
from agent_console.ui.states.job_checkpoints import JobCheckpoints
from agent_console.ui.theme import CHECKPOINT_MARKS, CHECKPOINT_TYPE_MARKS

_ICONS = (
    "circle_plus", "play", "hand", "circle_check", "circle_x", "ban", "circle_pause", "rotate_ccw",
    "life_buoy", "undo_2", "triangle_alert", "shield_question", "timer_off", "file_text",
    "calendar_clock",
    "coins", "footprints", "info", "circle_alert", "message_square_reply", "history",
    "git_fork", "copy_check",
)  # fmt: skip


def _sign(name: rx.Var[str]) -> rx.Component:
    return pick(name, *[(one, icon(one, 14)) for one in _ICONS], icon("dot", 14))


def _happening(one: rx.Var[Happening]) -> rx.Component:
    title = rx.cond(
        one.href != "",
        rx.link(one.title, href=one.href, class_name="ac-strong"),
        rx.el.span(one.title, class_name="ac-strong"),
    )
    took = rx.cond(
        one.since != "",
        rx.el.span(
            icon("timer", 12),
            one.span,
            moment(one.since, "elapsed", to=one.until),
            class_name="ac-took",
        ),
    )
    return rx.el.li(
        rx.el.span(_sign(one.icon), class_name="ac-sign", data_tone=one.tone),
        rx.el.div(
            rx.el.div(
                title,
                rx.cond(one.actor != "", rx.el.span("by ", one.actor, class_name="ac-quiet")),
                took,
                class_name="ac-what",
            ),
            rx.cond(one.detail != "", rx.el.div(one.detail, class_name="ac-meta")),
            style={"min_width": "0"},
        ),
        rx.el.span(moment(one.at), class_name="ac-meta"),
        key=one.key,
        class_name="ac-happening",
    )


def timeline() -> rx.Component:
    """Return everything that happened, oldest first."""
    return section(
        "Timeline",
        rx.el.ol(rx.foreach(JobPage.happenings, _happening), class_name="ac-timeline"),
    )


def _checkpoint(row: rx.Var[CheckpointRow]) -> rx.Component:
    when = rx.cond(
        row.open,
        rx.fragment("expires ", moment(row.expires_at, "until")),
        rx.cond(
            row.decided_at != "",
            rx.fragment(row.decided_by, " ", moment(row.decided_at)),
            moment(row.created_at),
        ),
    )
    is_open = JobCheckpoints.opened == row.id
    fold = rx.el.button(
        rx.cond(is_open, icon("chevron_down", 15), icon("chevron_right", 15)),
        type="button",
        on_click=JobCheckpoints.unfold(row.id),
        aria_expanded=is_open,
        aria_label="What was asked: " + row.message,
        title="What was asked",
        class_name="ac-icon checkpoint-open",
    )
    line = rx.el.div(
        fold,
        rx.el.div(
            rx.cond(
                row.status != "",
                status_mark(row.status, CHECKPOINT_MARKS),
                status_mark(row.kind, CHECKPOINT_TYPE_MARKS),
            ),
            class_name="ac-jobstatus",
        ),
        rx.el.div(
            rx.el.div(
                rx.link(row.message, href=row.href, class_name="ac-cover", underline="none"),
                class_name="ac-cut",
                title=row.message,
            ),
            rx.el.div(
                rx.cond(row.round != "", rx.fragment(row.round, " · ")),
                when,
                class_name="ac-meta",
            ),
            style={"min_width": "0"},
        ),
        rx.cond(row.open, rx.el.span("Review", icon("arrow_right", 14), class_name="ac-go")),
        class_name="ac-row ac-checkrow",
        data_open=words(row.open, "yes", "no"),
    )
    return rx.el.li(line, rx.cond(is_open, _asked()), key=row.id)


def _asked() -> rx.Component:
    """Return what the unfolded checkpoint asked and what was said to it, to read only."""
    body, ruling = JobCheckpoints.body, JobCheckpoints.ruling
    return rx.el.div(
        decided(ruling),
        rx.cond(body.action != "", rx.el.p(body.action, class_name="card-action")),
        content(body),
        class_name="checkpoint-asked",
        role="group",
        aria_label="What was asked",
        data_testid="what-was-asked",
    )


def checkpoints() -> rx.Component:
    """Return the job's checkpoints; an open one stands out."""
    return rx.cond(
        JobPage.checkpoints.length() > 0,
        section(
            "Checkpoints",
            rx.el.ul(rx.foreach(JobPage.checkpoints, _checkpoint), class_name="ac-rows"),
        ),
    )


def _line(row: rx.Var[LogRow]) -> rx.Component:
    return rx.el.div(
        rx.el.span(row.clock, class_name="ac-logat", title=row.at),
        rx.el.span(row.level, class_name="ac-loglevel", data_tone=row.tone),
        rx.el.span(row.text, class_name="ac-logtext"),
        key=row.id.to_string(),
        class_name="ac-log",
    )


def _log_tools() -> rx.Component:
    levels = [("DEBUG", "All levels"), ("INFO", "INFO and above"),
              ("WARNING", "WARNING and above"), ("ERROR", "ERROR only")]  # fmt: skip
    return rx.el.div(
        rx.el.select(
            *[rx.el.option(text, value=value) for value, text in levels],
            value=JobPage.level,
            on_change=JobPage.set_level,
            aria_label="Log level",
            class_name="ac-input ac-small",
        ),
        rx.el.label(
            rx.el.input(
                type="checkbox",
                checked=JobPage.following,
                on_change=JobPage.set_following,
            ),
            "Follow",
            class_name="ac-check",
        ),
        class_name="ac-tools",
    )


def logs() -> rx.Component:
    """Return the tail of the log, live, with a level filter and a follow switch."""
    nothing = words(JobPage.level == "DEBUG", "No log lines.", "No log lines at this level.")
    none = rx.el.p(nothing, class_name="ac-meta ac-pad")
    box = rx.el.div(
        rx.cond(JobPage.logs.length() > 0, rx.foreach(JobPage.logs, _line), none),
        class_name="ac-panel ac-logs",
        role="log",
        aria_label="Log",
        aria_live="off",
        tab_index=0,
        custom_attrs={"data-follow": words(JobPage.following, "on", "off")},
    )
    return section("Log", box, aside=_log_tools())


def _artifact(row: rx.Var[ArtifactRow]) -> rx.Component:
    is_open = JobPage.opened == row.id
    return rx.el.li(
        rx.el.div(
            rx.el.button(
                rx.cond(is_open, icon("chevron_down", 15), icon("chevron_right", 15)),
                icon("file_text", 15),
                rx.el.span(row.name, class_name="ac-cut ac-mono"),
                type="button",
                on_click=JobPage.open_artifact(row.id),
                aria_expanded=is_open,
                class_name="ac-fold",
            ),
            rx.el.span(row.kind, " · ", row.size, class_name="ac-meta ac-nowrap"),
            NativeLink.create(
                icon("download", 15),
                href=row.href,
                download=row.name,
                aria_label="Download " + row.name,
                title="Download",
                class_name="ac-icon",
            ),
            class_name="ac-artifact",
        ),
        rx.cond(is_open, viewer(JobPage.opened_body, row.name, row.page)),
        key=row.id,
    )


def artifacts() -> rx.Component:
    """Return the job's artifacts; each opens below its row and can be downloaded."""
    return rx.cond(
        JobPage.artifacts.length() > 0,
        section(
            "Artifacts",
            rx.el.ul(rx.foreach(JobPage.artifacts, _artifact), class_name="ac-rows ac-panel"),
        ),
    )


def document(title: str, text: rx.Var[str], nothing: Text) -> rx.Component:
    """Return a JSON document with a copy button, or ``nothing`` in words."""
    return section(
        title,
        rx.cond(
            text != "",
            rx.el.div(
                rx.el.pre(text, class_name="ac-code", tab_index=0, aria_label=title),
                class_name="ac-panel",
            ),
            rx.el.p(nothing, class_name="ac-meta"),
        ),
        aside=rx.cond(text != "", copy_button(text, f"Copy {title.lower()}")),
    )
