"""The page of one context document."""

from __future__ import annotations

import reflex as rx

from agent_console.ui import shell
from agent_console.ui.components.basics import bones, empty, facts, icon, identifier
from agent_console.ui.elements import moment
from agent_console.ui.live import live_page
from agent_console.ui.pages.jobs import tab_link
from agent_console.ui.states.document import DocumentPage

DOCUMENT = DocumentPage.document


def _text() -> rx.Component:
    marked = rx.el.mark(DOCUMENT.quote, class_name="doc-quote", custom_attrs={"data-here": "yes"})
    return rx.el.div(
        rx.cond(
            DocumentPage.versions.length() > 1,
            rx.el.nav(
                rx.foreach(DocumentPage.versions, tab_link),
                class_name="ac-tabs",
                aria_label="Versions",
            ),
        ),
        rx.cond(DOCUMENT.note != "", rx.el.p(DOCUMENT.note, class_name="ac-meta")),
        rx.el.div(
            DOCUMENT.before,
            rx.cond(DOCUMENT.quote != "", marked),
            DOCUMENT.after,
            class_name="doc-text",
            role="group",
            aria_label="Text",
        ),
        style={"min_width": "0"},
    )


def _facts() -> rx.Component:
    return facts(
        ("Document", identifier(DOCUMENT.id)),
        ("Version", DOCUMENT.version),
        ("Format", rx.el.span(DOCUMENT.media_type, class_name="ac-mono")),
        ("Size", DOCUMENT.size),
        ("Added by", DOCUMENT.created_by),
        ("Added", moment(DOCUMENT.created_at)),
        ("SHA-256", rx.el.span(DOCUMENT.digest, class_name="ac-mono")),
    )


def page() -> rx.Component:
    """Lay out the page."""
    shown = rx.fragment(
        rx.link(icon("arrow_left", 14), "Agents", href="/agents", class_name="ac-back"),
        shell.heading(DOCUMENT.title, shell.stale_badge(DocumentPage.stale)),
        rx.el.div(
            _text(),
            rx.el.aside(_facts(), aria_label="Facts", class_name="ac-aside"),
            class_name="ac-split art-page",
        ),
    )
    lost = rx.fragment(
        shell.heading("Context document"),
        empty("search_x", "This document cannot be shown", DocumentPage.problem),
    )
    waiting = rx.fragment(shell.heading("Context document"), bones(6))
    return shell.frame(
        "Agents",
        rx.cond(DocumentPage.problem != "", lost, rx.cond(DocumentPage.loaded, shown, waiting)),
    )


def register(app: rx.App) -> None:
    """Add the page at ``/context/[document_id]``."""
    live_page(app, "/context/[document_id]", DocumentPage.title, page, DocumentPage.watch)
