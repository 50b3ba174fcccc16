"""The overview page. Charts are in a module of their own: their script is loaded here only."""

from __future__ import annotations

import reflex as rx

from agent_console.ui import shell
from agent_console.ui.components.basics import bones, empty, section, status_mark, words
from agent_console.ui.components.charts import bars, lines
from agent_console.ui.components.review_charts import chart, reviews_section, tile
from agent_console.ui.elements import moment
from agent_console.ui.live import live_page
from agent_console.ui.states.overview import PATH, OverviewPage
from agent_console.ui.theme import JOB_MARKS
from agent_console.ui.views import JobRow, Tab


def _span(tab: rx.Var[Tab]) -> rx.Component:
    return rx.link(
        tab.label,
        href=tab.href,
        underline="none",
        custom_attrs={"aria-current": words(tab.current, "page", "false")},
    )


def _failure(row: rx.Var[JobRow]) -> rx.Component:
    return rx.el.li(
        status_mark(row.status, JOB_MARKS),
        rx.link(row.title, href=row.href, class_name="ac-cut"),
        rx.el.span(row.job_type, " · ", moment(row.completed_at), class_name="ac-meta"),
        key=row.id,
        class_name="ac-row ac-past",
    )


def _charts() -> rx.Component:
    data = OverviewPage.points
    return rx.el.div(
        section(
            "Throughput",
            chart(OverviewPage.has_jobs, bars(data), "No job began or ended in this time."),
        ),
        section(
            "Run duration",
            chart(
                OverviewPage.has_runs,
                lines(data, "Run, median", "Run, p95"),
                "No job was completed in this time.",
            ),
        ),
        section(
            "Review latency",
            chart(
                OverviewPage.has_waits,
                lines(data, "Wait, median", "Wait, p95"),
                "Nothing was decided in this time.",
            ),
        ),
        section(
            "Failures worth a look",
            rx.cond(
                OverviewPage.failures.length() > 0,
                rx.el.ul(rx.foreach(OverviewPage.failures, _failure), class_name="ac-rows"),
                rx.el.p("No job has failed.", class_name="ac-chartless"),
            ),
        ),
        class_name="ac-charts",
    )


def _body() -> rx.Component:
    return rx.fragment(
        rx.el.ul(
            rx.foreach(OverviewPage.tiles, tile), class_name="ac-figures", aria_label="Figures"
        ),
        rx.el.nav(
            rx.foreach(OverviewPage.spans, _span),
            class_name="ac-tabs ac-spans",
            aria_label="Time shown",
        ),
        rx.el.p(OverviewPage.summary, class_name="ac-sr"),
        _charts(),
        reviews_section(OverviewPage.reviews),
    )


def page() -> rx.Component:
    """Lay out the page."""
    return shell.frame(
        "Overview",
        shell.heading("Overview", shell.stale_badge(OverviewPage.stale)),
        rx.cond(
            OverviewPage.problem != "",
            empty("circle_alert", "This page cannot be shown", OverviewPage.problem),
            rx.cond(OverviewPage.loaded, _body(), bones(4, "9rem")),
        ),
    )


def register(app: rx.App) -> None:
    """Add the page at ``/overview``."""
    live_page(app, PATH, "Overview", page, OverviewPage.watch)
