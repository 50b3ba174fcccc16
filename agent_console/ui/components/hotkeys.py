"""Single keys: what they are, how a component takes one, and the overlay that tells them.

``assets/hotkeys.js`` presses what carries the key (``data-hotkey``), or carries it within the row
that has the focus (``data-row-hotkey``); nothing goes to the server for it.
"""

from __future__ import annotations

from dataclasses import dataclass

import reflex as rx

from agent_console.ui.components.basics import icon
from agent_console.ui.elements import NativeForm


@dataclass(frozen=True, slots=True)
class Key:
    """A key, or two in sequence, and what it does."""

    keys: str
    does: str


GROUPS: tuple[tuple[str, tuple[Key, ...]], ...] = (
    (
        "The desk",
        (
            Key("j", "Next checkpoint in the list"),
            Key("k", "Previous checkpoint in the list"),
            Key("Enter", "Open it"),
            Key("x", "Pick it; with Shift all from the last one to it"),
            Key("*", "Pick the page, once one is picked"),
            Key("Shift+A", "Approve all that are picked"),
            Key("Shift+R", "Reject all that are picked"),
            Key("a", "Approve, or answer"),
            Key("e", "Approve with edits"),
            Key("q", "Request changes"),
            Key("r", "Reject"),
            Key("u", "Undo the last decision"),
            Key("c", "Claim, or release"),
        ),
    ),
    (
        "Everywhere",
        (
            Key("/", "Search"),
            Key("g c", "Go to Checkpoints"),
            Key("g j", "Go to Jobs"),
            Key("g w", "Go to Workers"),
            Key("g o", "Go to Overview"),
            Key("Ctrl+K", "Go anywhere, do anything (⌘ K on a Mac)"),
            Key("?", "This overview"),
            Key("Ctrl+Enter", "Send the form you type in (⌘ Enter on a Mac)"),
            Key("Esc", "Close what is open"),
        ),
    ),
)


def hotkey(keys: str) -> dict[str, str]:
    """Return the attributes by which a component is pressed with ``keys``.

    A letter with Shift is written ``Shift+A``; the page hears it as the capital letter.
    """
    return {"data-hotkey": keys.removeprefix("Shift+"), "aria-keyshortcuts": keys}


def help_button() -> rx.Component:
    """Return the way to the overlay for a mouse or a finger, and when single keys are off."""
    return rx.el.button(
        icon("keyboard"),
        type="button",
        class_name="ac-icon",
        aria_label="Keyboard shortcuts",
        title="Keyboard shortcuts",
        custom_attrs={"data-keys-help": "yes", "aria-keyshortcuts": "?"},
    )


def help_overlay() -> rx.Component:
    """Return the overlay: every key, and the switch that turns single keys off."""
    return rx.el.dialog(
        NativeForm.create(
            rx.el.h2("Keyboard shortcuts", id="keys-title"),
            rx.el.button(
                icon("x", 16),
                type="submit",
                class_name="ac-icon",
                aria_label="Close",
                title="Close",
            ),
            method="dialog",
            class_name="keys-head",
        ),
        rx.el.div(*[_group(title, keys) for title, keys in GROUPS], class_name="keys-groups"),
        rx.el.label(
            rx.el.input(type="checkbox", custom_attrs={"data-keys-on": "yes"}),
            "Single keys do something (on this device)",
            class_name="keys-switch",
        ),
        id="keys-help",
        class_name="keys-help",
        aria_labelledby="keys-title",
    )


def _group(title: str, keys: tuple[Key, ...]) -> rx.Component:
    return rx.el.section(
        rx.el.h3(title),
        rx.el.dl(
            *[
                rx.el.div(
                    rx.el.dt(*[rx.el.kbd(one) for one in key.keys.split()]), rx.el.dd(key.does)
                )
                for key in keys
            ]
        ),
    )
