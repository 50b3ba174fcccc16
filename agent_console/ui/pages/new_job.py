"""The New job page."""

from __future__ import annotations

from typing import Any

import reflex as rx

from agent_console.domain.jobs import DEFAULT_PRIORITY, MAX_PRIORITY, MIN_PRIORITY
from agent_console.ui import shell
from agent_console.ui.components.basics import bones, callout, empty, icon, pick, verb_button, words
from agent_console.ui.forms import FieldView, GroupView
from agent_console.ui.live import live_page
from agent_console.ui.states.new_job import NewJobPage, TypeCard


def _card(card: rx.Var[TypeCard]) -> rx.Component:
    return rx.el.li(
        rx.link(
            rx.el.span(card.title, class_name="ac-strong"),
            rx.el.span(card.job_type, class_name="ac-meta ac-mono"),
            rx.el.span(card.description, class_name="ac-meta"),
            href=card.href,
            underline="none",
            class_name="ac-type",
            custom_attrs={"aria-current": words(card.current, "true", "false")},
        ),
        key=card.job_type,
    )


def _attrs(view: rx.Var[FieldView]) -> dict[str, Any]:
    return {
        "id": view.name,
        "name": view.name,
        "aria_invalid": words(view.error != "", "true", "false"),
        "aria_required": words(view.required, "true", "false"),
        "aria_describedby": view.name + "-help",
        "class_name": "ac-input",
    }


def _textarea(view: rx.Var[FieldView], rows: str, mono: bool) -> rx.Component:
    attrs = _attrs(view)
    if mono:
        attrs |= {"class_name": "ac-input ac-mono", "spell_check": False}
    return rx.el.textarea(default_value=view.value, rows=rows, **attrs)


def _choice(view: rx.Var[FieldView]) -> rx.Component:
    return rx.el.select(
        rx.cond(view.required, rx.fragment(), rx.el.option("", value="")),
        rx.foreach(view.options, lambda one: rx.el.option(one, value=one, key=one)),
        default_value=view.value,
        **_attrs(view),
    )


def _input(view: rx.Var[FieldView], kind: str, **props: Any) -> rx.Component:
    return rx.el.input(type=kind, default_value=view.value, **_attrs(view), **props)


def _control(view: rx.Var[FieldView]) -> rx.Component:
    return pick(
        view.kind,
        ("long", _textarea(view, "3", False)),
        ("code", _textarea(view, "8", True)),
        ("json", _textarea(view, "8", True)),
        ("lines", _textarea(view, "4", False)),
        ("choice", _choice(view)),
        ("integer", _input(view, "text", input_mode="numeric")),
        ("number", _input(view, "text", input_mode="decimal")),
        _input(view, "text"),
    )


def _below(view: rx.Var[FieldView]) -> rx.Component:
    hint = rx.match(view.kind, ("json", "JSON."), ("lines", "One per line."), "")
    return rx.el.div(
        rx.cond(view.error != "", rx.el.div(view.error, class_name="ac-error")),
        rx.cond((view.help != "") | (hint != ""), rx.el.div(view.help, " ", hint)),
        id=view.name + "-help",
        class_name="ac-meta",
    )


def _label(view: rx.Var[FieldView]) -> rx.Component:
    return rx.el.label(
        view.label,
        rx.cond(view.required, "", rx.el.span(" optional", class_name="ac-meta")),
        html_for=view.name,
    )


def _field(view: rx.Var[FieldView]) -> rx.Component:
    tick = rx.el.label(
        rx.el.input(type="checkbox", id=view.name, name=view.name, default_checked=view.checked),
        view.label,
        class_name="ac-check",
    )
    return rx.el.div(
        rx.cond(view.kind == "boolean", tick, rx.fragment(_label(view), _control(view))),
        _below(view),
        class_name="ac-field",
        key=view.name,
    )


def _member(item: rx.Var[GroupView]) -> rx.Component:
    return rx.el.fieldset(
        rx.el.legend(item.title),
        rx.foreach(item.fields, _field),
        rx.el.button(
            icon("trash_2", 14),
            type="button",
            on_click=NewJobPage.remove_item(item.name, item.number),
            aria_label="Remove " + item.title,
            title="Remove",
            class_name="ac-icon ac-remove",
        ),
        class_name="ac-member",
        key=item.key,
    )


def _group(view: rx.Var[FieldView]) -> rx.Component:
    return rx.el.div(
        rx.el.div(view.label, class_name="ac-label"),
        _below(view),
        rx.foreach(view.members, _member),
        rx.button(
            icon("plus", 14),
            "Add",
            type="button",
            variant="soft",
            color_scheme="gray",
            aria_label="Add to " + view.label,
            on_click=NewJobPage.add_item(view.name),
        ),
        role="group",
        aria_label=view.label,
        class_name="ac-field ac-group",
        key=view.name,
    )


def _any(view: rx.Var[FieldView]) -> rx.Component:
    return rx.cond(view.kind == "group", _group(view), _field(view))


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


def _form() -> rx.Component:
    head = rx.el.div(
        rx.el.div(
            rx.el.h2(NewJobPage.chosen_title, class_name="ac-h2"),
            rx.el.p(NewJobPage.chosen_description, class_name="ac-meta"),
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
    return rx.form(
        head,
        _common(),
        rx.foreach(NewJobPage.fields, _any),
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
