"""The New job page."""

from __future__ import annotations

import reflex as rx

from agent_console.domain.jobs import DEFAULT_PRIORITY, MAX_PRIORITY, MIN_PRIORITY
from agent_console.ui import shell, when
from agent_console.ui.components import choice
from agent_console.ui.components.basics import callout, empty, pick, verb_button, words
from agent_console.ui.components.form_fields import form_fields
from agent_console.ui.components.when_fields import attrs, labelled, span_field, zone_field
from agent_console.ui.live import live_page
from agent_console.ui.states.new_job import NewJobPage, TypeCard


def _card(one: rx.Var[TypeCard]) -> rx.Component:
    return choice.card(
        one,
        one.job_type,
        rx.el.span(one.description, class_name="ac-meta"),
        rx.cond(one.limits != "", rx.el.span(one.limits, class_name="ac-meta")),
    )


def _error(field: str) -> rx.Var[str]:
    return choice.error_of(NewJobPage, field)


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
                _error("taskDescription"), id="taskDescription-help", class_name="ac-error"
            ),
            class_name="ac-field ac-grow",
        ),
        rx.el.div(
            rx.el.label("Priority", html_for="priority"),
            rx.el.input(
                id="priority", name="priority", class_name="ac-input", input_mode="numeric",
                default_value=str(DEFAULT_PRIORITY), aria_describedby="priority-help",
                aria_invalid=words(_error("priority") != "", "true", "false"),
            ),
            rx.el.div(
                rx.cond(
                    _error("priority") != "",
                    rx.el.span(_error("priority"), class_name="ac-error"),
                    f"{MIN_PRIORITY} to {MAX_PRIORITY}, higher first",
                ),
                id="priority-help",
                class_name="ac-meta",
            ),
            class_name="ac-field",
        ),
        class_name="ac-common",
    )  # fmt: skip


def _start() -> rx.Component:
    options = [rx.el.option(label, value=value) for value, label in when.STARTS.items()]
    starts = rx.el.select(
        *options, id=when.own("start"), name=when.own("start"), class_name="ac-input",
        value=NewJobPage.start, on_change=NewJobPage.set_start,
    )  # fmt: skip
    error = _error("runAt")
    at = labelled(
        "runAt", "Date and time",
        rx.el.input(type="datetime-local", **attrs("runAt", error)), error,
    )  # fmt: skip
    return rx.el.div(
        rx.el.div(rx.el.label("Start", html_for=when.own("start")), starts, class_name="ac-field"),
        pick(
            NewJobPage.start,
            (when.AT, rx.fragment(at, zone_field("UTC", _error("timeZone")))),
            (when.AFTER, span_field("delay", "Delay", _error("delaySeconds"), "10", "minutes")),
            rx.fragment(),
        ),
        class_name="when-start",
    )


def _form() -> rx.Component:
    limits = rx.cond(
        NewJobPage.chosen_limits != "",
        rx.el.p(NewJobPage.chosen_limits, class_name="ac-meta", data_testid="limits"),
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
        choice.head(NewJobPage, limits),
        paused,
        _common(),
        _start(),
        form_fields(NewJobPage.fields, NewJobPage.add_item, NewJobPage.remove_item),
        choice.wrong(NewJobPage),
        verb_button("Create job", reason=NewJobPage.refusal, type="submit", size="3"),
        rx.cond(NewJobPage.refusal != "", rx.el.p(NewJobPage.refusal, class_name="ac-meta")),
        key=NewJobPage.form_key,
        on_submit=NewJobPage.create,
        reset_on_submit=False,
        no_validate=True,
        aria_label="New job",
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
    both = choice.beside(NewJobPage, types, _form(), "Choose a job type")
    return shell.frame(
        "New job",
        shell.heading("New job", shell.stale_badge(NewJobPage.stale)),
        choice.whole(NewJobPage, rx.cond(NewJobPage.cards.length() > 0, both, none)),
    )


def register(app: rx.App) -> None:
    """Add the page at ``/new``."""
    live_page(app, "/new", "New job", page, NewJobPage.watch)
