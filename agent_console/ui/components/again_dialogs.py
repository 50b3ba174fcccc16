"""The dialogs that cut or fork a job's record: each says what it keeps and what it asks again."""

from __future__ import annotations

import reflex as rx

from agent_console.ui.components.basics import OFFLINE, callout
from agent_console.ui.record_views import LineView
from agent_console.ui.states.again import Again
from agent_console.ui.states.job import JobPage

PLAN = Again.plan
_PAUSE = 400  # milliseconds without a key before the plan is read again


def _line(line: rx.Var[LineView]) -> rx.Component:
    return rx.el.li(
        rx.el.span(line.text),
        rx.el.span(line.detail, class_name="ac-meta"),
        key=line.key,
    )


def _lines(title: str, lines: rx.Var[tuple[LineView, ...]]) -> rx.Component:
    return rx.cond(
        lines.length() > 0,
        rx.el.div(
            rx.el.h2(title, class_name="again-h2"),
            rx.el.ul(rx.foreach(lines, _line), class_name="again-lines"),
        ),
    )


def _plan(kept: str, again: str) -> rx.Component:
    """Return the statement, which is read out when it changes."""
    return rx.el.div(
        rx.cond(
            PLAN.ready,
            rx.fragment(
                rx.el.p(PLAN.lead, class_name="ac-strong"),
                rx.cond(PLAN.reason != "", callout("amber", "info", PLAN.reason)),
                _lines(kept, PLAN.kept),
                _lines(again, PLAN.again),
                _lines("Made anew", PLAN.steps),
            ),
            rx.cond(Again.error == "", rx.el.p("Looking…", class_name="ac-meta")),
        ),
        aria_live="polite",
        class_name="again-plan",
        data_testid="plan",
    )


def _error() -> rx.Component:
    return rx.el.div(
        rx.cond(Again.error != "", callout("red", "circle_alert", Again.error)), role="alert"
    )


def _verbs(confirm: rx.Component) -> rx.Component:
    return rx.el.div(
        rx.dialog.close(rx.button("Close", type="button", variant="soft", color_scheme="gray")),
        confirm,
        class_name="ac-dialogverbs",
    )


def _dialog(what: str, title: rx.Component, *content: rx.Component) -> rx.Component:
    return rx.dialog.root(
        rx.dialog.content(title, *content, max_width="34rem"),
        open=(Again.what == what) & (Again.job == JobPage.job.id),
        on_open_change=Again.close,
    )


def _cut(what: str, title: str, words: str, label: str) -> rx.Component:
    confirm = rx.button(label, disabled=OFFLINE | ~PLAN.ready, on_click=Again.confirm)
    return _dialog(
        what,
        rx.dialog.title(title),
        rx.dialog.description(words),
        _plan("Kept", "Asked again"),
        _error(),
        _verbs(confirm),
    )


def _fail() -> rx.Component:
    return _dialog(
        "fail",
        rx.dialog.title("Fail this job?"),
        rx.dialog.description("The reason becomes its error. It can be retried later."),
        rx.form(
            rx.el.label("Reason", html_for="fail-reason"),
            rx.el.textarea(
                id="fail-reason", name="reason", class_name="ac-input", rows=3, max_length=4000
            ),
            _error(),
            _verbs(rx.button("Fail job", type="submit", color_scheme="red", high_contrast=True)),
            key=Again.form_key,
            on_submit=Again.fail,
            reset_on_submit=False,
        ),
    )


def _field(label: str, name: str, control: rx.Component, *, optional: bool = False) -> rx.Component:
    more = (rx.el.span(" optional", class_name="ac-meta"),) if optional else ()
    return rx.el.div(
        rx.el.label(label, *more, html_for=f"fork-{name}"), control, class_name="ac-field"
    )


def _fork() -> rx.Component:
    data = rx.el.textarea(
        id="fork-input", name="inputData", class_name="ac-input ac-mono", rows=8,
        default_value=Again.input, spell_check=False,
        on_change=Again.edit_input.debounce(_PAUSE),
    )  # fmt: skip
    words = rx.el.input(
        id="fork-description", name="taskDescription", class_name="ac-input", max_length=4000,
        default_value=Again.description, on_change=Again.edit_description.debounce(_PAUSE),
    )  # fmt: skip
    priority = rx.el.input(
        id="fork-priority", name="priority", class_name="ac-input", input_mode="numeric",
        default_value=Again.priority,
    )  # fmt: skip
    return _dialog(
        "fork",
        rx.dialog.title("Fork from step ", Again.step),
        rx.dialog.description(
            "A new job begins with a copy of what is recorded before this step. You ask for it, "
            "so you may not decide it where the original's asker may not."
        ),
        rx.form(
            rx.cond(
                Again.input != "",
                rx.fragment(
                    _field("Input (JSON)", "input", data),
                    _field("Task description", "description", words, optional=True),
                    _field("Priority", "priority", priority),
                ),
            ),
            _plan("Decisions reused", "Asked again"),
            _error(),
            _verbs(rx.button("Create fork", type="submit", disabled=OFFLINE | (Again.error != ""))),
            key=Again.form_key,
            on_submit=Again.fork,
            reset_on_submit=False,
        ),
    )


def dialogs() -> rx.Component:
    """Return the dialogs; the one that the state names is open."""
    return rx.fragment(
        _cut(
            "retry",
            "Retry from this step?",
            "Recorded steps before it stay done. Decisions from here on are kept as history.",
            "Retry from here",
        ),
        _cut(
            "resume",
            "Resume on this version?",
            "The record is cut where the code parted from it; from there on the code is asked "
            "anew. Decisions that are dropped are kept as history.",
            "Resume on this version",
        ),
        _fail(),
        _fork(),
    )
