"""The parts of lists whose rows can be picked: the box of a row, and what all bars have."""

from __future__ import annotations

from typing import Any

import reflex as rx

from agent_console.ui.components.basics import icon
from agent_console.ui.components.hotkeys import hotkey


def pick_box(
    one: rx.Var[str], name: rx.Var[str], picked: rx.Var[list[str]], refusal: rx.Var[str], event: Any
) -> rx.Component:
    """Return the box that picks row ``one``; with Shift, all from the last one to it.

    ``event`` takes the row and whether Shift was held; ``refusal`` is why nobody may pick, or "".
    """
    return rx.el.label(
        rx.el.input(
            type="checkbox",
            checked=picked.contains(one),
            read_only=True,
            disabled=refusal != "",
            title=refusal,
            aria_label=f"Pick {name}",
            custom_attrs={"data-row-hotkey": "x", "aria-keyshortcuts": "x"},
            on_click=lambda click: event(one, click["shift_key"]),
        ),
        class_name="ac-pick",
    )


def picked_part(
    picked: rx.Var[list[str]], verbs: list[rx.Component], pick_page: Any, let_go: Any
) -> rx.Component:
    """Return what a bar has while rows are picked: how many, the verbs, more, none."""
    count = picked.length()
    return rx.cond(
        count > 0,
        rx.fragment(
            rx.el.span(f"{count} picked", class_name="ac-strong", role="status"),
            *verbs,
            _quiet("Pick the page", pick_page, custom_attrs=hotkey("*")),
            _quiet("Pick none", let_go),
        ),
    )


def dismiss_button(event: Any) -> rx.Component:
    """Return the button that puts away what a bar told."""
    return rx.el.button(
        icon("x", 14),
        type="button",
        class_name="ac-icon",
        aria_label="Show this no longer",
        title="Show this no longer",
        on_click=event,
    )


def _quiet(label: str, event: Any, **props: Any) -> rx.Component:
    return rx.button(
        label,
        variant="ghost",
        size="1",
        color_scheme="gray",
        on_click=event,
        class_name="ac-quietly",
        **props,
    )
