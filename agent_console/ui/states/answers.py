"""The form of a question on the desk: laid out with its card, and read when it is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from agent_console.domain.checkpoints import CheckpointVerb, Verdict
from agent_console.domain.errors import FieldError
from agent_console.services.review import CheckpointDetail
from agent_console.ui import answer_forms
from agent_console.ui.forms import FieldView, Form
from agent_console.ui.states.schema_form import FieldsForm
from agent_console.ui.states.verdict_form import VerdictForm

OWN = "verdict:"  # what names of inputs begin with that are no part of the answer


class AnswerForm(FieldsForm, mixin=True):
    """The answer that is being made."""

    _asked: tuple[str, str] = ("", "")  # id and digest of the question that the form is of

    def _lay_out(self, detail: CheckpointDetail | None) -> None:
        """Make the form of a question; what stands in that of the same one stays."""
        point = None if detail is None or not detail.checkpoint.asks else detail.checkpoint
        asked = ("", "") if point is None else (point.id, point.payload_digest)
        if asked == self._asked:
            return
        self._asked = asked
        if point is None:
            self._form, self._data = Form({}, {}), None
            self._put(fields=[], form_error="")
            return
        form = answer_forms.form_of(point.answer_schema or {}, point.answer_default)
        self._form, self._data = form
        self._put(fields=self._laid_out(), form_error="")

    def _laid_out(self, errors: Sequence[FieldError] = ()) -> list[FieldView]:
        """Return the fields, the default marked as such."""
        return answer_forms.told(self._form.fields(self._data, errors), self._data)

    def _answered(self, typed: object) -> tuple[VerdictForm, Verdict] | None:
        """Return what was sent as a verdict; None when it is no answer yet, which is shown."""
        sent: Mapping[str, Any] = typed if isinstance(typed, dict) else {}
        said = VerdictForm.read(
            {name.removeprefix(OWN): one for name, one in sent.items() if name.startswith(OWN)}
        )
        if (said.checkpoint_id, said.payload_digest) != self._asked:
            return None  # the card has changed; it is on the screen already
        answer, wrong = answer_forms.collected(self._form, sent)
        if wrong:
            self._complain(wrong)
            return None
        self._complain(())
        return said, replace(said.verdict(CheckpointVerb.ANSWER), response=answer)

    def _refuse_answer(self, errors: Sequence[FieldError]) -> bool:
        """Show what the services refused of an answer; say whether there was anything."""
        about = [one for one in errors if one.field.split(".")[0] == answer_forms.FIELD]
        if about:
            self._complain(answer_forms.placed(self._form, about))
        return bool(about)
