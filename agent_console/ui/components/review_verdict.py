"""The verdict bar: approve, with edits too, or answer; request changes, reject.

What one may not press is on the screen, disabled, with the reason.

Text fields are uncontrolled and belong to a card that is keyed by its id, so that live updates
neither erase what is being typed nor carry it over to another checkpoint. The forms stand side by
side: a form inside another one's React tree would submit both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import reflex as rx

from agent_console.ui.components.basics import OFFLINE, callout, icon, words
from agent_console.ui.components.dialog_parts import way_out
from agent_console.ui.components.form_fields import form_fields
from agent_console.ui.components.hotkeys import hotkey
from agent_console.ui.components.review_models import BodyView, RulingView
from agent_console.ui.components.review_question import FORM
from agent_console.ui.forms import FieldView
from agent_console.ui.states.answers import OWN

PRESETS = ("Not what was asked for.", "The data is wrong.", "Too risky.", "Not needed any more.")


@dataclass(frozen=True, slots=True)
class EditForm:
    """The edit as a form: whether there is one, its fields and events, and what is wrong with it.

    ``how`` is form or json, which ``turn`` changes.
    """

    there: rx.Var[bool]
    how: rx.Var[str]
    turn: Any
    fields: rx.Var[list[FieldView]]
    error: rx.Var[str]
    add: Any
    remove: Any
    approve: rx.event.EventType[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Verdicts:
    """The events of the bar and what went wrong with the last one, next to its field."""

    approve: rx.event.EventType[dict[str, str]]
    reject: rx.event.EventType[dict[str, str]]
    approve_edited: rx.event.EventType[dict[str, str]]
    edit: EditForm
    request_changes: rx.event.EventType[dict[str, str]]
    reason_error: rx.Var[str]
    edit_error: rx.Var[str]
    changes_error: rx.Var[str]


def verdict_bar(
    body: rx.Var[BodyView], ruling: rx.Var[RulingView], verdicts: Verdicts, after: rx.Component
) -> rx.Component:
    """Return the bar of a card; ``after`` (the way to the next one) shows once it is decided."""
    return rx.el.footer(
        rx.cond(
            ruling.pending & (ruling.refusal != ""),
            rx.el.p(icon("lock", 13), ruling.refusal, class_name="verdict-why", id="verdict-why"),
        ),
        rx.cond(
            ruling.pending & (ruling.asked.why_not_again != ""),
            rx.el.p(
                icon("users", 13),
                ruling.asked.why_not_again,
                class_name="verdict-why",
                id="approve-why",
            ),
        ),
        rx.el.div(
            rx.cond(
                ~body.note,
                rx.fragment(
                    rx.cond(
                        body.question,
                        _answer(ruling),
                        rx.fragment(
                            _approve(body, ruling, verdicts),
                            rx.cond(body.editable, _edits(body, ruling, verdicts)),
                            _request_changes(body, ruling, verdicts),
                        ),
                    ),
                    _reject(body, ruling, verdicts),
                ),
            ),
            rx.cond(~ruling.pending, after),
            class_name="verdict-row",
        ),
        class_name="verdict-bar",
        data_note=words(body.note, "yes", "no"),
        aria_label="Verdict",
        role="group",
    )


def _button(
    label: str,
    key: str,
    ruling: rx.Var[RulingView],
    *,
    why: str = "verdict-why",
    **props: object,
) -> rx.Component:
    """Return a verdict's button: on the screen for everybody, enabled for who may press it."""
    given: dict[str, object] = {
        "disabled": OFFLINE | ~ruling.may_decide,
        "title": ruling.refusal,
        "custom_attrs": {"aria-describedby": why, **hotkey(key)},
        **props,
    }
    return rx.button(label, size="2", **given)


def _bound(body: rx.Var[BodyView], own: str = "") -> rx.Component:
    """Bind a form to what is on the screen: the checkpoint and the digest of its payload.

    ``own`` keeps these names apart from those of fields that a schema names.
    """

    def given(name: str, value: rx.Var[str]) -> rx.Component:
        return rx.el.input(type="hidden", name=own + name, value=value, read_only=True)

    return rx.fragment(given("checkpoint_id", body.id), given("payload_digest", body.digest))


