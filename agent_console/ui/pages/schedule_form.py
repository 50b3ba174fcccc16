"""The form of a schedule: a new one, or one that is changed."""

from __future__ import annotations

from typing import Any

import reflex as rx

from agent_console.domain.jobs import MAX_PRIORITY, MIN_PRIORITY
from agent_console.ui import shell
from agent_console.ui.components import choice
from agent_console.ui.components.basics import bones, icon, section, verb_button
from agent_console.ui.components.form_fields import form_fields
from agent_console.ui.components.when_fields import attrs, labelled, span_field, zone_field
from agent_console.ui.elements import moment
from agent_console.ui.live import live_page
from agent_console.ui.states.new_job import TypeCard
from agent_console.ui.states.schedule_form import STRATEGIES, ScheduleForm
from agent_console.ui.when import own

TYPING = 300  # milliseconds without another letter until the look ahead
DRAFT = ScheduleForm.draft
# Whose form the address asks for. The page is there before its state follows: for that moment it
# would show the form of before, and lose what somebody does to it.
_ASKED: rx.Var[str] = rx.Var(
    "(typeof window === 'undefined' || !/\\/edit\\/?$/.test(window.location.pathname) ? ''"
    " : new URLSearchParams(window.location.search).get('id') ?? '')"
).to(str)
_CATCH_UP = {
    "latest": "One job for all of them",
    "all": "A job each, 100 at most",
    "skip": "No job",
}
_OVERLAP = {"allow": "Start the next one beside it", "skip": "Skip the run"}


def _card(one: rx.Var[TypeCard]) -> rx.Component:
    return choice.card(one, one.job_type)


def _error(field: str) -> rx.Var[str]:
    return choice.error_of(ScheduleForm, field)


def _input(name: str, label: str, value: Any, hint: str = "", **more: Any) -> rx.Component:
    optional = more.pop("optional", False)
    control = rx.el.input(default_value=value, **attrs(name, _error(name)), **more)
    return labelled(name, label, control, _error(name), hint, optional=optional)


def _choice(name: str, label: str, value: Any, options: dict[str, str]) -> rx.Component:
    control = rx.el.select(
        *[rx.el.option(said, value=one) for one, said in options.items()],
        id=own(name),
        name=own(name),
        default_value=value,
        class_name="ac-input",
    )
    return rx.el.div(rx.el.label(label, html_for=own(name)), control, class_name="ac-field")


def _mode(value: str, label: str) -> rx.Component:
    return rx.el.label(
        rx.el.input(
            type="radio",
            name=own("mode"),
            value=value,
            checked=ScheduleForm.mode == value,
            on_change=ScheduleForm.set_mode(value),
        ),
        label,
        class_name="ac-check",
    )


def _rule() -> rx.Component:
    cron = rx.el.input(
        default_value=DRAFT.cron,
        spell_check=False,
        auto_complete="off",
        on_change=ScheduleForm.type_cron.debounce(TYPING),
        **{**attrs("cron", _error("cron")), "class_name": "ac-input ac-mono"},
    )
    by_clock = rx.el.div(
        labelled(
            "cron", "Cron expression", cron, _error("cron"),
            "Minute, hour, day of month, month, day of week.",
        ),
        zone_field(
            DRAFT.time_zone, _error("timeZone"),
            on_change=ScheduleForm.type_zone.debounce(TYPING),
        ),
        class_name="when-start",
    )  # fmt: skip
    by_interval = span_field(
        "every",
        "Every",
        _error("intervalSeconds"),
        DRAFT.every,
        DRAFT.unit,
        on_number=ScheduleForm.type_every.debounce(TYPING),
        on_unit=ScheduleForm.type_unit,
    )
    return rx.el.fieldset(
        rx.el.legend("When"),
        rx.el.div(
            _mode("cron", "At times of the clock"),
            _mode("interval", "At an interval"),
            class_name="schedule-modes",
        ),
        rx.cond(ScheduleForm.mode == "cron", by_clock, by_interval),
        _ahead(),
        class_name="ac-field",
    )


