"""The last decision, and the seconds in which it can be taken back."""

from __future__ import annotations

import reflex as rx

from agent_console.ui.components.basics import OFFLINE, icon
from agent_console.ui.components.hotkeys import hotkey
from agent_console.ui.components.review_models import UndoView
from agent_console.ui.elements import moment


def undo_bar(undoable: rx.Var[UndoView], undo: rx.event.EventType[()]) -> rx.Component:
    """Return the bar; it goes by itself when the time is over (the browser's clock hides it)."""
    return rx.el.div(
        rx.cond(
            undoable.until != "",
            rx.el.div(
                icon("undo_2", 15),
                rx.el.span(undoable.text, class_name="ac-cut"),
                rx.el.span("goes on ", moment(undoable.until, "until"), class_name="ac-meta"),
                rx.button(
                    "Undo",
                    on_click=undo,
                    size="2",
                    variant="surface",
                    disabled=OFFLINE,
                    custom_attrs=hotkey("u"),
                ),
                key=undoable.until,
                class_name="undo-bar",
                data_testid="undo",
            ),
        ),
        role="status",
        aria_live="polite",
    )
