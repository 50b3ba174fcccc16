"""What pages share on which a form follows from a choice: its fields, and what is wrong in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import reflex as rx

from agent_console.domain.access import Permission
from agent_console.domain.errors import FieldError
from agent_console.domain.jobs import Json
from agent_console.ui import forms
from agent_console.ui.forms import FieldView, Form
from agent_console.ui.guard import guarded
from agent_console.ui.live import LiveState


class FieldsForm(LiveState, mixin=True):
    """The fields on the screen. What is typed stays in the browser until it is sent.

    ``errors`` are those of the page's own fields, by the names in ``OWN``; those of the fields
    that the schema makes stand in ``fields``.
    """

    OWN: ClassVar[tuple[str, ...]] = ()

    fields: list[FieldView] = []
    errors: dict[str, str] = {}
    form_error: str = ""
    _form: Form = Form({}, {})
    _data: Json = None

    @rx.event
    @guarded(Permission.JOBS_READ)
    def add_item(self, group: str) -> None:
        """Offer one more member of a group."""
        self._form = forms.grown(self._form, group)
        self.fields = self._laid_out()

    @rx.event
    @guarded(Permission.JOBS_READ)
    def remove_item(self, group: str, number: int) -> None:
        """Take a member of a group away."""
        if isinstance(number, int):
            self._form = forms.shrunk(self._form, group, number)
            self.fields = self._laid_out()

    def _laid_out(self, errors: Sequence[FieldError] = ()) -> list[FieldView]:
        """Return the fields with what they start with, and ``errors`` where they belong."""
        return self._form.fields(self._data, errors)

    def _complain(self, errors: Sequence[FieldError]) -> None:
        """Show ``errors`` where they belong; those of no field go above the button."""
        self.fields = self._laid_out(errors)
        self.errors = {one.field: one.message for one in errors if one.field in self.OWN}
        known = {view.path for view in self.fields if view.error}
        known |= {v.path for f in self.fields for i in f.members for v in i.fields if v.error}
        rest = [
            f"{one.field.removeprefix(f'{forms.ROOT}.')}: {one.message}"
            for one in errors
            if one.field not in self.OWN
            and not any(one.field == path or one.field.startswith(f"{path}.") for path in known)
        ]
        self.form_error = " ".join(rest) or ("Some fields need another look." if errors else "")


class SchemaForm(FieldsForm, mixin=True):
    """A form that follows from what was chosen."""

    chosen: str = ""
    chosen_title: str = ""
    chosen_description: str = ""
    has_example: bool = False
    form_key: str = ""
    refusal: str = ""
    _example: Json = None
    _once: str = ""  # idempotency key: sending the same form twice makes one thing