def _ahead() -> rx.Component:
    runs = rx.el.ol(
        rx.foreach(
            ScheduleForm.runs,
            lambda run: rx.el.li(
                rx.el.span(run.wall), rx.el.span(moment(run.at), class_name="ac-meta"), key=run.at
            ),
        ),
        aria_label="Next runs",
    )
    return rx.el.div(
        rx.cond(
            ScheduleForm.words != "",
            rx.fragment(rx.el.div(ScheduleForm.words, class_name="ac-strong"), runs),
        ),
        class_name="schedule-ahead",
        role="status",
        aria_live="polite",
        data_testid="ahead",
    )


def _about() -> rx.Component:
    hint = f"{MIN_PRIORITY} to {MAX_PRIORITY}, higher first"
    return rx.fragment(
        rx.el.div(
            _input("name", "Name", DRAFT.name, "No other schedule has it.", max_length=200),
            _input("priority", "Priority", DRAFT.priority, hint, input_mode="numeric"),
            class_name="ac-common",
        ),
        _input(
            "taskDescription", "Task description", DRAFT.description, optional=True,
            max_length=2000, placeholder="What are its jobs for?",
        ),
        _rule(),
    )  # fmt: skip


def _policies() -> rx.Component:
    strategies = {"": "None"} | {one: one for one in STRATEGIES}
    return rx.el.div(
        _choice("catchUp", "For runs missed while nothing ran", DRAFT.catch_up, _CATCH_UP),
        _choice("overlap", "While an earlier job is unfinished", DRAFT.overlap, _OVERLAP),
        _input("projectId", "Project", DRAFT.project, optional=True),
        _choice("approvalStrategy", "Approval strategy", DRAFT.strategy, strategies),
        class_name="schedule-policies",
    )


def _form() -> rx.Component:
    return rx.form(
        _about(),
        section(
            "Input",
            rx.el.p(ScheduleForm.chosen_title, class_name="ac-meta schedule-type"),
            rx.el.div(
                form_fields(ScheduleForm.fields, ScheduleForm.add_item, ScheduleForm.remove_item),
                key=ScheduleForm.chosen,
            ),
        ),
        section("Policies", _policies()),
        choice.wrong(ScheduleForm),
        verb_button("Save schedule", reason=ScheduleForm.refusal, type="submit", size="3"),
        rx.cond(ScheduleForm.refusal != "", rx.el.p(ScheduleForm.refusal, class_name="ac-meta")),
        key=ScheduleForm.form_key,
        on_mount=ScheduleForm.appear,
        on_submit=ScheduleForm.save,
        reset_on_submit=False,
        no_validate=True,
        aria_label="Schedule",
    )


def _content() -> rx.Component:
    types = rx.el.nav(
        rx.el.ul(
            rx.foreach(ScheduleForm.types, lambda one: choice.card(one, one.job_type)),
            class_name="ac-types",
        ),
        rx.cond(
            ~ScheduleForm.editing,
            rx.link("All job types", href="/schedules/new", class_name="ac-others"),
        ),
        aria_label="Job types",
    )
    return choice.beside(ScheduleForm, types, _form(), "Choose a job type")


def _page(title: str) -> rx.Component:
    back = rx.link(icon("arrow_left", 14), "Schedules", href="/schedules", class_name="ac-back")
    asked = ScheduleForm.schedule_id == _ASKED
    return shell.frame(
        "Schedules",
        back,
        shell.heading(title, shell.stale_badge(ScheduleForm.stale)),
        choice.whole(ScheduleForm, rx.cond(asked, _content(), bones(5, "4.5rem"))),
    )


def register(app: rx.App) -> None:
    """Add the pages at ``/schedules/new`` and ``/schedules/edit``."""
    for route, title in (("/schedules/new", "New schedule"), ("/schedules/edit", "Edit schedule")):
        live_page(app, route, title, lambda title=title: _page(title), ScheduleForm.watch)  # type: ignore[misc]
