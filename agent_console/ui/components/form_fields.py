"""The fields of a form made from a schema: every page with such a form shows them alike."""

from __future__ import annotations

from typing import Any, cast

import reflex as rx

from agent_console.ui.components.basics import icon, pick, words
from agent_console.ui.forms import FieldView, GroupView, MarkView

Grow = Any  # an event handler that takes a group's name
Shrink = Any  # an event handler that takes a group's name and a member's number
Within = Any  # a Var of a text, or None


def form_fields(
    fields: rx.Var[list[FieldView]], add: Grow, remove: Shrink, within: Within = None
) -> rx.Component:
    """Return the inputs for ``fields``; ``add`` and ``remove`` change repeatable groups.

    ``within``, where a page has more fields than these, is what their ids begin with; what is
    typed is kept as a draft under the same names.
    """

    def one(found: Any) -> rx.Component:
        view = cast("rx.Var[FieldView]", found)
        group = _group(view, add, remove, within)
        return rx.cond(view.kind == "group", group, _field(view, within))

    return rx.foreach(fields, one)


def _id(view: rx.Var[FieldView], within: Within) -> rx.Var[str]:
    return view.name if within is None else within + view.name


def _attrs(view: rx.Var[FieldView], within: Within) -> dict[str, Any]:
    return {
        "id": _id(view, within),
        "name": view.name,
        **_said(view, within),
        "class_name": "ac-input",
    }


def _said(view: rx.Var[FieldView], within: Within) -> dict[str, Any]:
    return {
        "aria_invalid": words(view.error != "", "true", "false"),
        "aria_required": words(view.required, "true", "false"),
        "aria_describedby": _id(view, within) + "-help",
    }


def _draft(view: rx.Var[FieldView], within: Within) -> dict[str, Any]:
    return {} if within is None else {"data_draft": _id(view, within)}


def _textarea(view: rx.Var[FieldView], within: Within, rows: str, *, mono: bool) -> rx.Component:
    attrs = {**_attrs(view, within), **_draft(view, within)}
    if mono:
        attrs |= {"class_name": "ac-input ac-mono", "spell_check": False}
    return rx.el.textarea(default_value=view.value, rows=rows, **attrs)


def _ticks(view: rx.Var[FieldView], within: Within) -> rx.Component:
    """Return all that can be chosen, as radios or boxes."""
    kind = words(view.kind == "several", "checkbox", "radio")

    # Named unlike the parameter around it: in the page, that one would be out of sight.
    def one(tick: Any) -> rx.Component:
        mark = cast("rx.Var[MarkView]", tick)
        return rx.el.label(
            rx.el.input(
                type=kind,
                name=mark.name,
                value=mark.value,
                default_checked=mark.checked,
                aria_describedby=_id(view, within) + "-help",
            ),
            rx.el.span(mark.label),
            rx.cond(mark.note != "", rx.el.span(mark.note, class_name="ac-meta")),
            class_name="ac-check ac-option",
            key=mark.key,
        )

    return rx.el.div(
        rx.foreach(view.marks, one),
        role=words(view.kind == "several", "group", "radiogroup"),
        aria_labelledby=_id(view, within) + "-label",
        class_name="ac-options",
        aria_invalid=words(view.error != "", "true", "false"),
        aria_describedby=_id(view, within) + "-help",
    )


def _choice(view: rx.Var[FieldView], within: Within) -> rx.Component:
    return rx.el.select(
        rx.cond(view.required, rx.fragment(), rx.el.option("", value="")),
        rx.foreach(view.options, lambda one: rx.el.option(one, value=one, key=one)),
        default_value=view.value,
        **_attrs(view, within),
    )


def _input(view: rx.Var[FieldView], within: Within, **props: Any) -> rx.Component:
    given = {**_attrs(view, within), **_draft(view, within), **props}
    return rx.el.input(type="text", default_value=view.value, **given)


def _control(view: rx.Var[FieldView], within: Within) -> rx.Component:
    ticks = _ticks(view, within)
    return pick(
        view.kind,
        ("long", _textarea(view, within, "3", mono=False)),
        ("code", _textarea(view, within, "8", mono=True)),
        ("json", _textarea(view, within, "8", mono=True)),
        ("lines", _textarea(view, within, "4", mono=False)),
        ("choice", _choice(view, within)),
        ("several", ticks),
        ("radio", ticks),
        ("yesno", ticks),
        ("integer", _input(view, within, input_mode="numeric")),
        ("number", _input(view, within, input_mode="decimal")),
        _input(view, within),
    )


def _below(view: rx.Var[FieldView], within: Within) -> rx.Component:
    hint = rx.match(view.kind, ("json", "JSON."), ("lines", "One per line."), "")
    return rx.el.div(
        rx.cond(view.error != "", rx.el.div(view.error, class_name="ac-error")),
        rx.cond((view.help != "") | (hint != ""), rx.el.div(view.help, " ", hint)),
        id=_id(view, within) + "-help",
        class_name="ac-meta",
    )


def _label(view: rx.Var[FieldView], within: Within) -> rx.Component:
    named = [view.label, rx.cond(view.required, "", rx.el.span(" optional", class_name="ac-meta"))]
    label_id = _id(view, within) + "-label"
    return rx.cond(
        view.marks.length() > 0,
        rx.el.span(*named, id=label_id, class_name="ac-label"),
        rx.el.label(*named, html_for=_id(view, within)),
    )


def _field(view: rx.Var[FieldView], within: Within) -> rx.Component:
    tick = rx.el.label(
        rx.el.input(
            type="checkbox",
            id=_id(view, within),
            name=view.name,
            default_checked=view.checked,
        ),
        view.label,
        class_name="ac-check",
    )
    whole = rx.fragment(_label(view, within), _control(view, within))
    return rx.el.div(
        rx.cond(view.kind == "boolean", tick, whole),
        _below(view, within),
        class_name="ac-field",
        key=view.name,
    )


def _member(item: rx.Var[GroupView], remove: Shrink, within: Within) -> rx.Component:
    return rx.el.fieldset(
        rx.el.legend(item.title),
        rx.foreach(item.fields, lambda one: _field(cast("rx.Var[FieldView]", one), within)),
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


def _group(view: rx.Var[FieldView], add: Grow, remove: Shrink, within: Within) -> rx.Component:
    return rx.el.div(
        rx.el.div(view.label, class_name="ac-label"),
        _below(view, within),
        rx.foreach(
            view.members, lambda one: _member(cast("rx.Var[GroupView]", one), remove, within)
        ),
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
