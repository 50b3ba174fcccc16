"""The schedules."""

from __future__ import annotations

from typing import Any

import reflex as rx

from agent_console.ui import shell
from agent_console.ui.components.basics import OFFLINE, bones, empty, icon, status_mark, verb_button
from agent_console.ui.components.dialog_parts import sure
from agent_console.ui.components.list_parts import paging
from agent_console.ui.elements import moment
from agent_console.ui.live import live_page
from agent_console.ui.schedule_views import ScheduleRow
from agent_console.ui.states.schedules import Schedules
from agent_console.ui.theme import JOB_MARKS


def _next(row: rx.Var[ScheduleRow]) -> rx.Component:
    paused = rx.el.span(icon("circle_pause", 13), "Paused", class_name="ac-mark", data_tone="gray")
    ahead = rx.el.div(
        rx.el.div("Next ", moment(row.next_at)),
        rx.foreach(
            row.runs,
            lambda run: rx.el.div(
                run.wall, key=run.at, class_name="ac-meta ac-cut", title=run.wall
            ),
        ),
        title=row.more,
        class_name="schedule-runs",
    )
    return rx.el.div(
        rx.cond(
            row.paused,
            paused,
            rx.cond(row.next_at != "", ahead, rx.el.span("Never again", class_name="ac-quiet")),
        ),
        class_name="schedule-next",
    )


def _last(row: rx.Var[ScheduleRow]) -> rx.Component:
    return rx.el.div(
        rx.cond(
            row.last_href != "",
            rx.el.div(
                status_mark(row.last_status, JOB_MARKS),
                rx.link("Job", href=row.last_href, aria_label="Last job of " + row.name),
                class_name="schedule-job",
            ),
            rx.el.span("No job yet", class_name="ac-meta"),
        ),
        rx.cond(row.last_at != "", rx.el.div(moment(row.last_at), class_name="ac-meta")),
        class_name="schedule-last",
    )


def _why(row: rx.Var[ScheduleRow]) -> rx.Component:
    return rx.fragment(
        rx.cond(
            row.pause_reason != "",
            rx.el.div(icon("triangle_alert", 13), row.pause_reason, class_name="schedule-why"),
        ),
        rx.cond(
            row.problem != "",
            rx.el.div(
                icon("triangle_alert", 13),
                "The last run made no job: ",
                row.problem,
                class_name="schedule-why",
            ),
        ),
    )


def _act(row: rx.Var[ScheduleRow], label: str, icon_name: str, verb: Any, why: Any) -> rx.Component:
    return rx.el.span(
        rx.el.button(
            icon(icon_name, 15),
            type="button",
            on_click=verb(row.id),
            disabled=OFFLINE | (why != ""),
            aria_label=label + ": " + row.name,
            title=label,
            class_name="ac-icon",
        ),
        title=why,
        class_name="ac-verb",
    )


def _delete(row: rx.Var[ScheduleRow]) -> rx.Component:
    trigger = rx.el.button(
        icon("trash_2", 15),
        type="button",
        disabled=OFFLINE | (row.refusal != ""),
        aria_label="Delete: " + row.name,
        title="Delete",
        class_name="ac-icon",
    )
    dialog = sure(
        trigger,
        "Delete this schedule?",
        row.name,
        " makes no more jobs. The jobs it has made stay. "
        "One that a module of handlers declares comes back with the next start: "
        "pause it instead.",
        keep="Keep it",
        do="Delete schedule",
        on_click=Schedules.delete(row.id),
    )
    return rx.el.span(
        dialog,
        title=row.refusal,
        class_name="ac-verb",
    )


def _edit(row: rx.Var[ScheduleRow]) -> rx.Component:
    return rx.link(
        icon("pencil", 15),
        href=row.edit_href,
        aria_label="Edit: " + row.name,
        title="Edit",
        class_name="ac-icon",
        underline="none",
    )


def _row(row: rx.Var[ScheduleRow]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.div(
                rx.link(row.name, href=row.edit_href, class_name="ac-strong", underline="none"),
                class_name="ac-cut",
                title=row.name,
            ),
            rx.el.div(row.words, class_name="schedule-rule"),
            rx.el.div(
                rx.el.span(row.job_type, class_name="ac-mono"),
                rx.el.span(row.owner, class_name="ac-cut", title="Owner: " + row.owner),
                class_name="ac-meta ac-dots",
            ),
            _why(row),
            style={"min_width": "0"},
        ),
        _next(row),
        _last(row),
        rx.el.div(
            _act(row, "Run now", "play", Schedules.run, row.run_refusal),
            rx.cond(
                row.paused,
                _act(row, "Resume", "circle_play", Schedules.resume, row.refusal),
                _act(row, "Pause", "circle_pause", Schedules.pause, row.refusal),
            ),
            _edit(row),
            _delete(row),
            class_name="schedule-verbs",
        ),
        key=row.id,
        class_name="ac-row schedule-row",
        data_testid="schedule-row",
    )


def _list() -> rx.Component:
    rows = rx.el.ul(
        rx.foreach(Schedules.rows, _row), class_name="ac-rows", aria_label="Schedules", role="list"
    )
    none = empty(
        "calendar_clock",
        "No schedules yet",
        "A schedule makes a job again and again: every night, every ten minutes.",
    )
    return rx.cond(
        Schedules.problem != "",
        empty("circle_alert", "This list cannot be shown", Schedules.problem),
        rx.cond(
            Schedules.loaded,
            rx.cond(
                Schedules.rows.length() == 0,
                none,
                rx.fragment(
                    rows, paging(Schedules.newest_href, Schedules.older_href, Schedules.total)
                ),
            ),
            bones(6, "6rem"),
        ),
    )


def page() -> rx.Component:
    """Lay out the page."""
    new = rx.link(
        verb_button("New schedule", reason=Schedules.refusal, icon_name="plus", size="2"),
        href="/schedules/new",
        underline="none",
    )
    return shell.frame(
        "Schedules",
        shell.heading("Schedules", shell.stale_badge(Schedules.stale), actions=(new,)),
        _list(),
    )


def register(app: rx.App) -> None:
    """Add the page at ``/schedules``."""
    live_page(app, "/schedules", "Schedules", page, Schedules.watch)
