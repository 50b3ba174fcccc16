"""The context documents."""

from __future__ import annotations

from typing import cast

import reflex as rx

from agent_console.ui import shell
from agent_console.ui.components.basics import bones, empty, icon, verb_button
from agent_console.ui.components.document_form import (
    content_field,
    file_field,
    format_field,
    text_field,
)
from agent_console.ui.components.list_parts import paging, search_form
from agent_console.ui.elements import moment
from agent_console.ui.live import live_page
from agent_console.ui.pages.jobs import tab_link
from agent_console.ui.states.documents import DocumentRow, Documents


def _row(row: rx.Var[DocumentRow]) -> rx.Component:
    return rx.el.li(
        rx.el.span(icon("file_text"), class_name="ac-sign"),
        rx.el.div(
            rx.el.div(
                rx.link(row.title, href=row.href, class_name="ac-cover", underline="none"),
                class_name="ac-cut",
                title=row.title,
            ),
            rx.el.div(
                rx.el.span(row.format, class_name="ac-nowrap"),
                rx.el.span(row.version, class_name="ac-nowrap"),
                rx.el.span(row.size, class_name="ac-nowrap"),
                rx.el.span(row.scope, class_name="ac-cut", title=row.scope),
                class_name="ac-meta ac-dots",
            ),
            style={"min_width": "0"},
        ),
        rx.el.div(row.by, class_name="ac-quiet ac-cut ac-jobuser", title=row.by),
        rx.el.div(moment(row.updated_at), class_name="ac-when"),
        key=row.id,
        class_name="ac-row work-document",
        data_testid="document-row",
    )


def _error(field: str) -> rx.Var[str]:
    return cast("rx.Var[str]", Documents.errors.get(field, ""))


def _add() -> rx.Component:
    form = rx.form(
        file_field(),
        text_field("title", "Title", "", _error("title"), ""),
        rx.el.div(
            text_field(
                "projectId",
                "Project",
                "",
                _error("projectId"),
                "Left empty, it is for every project.",
                optional=True,
            ),
            format_field(),
            class_name="ac-common",
        ),
        content_field(_error("content"), rows="10"),
        verb_button("Add document", reason=Documents.refusal, type="submit", size="3"),
        key=Documents.form_key,
        on_submit=Documents.add,
        reset_on_submit=False,
        no_validate=True,
        aria_label="New context document",
    )
    return rx.el.details(
        rx.el.summary(icon("file_plus", 15), "Add a context document"),
        form,
        class_name="agent-paste work-add",
    )


def _nothing() -> rx.Component:
    clear = rx.link(
        rx.button("Clear search", size="2", variant="soft"),
        href=Documents.clear_href,
        underline="none",
    )
    first = "Agents work from texts. Add the first one above; until then they use their examples."
    return rx.cond(
        Documents.filtered,
        empty("search_x", "No document matches", "No title here has these words.", clear),
        rx.cond(
            Documents.archived,
            empty("archive", "Nothing is archived", "What you archive is found here again."),
            empty("file_text", "No documents yet", first),
        ),
    )


def _list() -> rx.Component:
    rows = rx.el.ul(
        rx.foreach(Documents.rows, _row), class_name="ac-rows", aria_label="Documents", role="list"
    )
    return rx.cond(
        Documents.problem != "",
        empty("circle_alert", "This list cannot be shown", Documents.problem),
        rx.cond(
            Documents.loaded,
            rx.cond(
                Documents.rows.length() == 0,
                _nothing(),
                rx.fragment(
                    rows, paging(Documents.newest_href, Documents.older_href, Documents.total)
                ),
            ),
            bones(8),
        ),
    )


def page() -> rx.Component:
    """Lay out the page."""
    return shell.frame(
        "Documents",
        shell.heading(
            "Documents",
            shell.stale_badge(Documents.stale),
            actions=(
                search_form(Documents.q, "Search documents", "Search titles", Documents.search),
            ),
        ),
        _add(),
        rx.el.nav(rx.foreach(Documents.tabs, tab_link), class_name="ac-tabs", aria_label="Shelves"),
        _list(),
    )


def register(app: rx.App) -> None:
    """Add the page at ``/context``."""
    live_page(app, "/context", "Documents", page, Documents.watch)
