"""The small parts every page uses: marks, empty states, copy buttons, verbs, facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import reflex as rx
from reflex_components_core.core.banner import has_connection_errors

from agent_console.ui.theme import Mark

Text = str | rx.Var[str]
OFFLINE = has_connection_errors


def words(condition: Any, yes: Text, no: Text) -> rx.Var[str]:
    """Return ``yes`` where ``condition`` holds, else ``no`` (Reflex types it for components)."""
    return cast("rx.Var[str]", rx.cond(condition, yes, no))  # type: ignore[call-overload]


def pick(value: rx.Var[str], *cases: Any) -> rx.Component:
    """Return the component that belongs to ``value``: pairs of value and component, a default."""
    return cast("rx.Component", rx.match(value, *cases))


def icon(name: str, size: int = 16, class_name: str = "") -> rx.Component:
    """Return a decorative icon: hidden from screen readers, the word beside it speaks."""
    return rx.icon(name, size=size, class_name=class_name, aria_hidden="true", stroke_width=1.75)


def _mark(word: Text, mark: Mark) -> rx.Component:
    return rx.el.span(
        icon(mark.icon, 13, "ac-spin" if mark.spins else ""),
        word,
        class_name="ac-mark",
        data_tone=mark.tone,
    )


def status_mark(status: rx.Var[str], marks: Mapping[str, Mark]) -> rx.Component:
    """Show a status by its exact word, an icon, and a colour where colour means something."""
    cases = [(str(word), _mark(str(word), mark)) for word, mark in marks.items()]
    return pick(status, *cases, _mark(status, Mark("gray", "circle")))


def copy_button(value: Text, label: Text = "Copy") -> rx.Component:
    """Return a button that copies ``value``; works on plain HTTP too."""
    return rx.el.button(
        icon("copy", 13),
        type="button",
        class_name="ac-icon ac-copy",
        aria_label=label,
        title=label,
        custom_attrs={"data-copy": value},
    )


def identifier(value: Text) -> rx.Component:
    """Show an id in monospace with a copy button."""
    return rx.el.span(
        rx.el.code(value, class_name="ac-mono"),
        copy_button(value, "Copy id"),
        class_name="ac-id",
    )


def empty(icon_name: str, lead: Text, text: Text, *actions: rx.Component) -> rx.Component:
    """Say what will be here, and offer the way to make it so."""
    return rx.el.div(
        icon(icon_name, 28),
        rx.el.p(lead, class_name="ac-lead"),
        rx.el.p(text),
        *actions,
        class_name="ac-empty",
    )


def bones(rows: int, height: str = "3rem") -> rx.Component:
    """Return a skeleton of ``rows`` rows as high as what comes."""
    return rx.el.div(
        *[
            rx.el.div(
                class_name="ac-bone", style={"height": f"calc({height} - 8px)", "margin": "4px 0"}
            )
            for _ in range(rows)
        ],
        aria_hidden="true",
    )


def verb_button(
    label: Text,
    *,
    reason: Text = "",
    icon_name: str = "",
    **props: Any,
) -> rx.Component:
    """Return a button that is disabled, saying why, when ``reason`` is not empty or offline."""
    has_reason = reason != "" if isinstance(reason, rx.Var) else bool(reason)
    content = [icon(icon_name, 15)] if icon_name else []
    button = rx.button(*content, label, disabled=OFFLINE | has_reason, **props)
    return rx.el.span(
        button,
        rx.el.span(reason, class_name="ac-sr"),
        title=reason,
        class_name="ac-verb",
    )


def fact(term: str, value: rx.Component | Text, *, given: Any = True) -> rx.Component:
    """Return a name and its value; nothing where ``given`` does not hold."""
    pair = rx.fragment(rx.el.dt(term), rx.el.dd(value))
    return pair if given is True else rx.cond(given, pair)


def facts(*pairs: tuple[str, rx.Component | Text] | rx.Component) -> rx.Component:
    """Return a list of names and values, each a pair or a :func:`fact`."""
    parts = [fact(*one) if isinstance(one, tuple) else one for one in pairs]
    return rx.el.dl(*parts, class_name="ac-facts")


def section(title: str, *children: rx.Component, aside: rx.Component | None = None) -> rx.Component:
    """Return a titled part of a page."""
    head = [title] if aside is None else [title, aside]
    return rx.el.section(rx.el.h2(*head, class_name="ac-h2"), *children, class_name="ac-section")


def callout(tone: str, icon_name: str, text: Text) -> rx.Component:
    """Return a quiet box with something to know."""
    return rx.el.div(icon(icon_name, 15), rx.el.span(text), class_name="ac-callout", data_tone=tone)
