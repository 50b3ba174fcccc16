"""The artifacts: what the jobs have made, by type, found by words."""

from __future__ import annotations

import reflex as rx

from agent_console.ui import shell
from agent_console.ui.components.basics import bones, empty, icon, pick
from agent_console.ui.components.list_parts import paging, search_form
from agent_console.ui.elements import NativeLink, moment
from agent_console.ui.live import live_page
from agent_console.ui.pages.jobs import tab_link
from agent_console.ui.states.artifacts import Artifacts, ListedArtifact

_ICONS = ("quote", "pen_line", "file_chart_column", "braces")


def _sign(name: rx.Var[str]) -> rx.Component:
    return pick(name, *[(one, icon(one)) for one in _ICONS], icon("file_text"))


def _row(row: rx.Var[ListedArtifact]) -> rx.Component:
    return rx.el.li(
        rx.el.span(_sign(row.icon), class_name="ac-sign"),
        rx.el.div(
            rx.el.div(
                rx.link(row.name, href=row.href, class_name="ac-cover", underline="none"),
                class_name="ac-cut",
                title=row.name,
            ),
            rx.el.div(
                rx.el.span(row.word),
                rx.cond(row.round != "", rx.el.span(row.round)),
                rx.el.span(row.size),
                moment(row.created_at),
                class_name="ac-meta ac-dots",
            ),
            style={"min_width": "0"},
        ),
        rx.link(row.job_name, href=row.job_href, class_name="ac-cut art-job", title=row.job_id),
        NativeLink.create(
            icon("download", 15),
            href=row.download,
            download=row.name,
            aria_label="Download " + row.name,
            title="Download",
            class_name="ac-icon art-get",
        ),
        key=row.id,
        class_name="ac-row art-row",
        data_testid="artifact-row",
    )


def _nothing() -> rx.Component:
    new = rx.link(rx.button("New job", size="2", variant="soft"), href="/new", underline="none")
    clear = rx.link(
        rx.button("Clear filters", size="2", variant="soft"), href="/artifacts", underline="none"
    )
    return rx.cond(
        Artifacts.filtered,
        empty("search_x", "No artifact matches", "No artifact fits tab and search.", clear),
        empty("package", "No artifacts yet", "What jobs make to be looked at appears here.", new),
    )


def _of_one_job() -> rx.Component:
    return rx.cond(
        Artifacts.job != "",
        rx.el.p(
            "Of job ",
            rx.link(Artifacts.job, href="/jobs/" + Artifacts.job, class_name="ac-mono"),
            " · ",
            rx.link("show all jobs", href=Artifacts.all_jobs_href),
            class_name="ac-meta art-one",
        ),
    )


def _list() -> rx.Component:
    rows = rx.el.ul(
        rx.foreach(Artifacts.rows, _row), class_name="ac-rows", aria_label="Artifacts", role="list"
    )
    return rx.cond(
        Artifacts.problem != "",
        empty("circle_alert", "This list cannot be shown", Artifacts.problem),
        rx.cond(
            Artifacts.loaded,
            rx.cond(
                Artifacts.rows.length() == 0,
                _nothing(),
                rx.fragment(
                    rows, paging(Artifacts.newest_href, Artifacts.older_href, Artifacts.total)
                ),
            ),
            bones(8),
        ),
    )


def page() -> rx.Component:
    """Lay out the page."""
    return shell.frame(
        "Artifacts",
        shell.heading(
            "Artifacts",
            shell.stale_badge(Artifacts.stale),
            actions=(
                search_form(
                    Artifacts.q, "Search artifacts", "Search names and contents", Artifacts.search
                ),
            ),
        ),
        rx.el.nav(
            rx.foreach(Artifacts.tabs, tab_link), class_name="ac-tabs", aria_label="Artifact types"
        ),
        _of_one_job(),
        _list(),
    )


def register(app: rx.App) -> None:
    """Add the page at ``/artifacts``."""
    live_page(app, "/artifacts", "Artifacts", page, Artifacts.watch)
