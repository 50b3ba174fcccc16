"""The form on the desk, of an answer or an edit: laid out with its card, read when it is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import reflex as rx

from agent_console.domain.access import Permission
from agent_console.domain.checkpoints import CheckpointVerb, Verdict
from agent_console.domain.errors import FieldError
from agent_console.domain.jobs import Json
from agent_console.services.review import CheckpointDetail
from agent_console.ui import answer_forms, forms
from agent_console.ui.forms import FieldView, Form
from agent_console.ui.guard import guarded
from agent_console.ui.states.schema_form import FieldsForm
from agent_console.ui.states.verdict_form import VerdictForm

OWN = "verdict:"  # what names of inputs begin with that are no part of the answer or the edit
EDITED = "editedData"  # what the services call the edit


class AnswerForm(FieldsForm, mixin=True):
    """The answer that is being made, or the edit; ``edit_form``: there are fields for that one."""

    edit_form: bool = False
    edit_as: str = "form"  # or json
    _asked: tuple[str, str] = ("", "")  # id and digest of the checkpoint that the form is of

    @rx.event
    @guarded(Permission.CHECKPOINTS_DECIDE)
    def edit_in(self, how: str) -> None:
        """Edit in the fields of a form, or as JSON; what stands in the other one stays there."""
        self.edit_as = "json" if how == "json" else "form"

    def _lay_out(self, detail: CheckpointDetail | None, proposed: Json = None) -> None:
        """Make the form of a question or an edit; what stands in that of the same one stays.

        ``proposed`` is what an edit begins with.
        """
        point = None if detail is None else detail.checkpoint
        asked = ("", "") if point is None else (point.id, point.payload_digest)
        if asked == self._asked:
            return
        self._asked = asked
        self._form, self._data, has_form = Form({}, {}), None, False
        if point is not None and point.asks:
            schema = point.answer_schema or {}
            self._form, self._data = answer_forms.form_of(schema, point.answer_default)
        elif detail is not None and detail.edit_schema is not None:
            form = forms.start(detail.edit_schema, proposed)
            if has_form := bool(form.schema.get("properties")) and forms.holds(form, proposed):
                self._form, self._data = form, proposed
        self._put(edit_form=has_form, form_error="")
        known = has_form or (point is not None and point.asks)
        self._put(fields=self._laid_out() if known else [])

    def _laid_out(self, errors: Sequence[FieldError] = ()) -> list[FieldView]:
        """Return the fields, the default of a question marked as such."""
        default = None if self.edit_form else self._data
        return answer_forms.told(self._form.fields(self._data, errors), default)

    def _answered(self, typed: object) -> tuple[VerdictForm, Verdict] | None:
        """Return what was sent as a verdict; None when it is no answer yet, which is shown."""
        return self._read(typed, CheckpointVerb.ANSWER)

    def _edited(self, typed: object) -> tuple[VerdictForm, Verdict] | None:
        """Return what was sent as an approval with edits; None: it is none yet, which is shown."""
        return self._read(typed, CheckpointVerb.APPROVE)

    def _read(self, typed: object, verb: CheckpointVerb) -> tuple[VerdictForm, Verdict] | None:
        sent: Mapping[str, Any] = typed if isinstance(typed, dict) else {}
        said = VerdictForm.read(
            {name.removeprefix(OWN): one for name, one in sent.items() if name.startswith(OWN)}
        )
        if (said.checkpoint_id, said.payload_digest) != self._asked:
            return None  # the card has changed; it is on the screen already
        given, wrong = answer_forms.collected(self._form, sent)
        self._complain(wrong)
        if wrong:
            return None
        if verb is CheckpointVerb.ANSWER:
            return said, replace(said.verdict(verb), response=given)
        return said, said.verdict(verb, given)

    def _refuse_answer(self, errors: Sequence[FieldError]) -> bool:
        """Show what the services refused of an answer; say whether there was anything."""
        about = [one for one in errors if one.field.split(".")[0] == answer_forms.FIELD]
        if about:
            self._complain(answer_forms.placed(self._form, about))
        return bool(about)

    def _refuse_edit(self, errors: Sequence[FieldError]) -> None:
        """Show what the services refused of an edit at the fields, too."""
        about = [one for one in errors if one.field.split(".")[0] == EDITED]
        if about and self.edit_form:
            below = [one.field.removeprefix(EDITED) for one in about]
            self._complain(
                [replace(one, field=forms.ROOT + at) for one, at in zip(about, below, strict=True)]
            )
