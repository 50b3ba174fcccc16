"""The inputs that a text is kept with, from a file or typed; pages that keep one share them."""

from __future__ import annotations

import reflex as rx

from agent_console.ui.components.basics import Text, words

MAX_PASTE = 400_000  # characters: an event must stay below the socket's limit


def text_field(
    name: str,
    label: str,
    value: Text,
    error: Text,
    help_text: str,
    *,
    optional: bool = False,
) -> rx.Component:
    """Return a line to type; ``error`` takes the place of ``help_text`` where there is one."""
    beside = [rx.el.span(" optional", class_name="ac-meta")] if optional else []
    return rx.el.div(
        rx.el.label(label, *beside, html_for=name),
        rx.el.input(
            id=name, name=name, class_name="ac-input", default_value=value, max_length=2000,
            aria_describedby=f"{name}-help", aria_invalid=words(error != "", "true", "false"),
        ),
        rx.el.div(
            rx.cond(error != "", rx.el.span(error, class_name="ac-error"), help_text),
            id=f"{name}-help",
            class_name="ac-meta",
        ),
        class_name="ac-field",
    )  # fmt: skip


def file_field() -> rx.Component:
    """Return the choice of a file, whose text and name fill the fields below it."""
    fills = {"data-fill": "content", "data-name": "title", "data-kind": "mediaType"}
    return rx.el.div(
        rx.el.label(
            "From a file",
            rx.el.input(
                type="file",
                accept=".md,.markdown,.txt,text/plain,text/markdown",
                class_name="ac-input",
                custom_attrs=fills,
            ),
        ),
        rx.el.div("Its text appears below, before anything is kept.", class_name="ac-meta"),
        class_name="ac-field",
    )


def content_field(error: Text, value: Text = "", rows: str = "6") -> rx.Component:
    """Return the text itself."""
    return rx.el.div(
        rx.el.label("Text or Markdown", html_for="content"),
        rx.el.textarea(
            id="content",
            name="content",
            rows=rows,
            class_name="ac-input",
            default_value=value,
            max_length=MAX_PASTE,
            aria_describedby="content-help",
            aria_invalid=words(error != "", "true", "false"),
        ),
        rx.el.div(
            rx.cond(
                error != "",
                rx.el.span(error, class_name="ac-error"),
                f"Up to {MAX_PASTE:,} characters; longer texts over REST.",
            ),
            id="content-help",
            class_name="ac-meta",
        ),
        class_name="ac-field",
    )


def format_field() -> rx.Component:
    """Return the choice between Markdown and plain text."""
    return rx.el.div(
        rx.el.label("Format", html_for="mediaType"),
        rx.el.select(
            rx.el.option("Markdown", value="text/markdown"),
            rx.el.option("Plain text", value="text/plain"),
            id="mediaType",
            name="mediaType",
            class_name="ac-input",
        ),
        class_name="ac-field",
    )
