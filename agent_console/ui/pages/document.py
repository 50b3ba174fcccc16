"""The page of one context document."""

from __future__ import annotations

from typing import cast

import reflex as rx

from agent_console.ui import shell
from agent_console.ui.components.basics import (
    OFFLINE,
    bones,
    callout,
    empty,
    fact,
    facts,
    icon,
    identifier,
    verb_button,
)
from agent_console.ui.components.dialog_parts import sure
from agent_console.ui.components.diff import changes
from agent_console.ui.components.document_form import content_field, file_field, text_field
from agent_console.ui.elements import moment
from agent_console.ui.live import live_page
from agent_console.ui.pages.jobs import tab_link
from agent_console.ui.states.document import DocumentPage, VersionOption

DOCUMENT = DocumentPage.document


def _error(field: str) -> rx.Var[str]:
    return cast("rx.Var[str]", DocumentPage.errors.get(field, ""))


def _text() -> rx.Component:
    marked = rx.el.mark(DOCUMENT.quote, class_name="doc-quote", custom_attrs={"data-here": "yes"})
    return rx.fragment(
        rx.cond(DOCUMENT.note != "", rx.el.p(DOCUMENT.note, class_name="ac-meta")),
        rx.el.div(
            DOCUMENT.before,
            rx.cond(DOCUMENT.quote != "", marked),
            DOCUMENT.after,
            class_name="doc-text",
            role="group",
            aria_label="Text",
        ),
    )


def _versions() -> rx.Component:
    def option(one: rx.Var[VersionOption]) -> rx.Component:
        return rx.el.option(one.label, value=one.value, key=one.value)

    compare = rx.el.select(
        rx.el.option("The text itself", value=""),
        rx.foreach(DocumentPage.others, option),
        value=DocumentPage.against,
        on_change=DocumentPage.compare,
        aria_label="Show",
        class_name="ac-input work-filter",
    )
    tabs = rx.el.nav(
        rx.foreach(DocumentPage.versions, tab_link), class_name="ac-tabs", aria_label="Versions"
    )
    return rx.cond(
        DocumentPage.versions.length() > 1,
        rx.fragment(tabs, rx.el.div(compare, class_name="work-compare")),
    )


def _next() -> rx.Component:
    return rx.form(
        rx.el.h2("Next version", class_name="ac-h2"),
        file_field(),
        text_field("title", "Title", DocumentPage.draft_title, _error("title"), ""),
        content_field(_error("content"), DocumentPage.draft, rows="22"),
        rx.el.div(
            verb_button("Save version", reason=DocumentPage.edit_refusal, type="submit"),
            rx.button(
                "Cancel",
                type="button",
                variant="soft",
                color_scheme="gray",
                on_click=DocumentPage.leave,
            ),
            class_name="agent-buttons",
        ),
        key=DocumentPage.draft_key,
        on_submit=DocumentPage.save,
        reset_on_submit=False,
        no_validate=True,
        aria_label="Next version",
        class_name="work-next",
    )


def _delete() -> rx.Component:
    reason = DocumentPage.delete_refusal
    trigger = rx.button(
        icon("trash_2", 15), "Delete", variant="outline", color_scheme="red",
        disabled=OFFLINE | (reason != ""),
    )  # fmt: skip
    dialog = sure(
        trigger,
        "Delete this document?",
        "All its versions go, for good. No job has worked from it. "
        "To keep it out of sight only, archive it.",
        keep="Keep it",
        do="Delete document",
        on_click=DocumentPage.delete,
    )
    return rx.el.span(
        dialog,
        rx.el.span(reason, class_name="ac-sr"),
        title=reason,
        class_name="ac-verb",
    )


def _shelf(label: str, sign: str, archived: bool) -> rx.Component:
    return verb_button(
        label,
        reason=DocumentPage.refusal,
        icon_name=sign,
        variant="soft",
        color_scheme="gray",
        on_click=DocumentPage.archive(archived),
    )


def _verbs() -> rx.Component:
    use = rx.link(
        rx.button(icon("bot", 15), "Use in a session", variant="soft"),
        href=DOCUMENT.use_href,
        underline="none",
    )
    away = DOCUMENT.archived_at != ""
    edit = verb_button(
        "New version",
        reason=DocumentPage.edit_refusal,
        icon_name="pen_line",
        on_click=DocumentPage.edit,
    )
    return rx.fragment(
        # While a version is being written its own button is the one that stands out.
        rx.cond(DocumentPage.editing, rx.fragment(), edit),
        rx.cond(DOCUMENT.use_href != "", use),
        rx.cond(
            away, _shelf("Restore", "archive_restore", False), _shelf("Archive", "archive", True)
        ),
        _delete(),
    )


def _facts() -> rx.Component:
    job = rx.link(DOCUMENT.job_id, href=DOCUMENT.job_href, class_name="ac-mono")
    return facts(
        ("Document", identifier(DOCUMENT.id)),
        ("Version", DOCUMENT.version),
        ("Format", DOCUMENT.format),
        ("For", DOCUMENT.scope),
        ("Size", DOCUMENT.size),
        ("Added by", DOCUMENT.created_by),
        ("This version", moment(DOCUMENT.created_at)),
        fact("Archived", moment(DOCUMENT.archived_at), given=DOCUMENT.archived_at != ""),
        fact("First used by", job, given=DOCUMENT.job_id != ""),
        ("SHA-256", rx.el.span(DOCUMENT.digest, class_name="ac-mono")),
    )


def _shown() -> rx.Component:
    archived = callout(
        "amber", "archive", "Archived: jobs that have it still read it, no new session gets it."
    )
    main = rx.el.div(
        rx.cond(DOCUMENT.archived_at != "", archived),
        rx.cond(
            DocumentPage.editing,
            _next(),
            rx.fragment(
                _versions(),
                rx.cond(
                    DocumentPage.against != "",
                    rx.el.div(changes(DocumentPage.changes), class_name="work-diff"),
                    _text(),
                ),
            ),
        ),
        style={"min_width": "0"},
    )
    return rx.fragment(
        rx.link(icon("arrow_left", 14), "Documents", href="/context", class_name="ac-back"),
        shell.heading(DOCUMENT.title, shell.stale_badge(DocumentPage.stale), actions=(_verbs(),)),
        rx.el.div(
            main,
            rx.el.aside(_facts(), aria_label="Facts", class_name="ac-aside"),
            class_name="ac-split art-page",
        ),
    )


def page() -> rx.Component:
    """Lay out the page."""
    everything = rx.link(
        rx.button("All documents", variant="soft"), href="/context", underline="none"
    )
    lost = rx.fragment(
        shell.heading("Context document"),
        empty("search_x", "This document cannot be shown", DocumentPage.problem, everything),
    )
    waiting = rx.fragment(shell.heading("Context document"), bones(6))
    return shell.frame(
        "Documents",
        rx.cond(DocumentPage.problem != "", lost, rx.cond(DocumentPage.loaded, _shown(), waiting)),
    )


def register(app: rx.App) -> None:
    """Add the page at ``/context/[document_id]``."""
    live_page(app, "/context/[document_id]", DocumentPage.title, page, DocumentPage.watch)
