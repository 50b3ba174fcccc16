"""The fields of a form made from a schema: every page with such a form shows them alike."""

from __future__ import annotations

from typing import Any, cast

import reflex as rx

from agent_console.ui.components.basics import icon, pick, words
from agent_console.ui.forms import FieldView, GroupView

Grow = Any  # an event handler that takes a group's name
Shrink = Any  # an event handler that takes a group's name and a member's number


def form_fields(fields: rx.Var[list[FieldView]], add: Grow, remove: Shrink) -> rx.Component:
    """Return the inputs for ``fields``; ``add`` and ``remove`` change repeatable groups."""

    def one(found: Any) -> rx.Component:
        view = cast("rx.Var[FieldView]", found)
        return rx.cond(view.kind == "group", _group(view, add, remove), _field(view))

    return rx.foreach(fields, one)


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


def _member(item: rx.Var[GroupView], remove: Shrink) -> rx.Component:
    return rx.el.fieldset(
        rx.el.legend(item.title),
        rx.foreach(item.fields, _field),
        rx.el.button(
            icon("trash_2", 14),
            type="button",
            on_click=remove(item.name, item.number),
            aria_label="Remove " + item.title,
            title="Remove",
            class_name="ac-icon ac-remove",
        ),
        class_name="ac-member",
        key=item.key,
    )


def _group(view: rx.Var[FieldView], add: Grow, remove: Shrink) -> rx.Component:
    return rx.el.div(
        rx.el.div(view.label, class_name="ac-label"),
        _below(view),
        rx.foreach(view.members, lambda one: _member(cast("rx.Var[GroupView]", one), remove)),
        rx.button(
            icon("plus", 14),
            "Add",
            type="button",
            variant="soft",
            color_scheme="gray",
            aria_label="Add to " + view.label,
            on_click=add(view.name),
        ),
        role="group",
        aria_label=view.label,
        class_name="ac-field ac-group",
        key=view.name,
    )
