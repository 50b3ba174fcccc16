"""The set-up page: makes the first account of a new console."""

from __future__ import annotations

import reflex as rx

from agent_console.ui import shell
from agent_console.ui.components.basics import callout
from agent_console.ui.elements import NativeForm, NativeLink
from agent_console.ui.pages.login import QUERY, field, kept, problem

PROBLEMS = {
    "mismatch": "The two passwords are not the same.",
    "weak_password": "This password is too short or too common. Use at least 12 characters.",
    "invalid": "Check the fields: a valid email, a name, and a password that is long enough.",
    "expired": "This link has expired or was used. Restart the console for a new one.",
    "invalid_token": "This link has expired or was used. Restart the console for a new one.",
    "not_found": "This link has expired or was used. Restart the console for a new one.",
    "conflict": "The console already has an account. Sign in instead.",
    "rate_limited": "Too many attempts. Wait a moment, then try again.",
    "unavailable": "The database is not available. Try again in a moment.",
}


def _form() -> rx.Component:
    new = {"auto_complete": "new-password", "required": True, "min_length": 12}
    return NativeForm.create(
        rx.el.input(type="hidden", name="token", value=QUERY["token"].to(str), read_only=True),
        field("Email", "email", "email", auto_complete="username", required=True, **kept("email")),
        field("Name", "name", auto_complete="name", required=True, max_length=200, **kept("name")),
        field("Password", "password", "password", help_text="At least 12 characters.", **new),
        field("Repeat password", "password2", "password", **new),
        rx.el.button("Create account", type="submit", class_name="ac-button"),
        action="/auth/setup",
        method="post",
    )


def page() -> rx.Component:
    """Lay out the page."""
    closed = callout(
        "amber",
        "link",
        "Open the set-up link that the console printed when it started; "
        "it proves that you are the one who runs it.",
    )
    return shell.door(
        "Set up agent_console",
        rx.el.p("Create the first account. It will be an administrator.", class_name="ac-quiet"),
        problem(PROBLEMS, "Setting up did not work. Try again."),
        rx.cond(QUERY["token"].to(str), _form(), closed),
        rx.el.p(
            "There is an account already? ",
            NativeLink.create("Sign in", href="/login"),
            class_name="ac-meta ac-after",
        ),
    )


def register(app: rx.App) -> None:
    """Add the page at ``/setup``."""
    app.add_page(page, route="/setup", title="Set up · agent_console")
