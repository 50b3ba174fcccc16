"""The New job page."""

from __future__ import annotations

from typing import cast

import reflex as rx

from agent_console.domain.jobs import DEFAULT_PRIORITY, MAX_PRIORITY, MIN_PRIORITY
from agent_console.ui import shell, when
from agent_console.ui.components.basics import (
    bones,
    callout,
    empty,
    icon,
    pick,
    verb_button,
    words,
)
from agent_console.ui.components.form_fields import form_fields
from agent_console.ui.components.when_fields import attrs, labelled, span_field, zone_field
from agent_console.ui.live import live_page
from agent_console.ui.states.new_job import NewJobPage, TypeCard


def _card(card: rx.Var[TypeCard]) -> rx.Component:
    return rx.el.li(
        rx.link(
            rx.el.span(card.title, class_name="ac-strong"),
            rx.el.span(card.job_type, class_name="ac-meta ac-mono"),
            rx.el.span(card.description, class_name="ac-meta"),
            rx.cond(card.limits != "", rx.el.span(card.limits, class_name="ac-meta")),
            href=card.href,
            underline="none",
            class_name="ac-type",
            custom_attrs={"aria-current": words(card.current, "true", "false")},
        ),
        key=card.job_type,
    )


def _common() -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.el.label(
                "Task description",
                rx.el.span(" optional", class_name="ac-meta"),
                html_for="taskDescription",
            ),
            rx.el.input(
                id="taskDescription", name="taskDescription", class_name="ac-input",
                default_value=NewJobPage.description, max_length=2000,
                placeholder="What is this for?", aria_describedby="taskDescription-help",
            ),
            rx.el.div(
                NewJobPage.description_error, id="taskDescription-help", class_name="ac-error"
            ),
            class_name="ac-field ac-grow",
        ),
        rx.el.div(
            rx.el.label("Priority", html_for="priority"),
            rx.el.input(
                id="priority", name="priority", class_name="ac-input", input_mode="numeric",
                default_value=str(DEFAULT_PRIORITY), aria_describedby="priority-help",
                aria_invalid=words(NewJobPage.priority_error != "", "true", "false"),
            ),
            rx.el.div(
                rx.cond(
                    NewJobPage.priority_error != "",
                    rx.el.span(NewJobPage.priority_error, class_name="ac-error"),
                    f"{MIN_PRIORITY} to {MAX_PRIORITY}, higher first",
                ),
                id="priority-help",
                class_name="ac-meta",
            ),
            class_name="ac-field",
        ),
        class_name="ac-common",
    )  # fmt: skip


def _error(field: str) -> rx.Var[str]:
    return cast("rx.Var[str]", NewJobPage.start_errors.get(field, ""))


def _start() -> rx.Component:
    options = [rx.el.option(label, value=value) for value, label in when.STARTS.items()]
    choice = rx.el.select(
        *options, id=when.own("start"), name=when.own("start"), class_name="ac-input",
        value=NewJobPage.start, on_change=NewJobPage.set_start,
    )  # fmt: skip
    error = _error("runAt")
    at = labelled(
        "runAt", "Date and time",
        rx.el.input(type="datetime-local", **attrs("runAt", error)), error,
    )  # fmt: skip
    return rx.el.div(
        rx.el.div(rx.el.label("Start", html_for=when.own("start")), choice, class_name="ac-field"),
        pick(
            NewJobPage.start,
            (when.AT, rx.fragment(at, zone_field("UTC", _error("timeZone")))),
            (when.AFTER, span_field("delay", "Delay", _error("delaySeconds"), "10", "minutes")),
            rx.fragment(),
        ),
        class_name="when-start",
    )


def _form() -> rx.Component:
    head = rx.el.div(
        rx.el.div(
            rx.el.h2(NewJobPage.chosen_title, class_name="ac-h2"),
            rx.el.p(NewJobPage.chosen_description, class_name="ac-meta"),
            rx.cond(
                NewJobPage.chosen_limits != "",
                rx.el.p(NewJobPage.chosen_limits, class_name="ac-meta", data_testid="limits"),
            ),
            style={"min_width": "0"},
        ),
        rx.cond(
            NewJobPage.has_example,
            rx.button(
                icon("wand_sparkles", 14), "Use example", type="button", variant="soft",
                color_scheme="gray", on_click=NewJobPage.use_example,
            ),
        ),
        class_name="ac-formhead",
    )  # fmt: skip
    wrong = rx.cond(
        NewJobPage.form_error != "", callout("red", "circle_alert", NewJobPage.form_error)
    )
    paused = rx.cond(
        NewJobPage.paused != "",
        callout(
            "amber",
            "circle_pause",
            "This type is paused by " + NewJobPage.paused + ". A job waits until it is resumed.",
        ),
    )
    return rx.form(
        head,
        paused,
        _common(),
        _start(),
        form_fields(NewJobPage.fields, NewJobPage.add_item, NewJobPage.remove_item),
        rx.el.div(wrong, role="alert"),
        verb_button("Create job", reason=NewJobPage.refusal, type="submit", size="3"),
        rx.cond(NewJobPage.refusal != "", rx.el.p(NewJobPage.refusal, class_name="ac-meta")),
        key=NewJobPage.form_key,
        on_submit=NewJobPage.create,
        reset_on_submit=False,
        no_validate=True,
        aria_label="New job",
    )


def _chosen() -> rx.Component:
    return rx.cond(
        NewJobPage.chosen != "",
        _form(),
        empty("mouse_pointer_click", "Choose a job type", "Its form appears here."),
    )


def page() -> rx.Component:
    """Lay out the page."""
    types = rx.el.nav(
        rx.el.ul(rx.foreach(NewJobPage.cards, _card), class_name="ac-types"),
        rx.link("All job types", href="/new", class_name="ac-others"),
        aria_label="Job types",
    )
    none = empty(
        "puzzle",
        "No job types",
        "Set AGENT_CONSOLE_HANDLERS to modules with handlers, and restart.",
    )
    both = rx.el.div(
        types,
        _chosen(),
        class_name="ac-newjob",
        data_chosen=words(NewJobPage.chosen != "", "yes", "no"),
    )
    return shell.frame(
        "New job",
        shell.heading("New job", shell.stale_badge(NewJobPage.stale)),
        rx.cond(
            NewJobPage.problem != "",
            empty("circle_alert", "This page cannot be shown", NewJobPage.problem),
            rx.cond(
                NewJobPage.loaded,
                rx.cond(NewJobPage.cards.length() > 0, both, none),
                bones(5, "4.5rem"),
            ),
        ),
    )


def register(app: rx.App) -> None:
    """Add the page at ``/new``."""
    live_page(app, "/new", "New job", page, NewJobPage.watch)
