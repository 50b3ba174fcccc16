"""Fields of forms that ask when: a zone, an instant, a delay, an interval."""

from __future__ import annotations

from typing import Any

import reflex as rx

from agent_console.domain.schedules import UTC_ZONE
from agent_console.services.recurrence import time_zones
from agent_console.ui.components.basics import Text, words
from agent_console.ui.when import UNITS, own


def labelled(
    name: str,
    label: str,
    control: rx.Component,
    error: rx.Var[str],
    hint: Text = "",
    *,
    optional: bool = False,
) -> rx.Component:
    """Return ``control``, whose id is ``name``, with its label, and its error or a hint below."""
    mark = [rx.el.span(" optional", class_name="ac-meta")] if optional else []
    return rx.el.div(
        rx.el.label(label, *mark, html_for=own(name)),
        control,
        rx.el.div(
            rx.cond(error != "", rx.el.span(error, class_name="ac-error"), hint),
            id=f"{own(name)}-help",
            class_name="ac-meta",
        ),
        class_name="ac-field",
    )


def attrs(name: str, error: rx.Var[str]) -> dict[str, Any]:
    """Return what every input of such a form has."""
    return {
        "id": own(name),
        "name": own(name),
        "class_name": "ac-input",
        "aria_invalid": words(error != "", "true", "false"),
        "aria_describedby": f"{own(name)}-help",
    }


def zone_field(value: Text, error: rx.Var[str], **props: Any) -> rx.Component:
    """Return the choice of a time zone: type a few letters of a city."""
    control = rx.el.input(
        default_value=value,
        list="zones",
        auto_complete="off",
        spell_check=False,
        placeholder=UTC_ZONE,
        **attrs("timeZone", error),
        **props,
    )
    names = rx.el.datalist(*[rx.el.option(value=one) for one in time_zones()], id="zones")
    return rx.fragment(
        labelled("timeZone", "Time zone", control, error, "Such as Europe/Berlin."), names
    )


def span_field(
    name: str,
    label: str,
    error: rx.Var[str],
    value: Text,
    unit: Text,
    *,
    on_number: Any = None,
    on_unit: Any = None,
) -> rx.Component:
    """Return a number beside a unit of time."""
    number = rx.el.input(
        default_value=value,
        input_mode="numeric",
        **attrs(name, error),
        **({"on_change": on_number} if on_number is not None else {}),
    )
    units = rx.el.select(
        *[rx.el.option(one, value=one) for one in UNITS],
        name=own(f"{name}Unit"),
        default_value=unit,
        aria_label=f"{label}: unit",
        class_name="ac-input",
        **({"on_change": on_unit} if on_unit is not None else {}),
    )
    return labelled(name, label, rx.el.div(number, units, class_name="when-span"), error)
