"""The question on a card: what is asked, and the form of the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import reflex as rx

from agent_console.ui.components.form_fields import form_fields
from agent_console.ui.components.review_models import BodyView, RulingView
from agent_console.ui.forms import FieldView
from agent_console.ui.states.answers import OWN

FORM = "answer-form"  # the button that sends it is in the verdict bar


@dataclass(frozen=True, slots=True)
class AnswerFields:
    """The fields of the form, its events, and what is wrong with all of it."""

    fields: rx.Var[list[FieldView]]
    error: rx.Var[str]
    add: Any
    remove: Any
    answer: rx.event.EventType[dict[str, str]]


def question_part(
    body: rx.Var[BodyView], ruling: rx.Var[RulingView], answer: AnswerFields
) -> rx.Component:
    """Return the question and, while it is open, the form; who may not answer sees it disabled."""
    form = rx.el.form(
        rx.el.input(type="hidden", name=f"{OWN}checkpoint_id", value=body.id, read_only=True),
        rx.el.input(type="hidden", name=f"{OWN}payload_digest", value=body.digest, read_only=True),
        rx.el.fieldset(
            form_fields(answer.fields, answer.add, answer.remove, within=body.id + ":"),
            disabled=~ruling.may_decide,
            aria_label="Your answer",
            class_name="card-answer",
        ),
        rx.el.p(answer.error, class_name="ac-error", role="alert"),
        id=FORM,
        on_submit=answer.answer,
        no_validate=True,
    )
    return rx.el.section(
        rx.el.h3(
            "The question",
            rx.el.span("in the agent's own words", class_name="ac-meta"),
            class_name="card-h",
        ),
        rx.el.p(body.message, class_name="card-action"),
        rx.cond(
            body.message_note != "",
            rx.el.p(body.message_note, " written out as ⟨U+…⟩.", class_name="ac-meta"),
        ),
        rx.cond(ruling.pending, form),
        class_name="card-part",
        data_testid="question",
    )
