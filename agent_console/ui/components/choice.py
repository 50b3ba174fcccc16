"""Parts of pages on which a form follows from a choice of job type or agent."""

from __future__ import annotations

from typing import Any, cast

import reflex as rx

from agent_console.ui.components.basics import Text, bones, callout, empty, icon, words
from agent_console.ui.states.schema_form import SchemaForm

Page = type[SchemaForm]


def card(one: Any, code: rx.Var[str], *more: rx.Component) -> rx.Component:
    """Return what can be chosen: a link with its title, its ``code`` and whatever else is said."""
    return rx.el.li(
        rx.link(
            rx.el.span(one.title, class_name="ac-strong"),
            rx.el.span(code, class_name="ac-meta ac-mono"),
            *more,
            href=one.href,
            underline="none",
            class_name="ac-type",
            custom_attrs={"aria-current": words(one.current, "true", "false")},
        ),
        key=code,
    )


def beside(page: Page, choices: rx.Component, form: rx.Component, first: str) -> rx.Component:
    """Return the choices and the chosen one's form; ``first`` asks for a choice before there is."""
    waits = empty("mouse_pointer_click", first, "Its form appears here.")
    return rx.el.div(
        choices,
        rx.cond(page.chosen != "", form, waits),
        class_name="ac-newjob",
        data_chosen=words(page.chosen != "", "yes", "no"),
    )


def whole(page: Page, content: rx.Component) -> rx.Component:
    """Return ``content`` once it is there, and why it is not where it cannot be."""
    return rx.cond(
        page.problem != "",
        empty("circle_alert", "This page cannot be shown", page.problem),
        rx.cond(page.loaded, content, bones(5, "4.5rem")),
    )


def head(page: Any, *more: rx.Component) -> rx.Component:
    """Return the head of a form: what is chosen, and an example where it has one."""
    example = rx.button(
        icon("wand_sparkles", 14), "Use example", type="button", variant="soft",
        color_scheme="gray", on_click=page.use_example,
    )  # fmt: skip
    return rx.el.div(
        rx.el.div(
            rx.el.h2(page.chosen_title, class_name="ac-h2"),
            rx.el.p(page.chosen_description, class_name="ac-meta"),
            *more,
            style={"min_width": "0"},
        ),
        rx.cond(page.has_example, example),
        class_name="ac-formhead",
    )


def wrong(page: Page) -> rx.Component:
    """Return where the form says what is wrong with it as a whole; it is read out."""
    said: Text = page.form_error
    return rx.el.div(rx.cond(said != "", callout("red", "circle_alert", said)), role="alert")


def error_of(page: Page, field: str) -> rx.Var[str]:
    """Return what is wrong with one of the page's own fields; empty where nothing is."""
    return cast("rx.Var[str]", page.errors.get(field, ""))
