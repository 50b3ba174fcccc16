"""Groups of reviewers: the list, and the dialog in which an admin changes one."""

from __future__ import annotations

import reflex as rx

from agent_console.domain.reviewer_groups import MAX_NAME, MAX_NOTE
from agent_console.ui.components.basics import section, verb_button, words
from agent_console.ui.components.dialog_parts import box, complaint, ending, line, verbs
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
            line("rg-name", "name", "Name", default_value=FORM.name, max_length=MAX_NAME),
            line("rg-note", "note", "What it is for", default_value=FORM.note, max_length=MAX_NOTE),
            rx.el.fieldset(
                rx.el.legend("Members"),
                rx.el.div(rx.foreach(FORM.members, box), class_name="rp-people"),
                class_name="ac-field",
            ),
            complaint(ReviewerGroups.wrong),
            verbs(
                "Save group",
                rx.cond(FORM.id != "", ending("Delete group", ReviewerGroups.delete)),
            ),
            key=FORM.key,
            on_submit=ReviewerGroups.save,
            reset_on_submit=False,
        ),
        max_width="30rem",
    )
