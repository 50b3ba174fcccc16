"""The sign-in page: a form the browser submits, so no script ever sees the cookie."""

from __future__ import annotations

from typing import Any

import reflex as rx

from agent_console.ui import shell
from agent_console.ui.components.basics import callout
from agent_console.ui.elements import NativeForm

QUERY = rx.State.router.url.query_parameters
PROBLEMS = {
    "invalid": "Email or password is not right.",
    "invalid_credentials": "Email or password is not right.",
    "unauthenticated": "Email or password is not right.",
    "rate_limited": "Too many attempts. Wait a moment, then try again.",
    "expired": "Your session has ended. Sign in again.",
    "disabled": "This account is disabled.",
    "origin": "The request did not come from this page. Try again.",
    "forbidden": "The request did not come from this page. Try again.",
    "unavailable": "The database is not available. Try again in a moment.",
}


def kept(name: str) -> dict[str, Any]:
    """Return what makes the browser keep a field over a refused form (``assets/console.js``)."""
    return {"custom_attrs": {"data-keep": name}}


def field(
    label: str, name: str, kind: str = "text", *, help_text: str = "", **props: Any
) -> rx.Component:
    """Return a labelled input of a native form."""
    if help_text:
        props["aria_describedby"] = f"{name}-help"
    below = [rx.el.div(help_text, id=f"{name}-help", class_name="ac-meta")] if help_text else []
    return rx.el.div(
        rx.el.label(label, html_for=name),
        rx.el.input(id=name, name=name, type=kind, class_name="ac-input", **props),
        *below,
        class_name="ac-field",
    )


def problem(texts: dict[str, str], fallback: str) -> rx.Component:
    """Say what the code in ``?error=`` means."""
    code = QUERY["error"].to(str)
    message = rx.match(code, *texts.items(), fallback)
    return rx.cond(
        code,
        rx.el.div(callout("red", "circle_alert", message), role="alert"),
    )


def page() -> rx.Component:
    """Lay out the page."""
    return shell.door(
        "Sign in",
        problem(PROBLEMS, "Signing in did not work. Try again."),
        NativeForm.create(
            rx.el.input(type="hidden", name="next", value=QUERY["next"].to(str), read_only=True),
            field(
                "Email",
                "email",
                "email",
                auto_complete="username",
                required=True,
                auto_focus=True,
                **kept("email"),
            ),
            field(
                "Password", "password", "password", auto_complete="current-password", required=True
            ),
            rx.el.button("Sign in", type="submit", class_name="ac-button"),
            action="/auth/login",
            method="post",
        ),
    )


def register(app: rx.App) -> None:
    """Add the page at ``/login``."""
    app.add_page(page, route="/login", title="Sign in · agent_console")
