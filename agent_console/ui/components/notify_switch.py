"""The switch by which this browser itself tells of new checkpoints (``assets/notify.js``)."""

from __future__ import annotations

import reflex as rx

from agent_console.ui.components.basics import icon

LABEL = "Notify me in this browser"


def notify_switch() -> rx.Component:
    """Return the switch; the browser asks whether it may, and remembers the choice itself."""
    return rx.el.span(
        rx.el.button(
            icon("bell", 16),
            icon("bell_off", 16),
            type="button",
            class_name="ac-icon notify-switch",
            aria_label=LABEL,
            title=LABEL,
            aria_pressed=False,
            custom_attrs={"data-notify-switch": "yes"},
        ),
        rx.el.span(
            class_name="notify-answer",
            role="status",
            aria_live="polite",
            custom_attrs={"data-notify-answer": "yes"},
        ),
        class_name="notify-browser",
    )
