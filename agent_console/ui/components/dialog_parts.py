"""What small dialogs share: a line to type, what is wrong, the verbs; and the last question."""

from __future__ import annotations

from typing import Any, cast

import reflex as rx

from agent_console.ui.components.basics import OFFLINE, Text
from agent_console.ui.policy_forms import Check


def line(field_id: str, name: str, label: str, **more: Any) -> rx.Component:
    """Return a labelled line to type; ``more`` are attributes of the input."""
    return rx.el.div(
        rx.el.label(label, html_for=field_id),
        rx.el.input(id=field_id, name=name, auto_complete="off", class_name="ac-input", **more),
        class_name="ac-field",
    )


def box(one: Any) -> rx.Component:
    """Return the box of a ``Check``, one of several that are drawn by ``rx.foreach``."""
    check = cast("rx.Var[Check]", one)
    return rx.el.label(
        rx.el.input(type="checkbox", name=check.name, default_checked=check.checked),
        check.label,
        class_name="ac-check",
        key=check.name,
    )


def complaint(wrong: Text) -> rx.Component:
    """Return the place where what is ``wrong`` is said aloud; empty where nothing is."""
    return rx.el.div(
        rx.cond(wrong != "", rx.el.p(wrong, class_name="ac-error")),
        role="alert",
    )


def way_out(label: str = "Cancel") -> rx.Component:
    """Return the button that closes the dialog and does nothing."""
    return rx.dialog.close(rx.button(label, type="button", variant="soft", color_scheme="gray"))


def ending(label: str, on_click: Any) -> rx.Component:
    """Return the button that ends what the dialog is about."""
    return rx.button(
        label,
        type="button",
        variant="outline",
        color_scheme="red",
        disabled=OFFLINE,
        on_click=on_click,
    )


def verbs(done: str, *others: rx.Component) -> rx.Component:
    """Return the row of buttons: ``others``, the way out, and ``done``, which sends the form."""
    return rx.el.div(
        *others,
        way_out(),
        rx.button(done, type="submit", disabled=OFFLINE),
        class_name="ac-dialogverbs",
    )


def sure(
    trigger: rx.Component, title: str, *consequences: Text, keep: str, do: str, on_click: Any
) -> rx.Component:
    """Return ``trigger`` with what is asked before it does what cannot be taken back."""
    action = rx.button(
        do,
        color_scheme="red",
        high_contrast=True,  # plain red is too light for its white letters
        on_click=on_click,
    )
    dialog = rx.alert_dialog.content(
        rx.alert_dialog.title(title),
        rx.alert_dialog.description(*consequences),
        rx.el.div(
            rx.alert_dialog.cancel(rx.button(keep, variant="soft", color_scheme="gray")),
            rx.alert_dialog.action(action),
            class_name="ac-dialogverbs",
        ),
        max_width="26rem",
    )
    return rx.alert_dialog.root(rx.alert_dialog.trigger(trigger), dialog)
