"""The desk's bar for picked checkpoints: one verdict on all of them, and how it went."""

from __future__ import annotations

import reflex as rx

from agent_console.ui.components.basics import OFFLINE, verb_button, words
from agent_console.ui.components.hotkeys import hotkey
from agent_console.ui.components.picking import dismiss_button, pick_box, picked_part
from agent_console.ui.components.review_models import RowView
from agent_console.ui.components.review_verdict import reason_presets
from agent_console.ui.states.checkpoints import Desk
from agent_console.ui.states.desk_bulk import DeskBulk, RefusedView

_LEADS = {
    "approve": "Each job goes on with exactly what was in the list when you picked it.",
    "reject": "Nothing of these is done. Each agent gets your reason; so does who reads the job.",
}


def checkpoint_box(row: rx.Var[RowView]) -> rx.Component:
    """Return the box that picks a checkpoint; the key ``x`` does it where its row has the focus."""
    return pick_box(row.id, row.message, DeskBulk.picked, Desk.may_not, DeskBulk.pick)


def desk_bulk_bar() -> rx.Component:
    """Return the bar while something is picked, and how the last verdict on many went."""
    verbs = [
        _verb("Approve selected", "green", "approve", "Shift+A"),
        _verb("Reject selected", "red", "reject", "Shift+R"),
    ]
    return rx.fragment(
        rx.cond(
            DeskBulk.picked.length() > 0,
            rx.el.div(
                picked_part(DeskBulk.picked, verbs, DeskBulk.pick_page, DeskBulk.let_go),
                class_name="ac-bulk",
                role="group",
                aria_label="Picked checkpoints",
                data_testid="bulk-bar",
            ),
        ),
        _question("approve", "Approve", "Feedback for the agents (optional)"),
        _question("reject", "Reject", "Reason"),
        rx.cond(DeskBulk.outcome != "", _outcome()),
    )


def _verb(label: str, tone: str, action: str, key: str) -> rx.Component:
    return verb_button(
        label,
        reason=Desk.may_not,
        size="1",
        variant="surface",
        color_scheme=tone,
        high_contrast=True,
        on_click=DeskBulk.ask(action),
        custom_attrs=hotkey(key),
    )


def _question(action: str, verb: str, label: str) -> rx.Component:
    count = DeskBulk.picked.length()
    title = words(count == 1, f"{verb} 1 checkpoint", f"{verb} {count} checkpoints")
    return rx.dialog.root(
        rx.dialog.content(
            rx.dialog.title(title, size="4", margin_bottom="1"),
            rx.dialog.description(_LEADS[action], size="2", margin_bottom="3"),
            rx.el.ul(
                rx.foreach(DeskBulk.names, lambda name: rx.el.li(name, class_name="ac-cut")),
                rx.cond(DeskBulk.more != "", rx.el.li(DeskBulk.more, class_name="ac-meta")),
                class_name="bulk-names",
                aria_label="Picked",
            ),
            _form(action, label, title),
            max_width="40rem",
            class_name="verdict-dialog",
        ),
        open=DeskBulk.asking == action,
        on_open_change=DeskBulk.turn,
    )


def _form(action: str, label: str, submit: rx.Var[str]) -> rx.Component:
    rejects = action == "reject"
    field = f"bulk-{action}"
    # Radix's plain red is too light for its white letters.
    colour = {"color_scheme": "red", "high_contrast": True} if rejects else {}
    needed = {
        "aria-required": "true",
        "aria-invalid": words(DeskBulk.reason_error != "", "true", "false"),
        "aria-describedby": f"{field}-error",
    }
    return rx.el.form(
        rx.el.label(label, html_for=field, class_name="ac-label"),
        reason_presets(field) if rejects else rx.fragment(),
        rx.el.textarea(
            name="reason" if rejects else "feedback",
            id=field,
            rows=3,
            max_length=4000,
            class_name="ac-input",
            auto_focus=True,
            custom_attrs=needed if rejects else {},
        ),
        rx.el.p(DeskBulk.reason_error, id=f"{field}-error", class_name="ac-error", role="alert"),
        rx.el.div(
            rx.dialog.close(
                rx.button("Leave them", type="button", variant="soft", color_scheme="gray")
            ),
            rx.button(submit, type="submit", disabled=OFFLINE, **colour),
            class_name="verdict-actions",
        ),
        on_submit=DeskBulk.decide,
    )


def _outcome() -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.el.strong(DeskBulk.outcome, role="status", aria_live="polite"),
            dismiss_button(DeskBulk.dismiss),
            class_name="bulk-told",
        ),
        rx.cond(
            DeskBulk.refused.length() > 0,
            rx.el.ul(
                rx.foreach(DeskBulk.refused, _refused),
                rx.cond(DeskBulk.untold != "", rx.el.li(DeskBulk.untold, class_name="ac-meta")),
                aria_label="Not decided",
            ),
        ),
        class_name="ac-bulkoutcome",
        role="region",
        aria_label="What became of them",
        data_testid="bulk-outcome",
    )


def _refused(one: rx.Var[RefusedView]) -> rx.Component:
    return rx.el.li(
        rx.link(one.title, href=one.href),
        rx.el.span(one.why, class_name="ac-meta"),
        key=one.id,
    )