def _approve(
    body: rx.Var[BodyView], ruling: rx.Var[RulingView], verdicts: Verdicts
) -> rx.Component:
    return rx.el.form(
        _bound(body),
        rx.cond(
            ruling.may_decide,
            rx.el.input(
                name="feedback",
                placeholder="Feedback for the agent (optional)",
                aria_label="Feedback",
                auto_complete="off",
                max_length=4000,
                data_draft=body.id + ":feedback",
                class_name="ac-input verdict-feedback",
            ),
        ),
        _button(
            "Approve",
            "a",
            ruling,
            why="verdict-why approve-why",
            type="submit",
            variant="solid",
            disabled=OFFLINE | ~ruling.may_decide | (ruling.asked.why_not_again != ""),
            title=words(ruling.refusal != "", ruling.refusal, ruling.asked.why_not_again),
        ),
        on_submit=verdicts.approve,
        class_name="verdict-approve",
    )


def _answer(ruling: rx.Var[RulingView]) -> rx.Component:
    """Send the form in the card's body: a form of its own would be a second one."""
    return rx.el.div(
        _button("Answer", "a", ruling, type="submit", variant="solid", form=FORM),
        class_name="verdict-approve",
    )


def _edits(body: rx.Var[BodyView], ruling: rx.Var[RulingView], verdicts: Verdicts) -> rx.Component:
    by_form = verdicts.edit.there & (verdicts.edit.how != "json")
    return _dialog(
        _button(
            "Approve with edits", "e", ruling, type="button", variant="surface", color_scheme="gray"
        ),
        "Approve with edits",
        "What you leave here runs instead of what was proposed; both are kept in the journal.",
        rx.fragment(
            # Both stay on the page: what was typed in one is there when one comes back to it.
            rx.el.div(
                rx.cond(verdicts.edit.there, _edit_fields(body, ruling, verdicts)),
                hidden=~by_form,
            ),
            rx.el.div(_edit_json(body, ruling, verdicts), hidden=by_form),
            # Last: the focus begins in the first field.
            rx.cond(verdicts.edit.there, _edit_switch(by_form, verdicts)),
        ),
    )


def _edit_switch(by_form: rx.Var[bool], verdicts: Verdicts) -> rx.Component:
    return rx.button(
        words(by_form, "Edit as JSON", "Edit in a form"),
        type="button",
        variant="ghost",
        size="1",
        color_scheme="gray",
        on_click=verdicts.edit.turn(words(by_form, "json", "form")),
        class_name="ac-quietly",
    )


def _edit_fields(
    body: rx.Var[BodyView], ruling: rx.Var[RulingView], verdicts: Verdicts
) -> rx.Component:
    edit = verdicts.edit
    return rx.el.form(
        _bound(body, OWN),
        rx.el.fieldset(
            form_fields(edit.fields, edit.add, edit.remove, within=body.id + ":"),
            aria_label="Data",
            class_name="card-answer",
        ),
        _field_error("edit-form-error", edit.error),
        _feedback("edit-form-feedback", OWN),
        _too_late(ruling),
        _dialog_actions("Approve edited data", ruling),
        on_submit=edit.approve,
        no_validate=True,
    )


def _edit_json(
    body: rx.Var[BodyView], ruling: rx.Var[RulingView], verdicts: Verdicts
) -> rx.Component:
    return rx.el.form(
        _bound(body),
        rx.el.label("Data (JSON)", html_for="edited-data", class_name="ac-label"),
        rx.el.textarea(
            name="edited_data",
            id="edited-data",
            default_value=words(
                ruling.asked.edit_text != "", ruling.asked.edit_text, body.edit_text
            ),
            data_draft=body.id + ":edits",
            rows=16,
            spell_check=False,
            class_name="ac-input ac-mono verdict-json",
            custom_attrs={
                "aria-invalid": words(verdicts.edit_error != "", "true", "false"),
                "aria-describedby": "edit-error",
            },
        ),
        _field_error("edit-error", verdicts.edit_error),
        _feedback("edit-feedback"),
        _too_late(ruling),
        _dialog_actions("Approve edited data", ruling),
        on_submit=verdicts.approve_edited,
    )


