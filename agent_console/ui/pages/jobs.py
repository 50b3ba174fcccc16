"""The jobs list."""

from __future__ import annotations

import reflex as rx

from agent_console.ui import shell
from agent_console.ui.components.basics import bones, empty, icon, status_mark, words
from agent_console.ui.components.bulk_bar import bulk_bar, job_box
from agent_console.ui.components.list_parts import paging, search_form
from agent_console.ui.components.saved_bar import saved_bar
from agent_console.ui.elements import moment
from agent_console.ui.live import live_page
from agent_console.ui.states.bulk import Bulk
from agent_console.ui.states.jobs import Jobs
from agent_console.ui.states.saved import SavedViews
from agent_console.ui.theme import JOB_MARKS
from agent_console.ui.views import JobRow, Tab


def tab_link(tab: rx.Var[Tab]) -> rx.Component:
    """Return a tab that is a link, with its live count."""
    return rx.link(
        tab.label,
        rx.el.span(tab.count, class_name="ac-n"),
        href=tab.href,
        underline="none",
        key=tab.label,
        custom_attrs={"aria-current": words(tab.current, "page", "false")},
    )


def _meta(row: rx.Var[JobRow]) -> rx.Component:
    return rx.el.div(
        rx.el.span(row.job_type, class_name="ac-mono"),
        rx.cond(row.attempts != "", rx.el.span(row.attempts)),
        rx.cond(row.note != "", rx.el.span(row.note, class_name="ac-cut", title=row.note)),
        class_name="ac-meta ac-dots",
    )


def _when(row: rx.Var[JobRow]) -> rx.Component:
    ran = rx.cond(
        row.started_at != "",
        rx.el.span(icon("timer", 12), moment(row.started_at, "elapsed", to=row.completed_at)),
        rx.cond(
            row.starts_at != "",
            rx.el.span(icon("calendar_clock", 12), "starts ", moment(row.starts_at)),
            rx.el.span("not started"),
        ),
    )
    return rx.el.div(
        rx.el.div(moment(row.created_at)),
        rx.el.div(ran, class_name="ac-meta ac-ran"),
        class_name="ac-when",
    )


def _row(row: rx.Var[JobRow]) -> rx.Component:
    return rx.el.li(
        job_box(row),
        rx.el.div(status_mark(row.status, JOB_MARKS), class_name="ac-jobstatus"),
        rx.el.div(
            rx.el.div(
                rx.link(
                    row.title,
                    href=row.href,
                    class_name="ac-cover",
                    underline="none",
                    custom_attrs={"data-hotkey-row": "yes"},
                ),
                class_name="ac-cut",
                title=row.title,
            ),
            _meta(row),
            rx.cond(
                row.progress >= 0,
                rx.el.div(
                    rx.el.div(style={"width": f"{row.progress}%"}),
                    class_name="ac-bar",
                    role="progressbar",
                    aria_label="Progress",
                    aria_valuenow=row.progress,
                ),
            ),
            class_name="ac-jobtitle",
        ),
        rx.el.div(row.user, class_name="ac-quiet ac-cut ac-jobuser", title=row.user),
        _when(row),
        key=row.id,
        class_name="ac-row ac-jobrow",
        data_testid="job-row",
    )


def _nothing() -> rx.Component:
    new = rx.link(rx.button("New job", size="2", variant="soft"), href="/new", underline="none")
    clear = rx.link(
        rx.button("Clear filters", size="2", variant="soft"), href=Jobs.clear_href, underline="none"
    )
    return rx.cond(
        Jobs.filtered,
        empty("search_x", "No job matches", "No job fits the tab and the search.", clear),
        empty("layers", "No jobs yet", "Jobs appear here as soon as somebody makes one.", new),
    )


def _list() -> rx.Component:
    rows = rx.el.ul(
        rx.foreach(Jobs.rows, _row), class_name="ac-rows", aria_label="Jobs", role="list"
    )
    return rx.cond(
        Jobs.problem != "",
        empty("circle_alert", "This list cannot be shown", Jobs.problem),
        rx.cond(
            Jobs.loaded,
            rx.cond(
                Jobs.rows.length() == 0,
                _nothing(),
                rx.fragment(rows, paging(Jobs.newest_href, Jobs.older_href, Jobs.total)),
            ),
            bones(8),
        ),
    )


def page() -> rx.Component:
    """Lay out the page."""
    new = rx.link(rx.button(icon("plus", 15), "New job", size="2"), href="/new", underline="none")
    return shell.frame(
        "Jobs",
        shell.heading(
            "Jobs",
            shell.stale_badge(Jobs.stale),
            actions=(
                search_form(
                    Jobs.q, "Search jobs", "Search: text, type:, status:, user:, id:", Jobs.search
                ),
                new,
            ),
        ),
        rx.el.nav(rx.foreach(Jobs.tabs, tab_link), class_name="ac-tabs", aria_label="Job statuses"),
        saved_bar(),
        bulk_bar(),
        _list(),
    )


def register(app: rx.App) -> None:
    """Add the page at ``/jobs``."""
    live_page(app, "/jobs", "Jobs", page, Jobs.watch, Bulk.watch, SavedViews.load)
