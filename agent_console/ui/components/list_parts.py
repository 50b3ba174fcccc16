"""What pages with a list share: the search above it, and the way through its pages below."""

from __future__ import annotations

from typing import Any

import reflex as rx

from agent_console.ui.components.basics import Text, icon
from agent_console.ui.components.hotkeys import hotkey


def search_form(typed: rx.Var[str], label: str, hint: str, on_submit: Any) -> rx.Component:
    """Return the search, empty or with what was ``typed``; ``hint`` says what it looks at."""
    return rx.form(
        rx.el.div(
            icon("search", 15),
            rx.el.input(
                name="q",
                type="search",
                default_value=typed,
                key=typed,
                placeholder=hint,
                aria_label=label,
                custom_attrs=hotkey("/"),
                class_name="ac-input",
            ),
            class_name="ac-search",
        ),
        on_submit=on_submit,
        reset_on_submit=False,
        width="auto",
        role="search",
    )


def paging(newest: rx.Var[str], older: rx.Var[str], total: Text | None = None) -> rx.Component:
    """Return the links to other pages, each where there is one, and what the list holds in all."""
    counted = (
        rx.el.span()
        if total is None
        else rx.el.span(total, class_name="ac-meta", role="status", aria_live="polite")
    )
    return rx.el.nav(
        counted,
        rx.cond(newest != "", rx.link("Back to newest", href=newest)),
        rx.cond(older != "", rx.link("Older", href=older)),
        aria_label="Pages",
        class_name="ac-paging",
    )
