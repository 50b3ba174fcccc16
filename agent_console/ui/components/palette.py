"""The command palette: one place to type where to go and what to do.

``assets/palette.js`` opens it with Ctrl or ⌘ and K, adds what the page itself offers, and moves the
choice with the arrows; the server adds what it finds.
"""

from __future__ import annotations

import reflex as rx

from agent_console.ui.components.basics import icon, pick, status_mark
from agent_console.ui.states.palette import CHECKPOINT, JOB, MAX_QUERY, Option, Palette
from agent_console.ui.theme import CHECKPOINT_MARKS, CHECKPOINT_TYPE_MARKS, JOB_MARKS

TYPING = 150  # ms of rest after which the server is asked


def palette_button() -> rx.Component:
    """Return the way to the palette for a mouse or a finger."""
    return rx.el.button(
        icon("search"),
        type="button",
        class_name="ac-icon",
        aria_label="Command palette",
        title="Command palette (Ctrl K or ⌘ K)",
        custom_attrs={"data-palette": "yes", "aria-keyshortcuts": "Control+K Meta+K"},
    )


def palette() -> rx.Component:
    """Return the dialog: a field, and what it can mean."""
    return rx.el.dialog(
        rx.el.input(
            id="palette-query",
            type="text",
            placeholder="Where to go, what to do…",
            max_length=MAX_QUERY,
            auto_complete="off",
            spell_check=False,
            role="combobox",
            aria_label="Go to or do",
            aria_expanded="true",
            aria_controls="palette-options",
            aria_autocomplete="list",
            on_change=Palette.find.debounce(TYPING),
            class_name="palette-query",
        ),
        rx.el.div(
            rx.el.div(id="palette-here", role="presentation"),
            rx.el.div(rx.foreach(Palette.found, _option), role="presentation"),
            id="palette-options",
            role="listbox",
            aria_label="Results",
            class_name="palette-options",
        ),
        id="palette",
        class_name="palette",
        aria_label="Command palette",
    )


def _option(option: rx.Var[Option]) -> rx.Component:
    aside = pick(
        option.kind,
        (JOB, status_mark(option.status, JOB_MARKS)),
        (CHECKPOINT, status_mark(option.status, {**CHECKPOINT_TYPE_MARKS, **CHECKPOINT_MARKS})),
        rx.el.span("New job", class_name="ac-meta"),
    )
    return rx.link(
        rx.el.div(
            rx.el.div(option.title, class_name="ac-cut", title=option.title),
            rx.el.div(
                rx.el.span(option.about),
                rx.cond(option.number != "", rx.el.span(option.number, class_name="ac-mono")),
                class_name="ac-meta ac-dots",
            ),
            class_name="palette-what",
        ),
        aside,
        href=option.href,
        underline="none",
        id=f"palette-{option.id}",
        role="option",
        tab_index=-1,
        class_name="palette-option",
        key=option.id,
    )
