"""Groups of reviewers: the list, and the dialog in which an admin changes one."""

from __future__ import annotations

from typing import Any, cast

import reflex as rx

from agent_console.ui.components.basics import OFFLINE, section, verb_button, words
from agent_console.ui.policy_forms import Check
from agent_console.ui.states.groups import GroupRow, ReviewerGroups

FORM = ReviewerGroups.form


def reviewer_groups() -> rx.Component:
    """Return the section."""
    add = verb_button(
        "New group",
        reason=ReviewerGroups.refusal,
        icon_name="users_round",
        size="1",
        variant="soft",
        on_click=ReviewerGroups.edit(""),
    )
    rows = rx.el.ul(
        rx.foreach(ReviewerGroups.rows, _row), class_name="ac-rows", aria_label="Groups"
    )
    none = rx.el.p("No group: policies ask roles and people.", class_name="ac-meta")
    return rx.el.div(
        section("Groups", rx.cond(ReviewerGroups.rows.length() > 0, rows, none), add),
        rx.dialog.root(_dialog(), open=ReviewerGroups.opened, on_open_change=ReviewerGroups.turn),
        class_name="jt",
    )


def _row(row: rx.Var[GroupRow]) -> rx.Component:
    return rx.el.li(
        rx.el.strong(row.name, class_name="ac-cut"),
        rx.el.span(row.members, class_name="ac-meta ac-cut", title=row.members),
        verb_button(
            "Change", reason=row.refusal, size="1", variant="soft", color_scheme="gray",
            on_click=ReviewerGroups.edit(row.id), aria_label="Change group " + row.name,
        ),
        key=row.id,
        class_name="ac-row ac-past",
        title=row.note,
        data_testid="reviewer-group",
    )  # fmt: skip


def _dialog() -> rx.Component:
    return rx.dialog.content(
        rx.dialog.title(words(FORM.id == "", "New group", "Group " + FORM.name)),
        rx.dialog.description(
            "Policies ask a group as they ask a person. Who is taken out is not asked any more, at "
            "once; a group lends no permission."
        ),
        rx.form(
            _field("name", "Name", FORM.name, 80),
            _field("note", "What it is for", FORM.note, 500),
            rx.el.fieldset(
                rx.el.legend("Members"),
                rx.el.div(rx.foreach(FORM.members, _check), class_name="rp-people"),
                class_name="ac-field",
            ),
            rx.el.div(
                rx.cond(
                    ReviewerGroups.wrong != "",
                    rx.el.p(ReviewerGroups.wrong, class_name="ac-error"),
                ),
                role="alert",
            ),
            _verbs(),
            key=FORM.key,
            on_submit=ReviewerGroups.save,
            reset_on_submit=False,
        ),
        max_width="30rem",
    )


def _verbs() -> rx.Component:
    return rx.el.div(
        rx.cond(
            FORM.id != "",
            rx.button(
                "Delete group",
                type="button",
                variant="outline",
                color_scheme="red",
                disabled=OFFLINE,
                on_click=ReviewerGroups.delete,
            ),
        ),
        rx.dialog.close(rx.button("Cancel", type="button", variant="soft", color_scheme="gray")),
        rx.button("Save group", type="submit", disabled=OFFLINE),
        class_name="ac-dialogverbs",
    )


def _check(one: Any) -> rx.Component:
    box = cast("rx.Var[Check]", one)
    return rx.el.label(
        rx.el.input(type="checkbox", name=box.name, default_checked=box.checked),
        box.label,
        class_name="ac-check",
        key=box.name,
    )


def _field(name: str, label: str, value: Any, longest: int) -> rx.Component:
    return rx.el.div(
        rx.el.label(label, html_for=f"rg-{name}"),
        rx.el.input(
            id=f"rg-{name}",
            name=name,
            default_value=value,
            max_length=longest,
            auto_complete="off",
            class_name="ac-input",
        ),
        class_name="ac-field",
    )
