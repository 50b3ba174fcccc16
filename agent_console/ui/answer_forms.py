"""The form of a question: from the schema of its answer, filled with the default; no Reflex."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from agent_console.domain.errors import FieldError
from agent_console.domain.jobs import Json
from agent_console.domain.visible import reveal
from agent_console.ui import forms
from agent_console.ui.forms import FieldView, Form
from agent_console.ui.views import shown

FIELD = "answer"  # what the services call the answer
BY_DEFAULT = "default"
MAX_WORDS = 300  # characters of an answer in a sentence


def form_of(schema: Mapping[str, Any], default: Json) -> tuple[Form, Json]:
    """Return the form and the data it starts with.

    An answer that is no object with members becomes the only field of a form.
    """
    whole = Form(schema, {}).resolve(schema)
    if whole.get("type") == "object" and whole.get("properties"):
        known = {"$defs": schema.get("$defs", {}), **whole}
        return forms.start(known, default), default
    wrapped: dict[str, Any] = {
        "type": "object",
        "properties": {FIELD: {"title": "Your answer", **_untitled(schema)}},
        "required": [FIELD],
        "$defs": schema.get("$defs", {}),
    }
    data: Json = None if default is None else {FIELD: default}
    return replace(forms.start(wrapped, data), single=True), data


def _untitled(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if name not in {"title", "$defs"}}


def told(fields: Sequence[FieldView], data: Json) -> list[FieldView]:
    """Return ``fields`` with hidden characters shown, and the default (``data``) said to be it."""
    seen = [_revealed(one) for one in fields]
    return seen if data is None else [_noted(one) for one in seen]


def _revealed(view: FieldView) -> FieldView:
    marks = [replace(one, label=reveal(one.label).text) for one in view.marks]
    label, help_ = reveal(view.label).text, reveal(view.help).text
    return replace(view, label=label, help=help_, marks=marks)


def _noted(view: FieldView) -> FieldView:
    if view.marks:
        marks = [replace(one, note=BY_DEFAULT if one.checked else "") for one in view.marks]
        return replace(view, marks=marks)
    if view.kind == "boolean":
        return replace(view, help=f"{view.help} Default: {'yes' if view.checked else 'no'}.")
    if not view.value or view.kind == "group":
        return view
    return replace(view, help=f"{view.help} Default: {shown(view.value, MAX_WORDS)}".strip())


def collected(form: Form, typed: Mapping[str, Any]) -> tuple[Json, list[FieldError]]:
    """Return the answer that ``typed`` stands for, and what is wrong with it."""
    data, wrong = form.collect(typed)
    return data.get(FIELD) if form.single else data, wrong


def placed(form: Form, errors: Sequence[FieldError]) -> list[FieldError]:
    """Return the errors of the services by the fields of ``form``."""
    return [replace(one, field=_place(form, one.field)) for one in errors]


def _place(form: Form, field: str) -> str:
    below = field.removeprefix(FIELD)
    return f"{forms.ROOT}.{FIELD}{below}" if form.single else f"{forms.ROOT}{below}"


def words(answer: Json) -> str:
    """Return an answer for a sentence: a text as it is, yes or no, else JSON on one line."""
    if isinstance(answer, bool):
        return "yes" if answer else "no"
    if isinstance(answer, list) and all(isinstance(one, str) for one in answer):
        answer = ", ".join(map(str, answer))
    text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
    return shown(text, MAX_WORDS)
