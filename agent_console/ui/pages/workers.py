"""The workers page."""

from __future__ import annotations

import reflex as rx

from agent_console.ui import shell
from agent_console.ui.components.basics import (
    bones,
    empty,
    facts,
    identifier,
    section,
    status_mark,
    verb_button,
    words,
)
from agent_console.ui.components.job_types import job_types
from agent_console.ui.elements import moment
from agent_console.ui.live import live_page
from agent_console.ui.states.job_types import JobTypes
from agent_console.ui.states.workers import Breaker, Figure, WorkerRow, Workers
from agent_console.ui.theme import BREAKER_MARKS, WORKER_MARKS


def _verbs() -> tuple[rx.Component, ...]:
    start = words(Workers.single, "Start worker", "Start all")
    stop = words(Workers.single, "Stop worker", "Stop all")
    return (
        verb_button(
            start, reason=Workers.start, icon_name="play", on_click=Workers.start_worker("")
        ),
        verb_button(
            stop,
            reason=Workers.stop,
            icon_name="square",
            variant="soft",
            color_scheme="gray",
            on_click=Workers.stop_worker(""),
        ),
    )


def _own_verbs(row: rx.Var[WorkerRow]) -> rx.Component:
    where = " on " + row.name + ", " + row.place
    return rx.cond(
        ~Workers.single,
        rx.el.div(
            verb_button(
                "Start worker", reason=row.start, variant="soft", size="1",
                on_click=Workers.start_worker(row.id), aria_label="Start worker" + where,
            ),
            verb_button(
                "Stop worker", reason=row.stop, variant="soft", color_scheme="gray", size="1",
                on_click=Workers.stop_worker(row.id), aria_label="Stop worker" + where,
            ),
            class_name="ac-ownverbs",
        ),
    )  # fmt: skip


def _load(row: rx.Var[WorkerRow]) -> rx.Component:
    return rx.el.div(
        rx.el.div(row.load, " active"),
        rx.el.div(
            rx.el.div(style={"width": f"{row.percent}%"}),
            class_name="ac-bar",
            role="progressbar",
            aria_label="Active jobs",
            aria_valuenow=row.percent,
        ),
        class_name="ac-load",
    )


def _hosts(row: rx.Var[WorkerRow]) -> rx.Component:
    return rx.cond(
        row.breakers.length() > 0,
        rx.el.ul(
            rx.foreach(row.breakers, _host),
            class_name="ac-hosts",
            aria_label="Circuit breakers of called hosts",
        ),
    )


def _host(breaker: rx.Var[Breaker]) -> rx.Component:
    return rx.el.li(
        status_mark(breaker.state, BREAKER_MARKS),
        rx.el.span(breaker.host, class_name="ac-meta ac-mono ac-cut"),
        key=breaker.host,
    )


def _worker(row: rx.Var[WorkerRow]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.div(
                rx.el.h2(row.name, class_name="ac-strong ac-cut"),
                status_mark(row.status, WORKER_MARKS),
                rx.cond(row.note != "", rx.el.span(row.note, class_name="ac-meta")),
                class_name="ac-workerhead",
            ),
            rx.el.div(row.place, " · version ", row.version, class_name="ac-meta"),
            _hosts(row),
            _own_verbs(row),
            style={"min_width": "0"},
        ),
        _load(row),
        facts(
            ("Heartbeat", moment(row.heartbeat_at)),
            ("Up since", moment(row.started_at)),
            ("Poll interval", row.poll),
            ("Job types", rx.el.span(row.job_types, class_name="ac-meta")),
            ("Worker", identifier(row.id)),
        ),
        key=row.id,
        class_name="ac-worker",
        data_testid="worker-row",
    )


def _past(row: rx.Var[WorkerRow]) -> rx.Component:
    return rx.el.li(
        status_mark(row.status, WORKER_MARKS),
        rx.el.span(row.name, " · ", row.place, class_name="ac-cut"),
        rx.el.span("last seen ", moment(row.heartbeat_at), class_name="ac-meta"),
        key=row.id,
        class_name="ac-row ac-past",
    )


def _figure(figure: rx.Var[Figure]) -> rx.Component:
    return rx.el.li(
        rx.link(
            rx.el.span(figure.value, class_name="ac-number"),
            rx.el.span(figure.label, class_name="ac-meta"),
            href=figure.href,
            underline="none",
        ),
        key=figure.label,
    )


def _list() -> rx.Component:
    none = empty(
        "server_off",
        "No worker is up",
        "Jobs wait until one is. The console starts one unless AGENT_CONSOLE_WORKER is off; "
        "more run anywhere with the command agent-console worker.",
    )
    rows = rx.el.ul(rx.foreach(Workers.rows, _worker), class_name="ac-rows", aria_label="Workers")
    past = rx.cond(
        Workers.gone.length() > 0,
        section(
            "No longer up",
            rx.el.ul(rx.foreach(Workers.gone, _past), class_name="ac-rows"),
        ),
    )
    figures = rx.el.ul(
        rx.foreach(Workers.figures, _figure), class_name="ac-figures", aria_label="Figures"
    )
    return rx.fragment(figures, rx.cond(Workers.rows.length() > 0, rows, none), past, job_types())


def page() -> rx.Component:
    """Lay out the page."""
    return shell.frame(
        "Workers",
        shell.heading(
            "Workers",
            shell.stale_badge(Workers.stale),
            actions=_verbs(),
        ),
        rx.cond(
            Workers.problem != "",
            empty("circle_alert", "This page cannot be shown", Workers.problem),
            rx.cond(Workers.loaded, _list(), bones(3, "9rem")),
        ),
    )


def register(app: rx.App) -> None:
    """Add the page at ``/workers``."""
    live_page(app, "/workers", "Workers", page, Workers.watch, JobTypes.watch)