def _request_changes(
    body: rx.Var[BodyView], ruling: rx.Var[RulingView], verdicts: Verdicts
) -> rx.Component:
    button = _button(
        "Request changes",
        "q",
        ruling,
        why="verdict-why changes-why",
        type="button",
        variant="surface",
        color_scheme="gray",
        disabled=OFFLINE | ~ruling.may_decide | (ruling.changes_refusal != ""),
        title=words(ruling.refusal != "", ruling.refusal, ruling.changes_refusal),
    )
    form = rx.el.form(
        _bound(body),
        rx.el.label("What should change", html_for="changes-feedback", class_name="ac-label"),
        rx.el.textarea(
            name="feedback",
            data_draft=body.id + ":changes",
            id="changes-feedback",
            rows=5,
            max_length=4000,
            class_name="ac-input",
            auto_focus=True,
            custom_attrs={
                "aria-required": "true",
                "aria-invalid": words(verdicts.changes_error != "", "true", "false"),
                "aria-describedby": "changes-error",
            },
        ),
        _field_error("changes-error", verdicts.changes_error),
        _too_late(ruling),
        _dialog_actions("Send back", ruling),
        on_submit=verdicts.request_changes,
    )
    return rx.fragment(
        _dialog(
            button,
            "Request changes",
            "Nothing of this is done. The job reads your feedback and proposes again.",
            form,
        ),
        rx.el.span(ruling.changes_refusal, id="changes-why", class_name="ac-sr"),
    )


def _reject(body: rx.Var[BodyView], ruling: rx.Var[RulingView], verdicts: Verdicts) -> rx.Component:
    return _dialog(
        _button("Reject", "r", ruling, type="button", variant="outline", color_scheme="red"),
        "Reject this request",
        "Nothing of this is done. The agent gets your reason; so does everybody who reads the job.",
        rx.el.form(
            _bound(body),
            rx.el.label("Reason", html_for="reject-reason", class_name="ac-label"),
            reason_presets("reject-reason"),  # before the field: from there it is two keys to send
            rx.el.textarea(
                name="reason",
                data_draft=body.id + ":reason",
                id="reject-reason",
                rows=4,
                max_length=4000,
                class_name="ac-input",
                auto_focus=True,
                custom_attrs={
                    "aria-required": "true",
                    "aria-invalid": words(verdicts.reason_error != "", "true", "false"),
                    "aria-describedby": "reason-error",
                },
            ),
            _field_error("reason-error", verdicts.reason_error),
            _too_late(ruling),
            _dialog_actions("Reject checkpoint", ruling, "red"),
            on_submit=verdicts.reject,
        ),
    )


def reason_presets(field: str) -> rx.Component:
    """Return what is said often, to be put into ``field`` (by ``assets/desk.js``) and edited."""
    return rx.el.div(
        *[
            rx.el.button(
                said,
                type="button",
                class_name="verdict-preset",
                custom_attrs={"data-fill": field},
            )
            for said in PRESETS
        ],
        class_name="verdict-presets",
        role="group",
        aria_label="Common reasons",
    )


def _feedback(field: str, own: str = "") -> rx.Component:
    return rx.fragment(
        rx.el.label("Feedback (optional)", html_for=field, class_name="ac-label"),
        rx.el.input(name=f"{own}feedback", id=field, max_length=4000, class_name="ac-input"),
    )


def _field_error(field: str, text: rx.Var[str]) -> rx.Component:
    return rx.el.p(text, id=field, class_name="ac-error", role="alert")


def _dialog(trigger: rx.Component, title: str, lead: str, content: rx.Component) -> rx.Component:
    return rx.dialog.root(
        rx.dialog.trigger(trigger),
        rx.dialog.content(
            rx.dialog.title(title),
            rx.dialog.description(lead),
            content,
            max_width="40rem",
            class_name="verdict-dialog",
        ),
    )


def _too_late(ruling: rx.Var[RulingView]) -> rx.Component:
    """Say in an open dialog that somebody was faster; what was typed stays readable."""
    return rx.el.div(
        rx.cond(
            ruling.headline != "",
            callout("amber", "git_compare_arrows", ruling.headline + ". Nothing is done by this."),
        ),
        role="alert",
    )


def _dialog_actions(label: str, ruling: rx.Var[RulingView], color: str = "") -> rx.Component:
    # Radix's plain red is too light for its white letters.
    colour = {"color_scheme": color, "high_contrast": True} if color else {}
    return rx.el.div(
        way_out(),
        rx.button(label, type="submit", disabled=OFFLINE | ~ruling.may_decide, **colour),
        class_name="verdict-actions",
    )
