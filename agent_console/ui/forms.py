"""Forms made from JSON Schema, and what people typed turned back into JSON: pure, no Reflex."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from agent_console.domain.errors import FieldError
from agent_console.domain.jobs import Json
from agent_console.domain.payload import dumps

Schema = Mapping[str, Any]
ROOT = "inputData"
MAX_ITEMS = 50  # members of a repeatable group the form offers
_LONG = {"content", "description", "text", "body", "prompt", "code", "message", "instructions"}
_MONO = {"content", "code"}
NEEDED = "This is needed."
_SINGLE = {"boolean": "yesno", "choice": "radio"}


@dataclass(frozen=True, slots=True)
class FieldView:
    """A field of the form. ``name`` identifies the input, ``path`` the place in the JSON.

    ``kind`` is text, long, code, integer, number, boolean, choice, several, lines, json or group;
    in questions also radio and yesno. ``marks`` are what can be ticked of several, and of radios.
    """

    name: str
    path: str
    label: str
    kind: str
    required: bool
    help: str = ""
    value: str = ""
    checked: bool = False
    options: list[str] = field(default_factory=list)
    error: str = ""
    members: list[GroupView] = field(default_factory=list)
    marks: list[MarkView] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class MarkView:
    """Something to tick: ``name`` is its input's, ``note`` stands beside it in small letters."""

    key: str
    name: str
    value: str
    label: str
    checked: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class GroupView:
    """A member of a repeatable group; ``key`` stays the same while others come and go."""

    key: str
    title: str
    name: str
    number: int
    fields: list[FieldView]


@dataclass(frozen=True, slots=True)
class Form:
    """A form's definition: the schema with its references, and the members of its groups.

    ``single``: it asks for one thing, so that all that can be chosen is on the screen.
    """

    schema: Schema
    members: Mapping[str, tuple[int, ...]]
    single: bool = False

    def fields(self, data: Json, errors: Sequence[FieldError] = ()) -> list[FieldView]:
        """Return the fields, filled with ``data``, with ``errors`` where they belong."""
        found = {error.field: error.message for error in errors}
        values = data if isinstance(data, dict) else {}
        if not self.schema.get("properties"):
            return [_whole(values, _error(found, ROOT, True))]
        return [
            self._field(name, schema, name in _required(self.schema), values.get(name), found)
            for name, schema in self._properties(self.schema)
        ]

    def _properties(self, schema: Schema) -> Iterator[tuple[str, Schema]]:
        for name, one in dict(schema.get("properties", {})).items():
            yield name, self.resolve(one)

    def resolve(self, schema: Schema) -> Schema:
        """Follow references and "or null", keeping title and description beside them."""
        around = {key: schema[key] for key in ("title", "description", "default") if key in schema}
        if isinstance(ref := schema.get("$ref"), str):
            target: Any = self.schema
            for part in ref.removeprefix("#/").split("/"):
                target = target[part]
            return self.resolve({**target, **around})
        some = [one for one in schema.get("anyOf", []) if one.get("type") != "null"]
        if len(some) == 1:
            return self.resolve({**some[0], **around})
        items = schema.get("items")
        if isinstance(items, dict) and "$ref" in items and "enum" in (one := self.resolve(items)):
            return {**schema, "items": one}
        return schema

    def _field(
        self, name: str, schema: Schema, required: bool, value: Json, errors: Mapping[str, str]
    ) -> FieldView:
        view = _plain(name, f"{ROOT}.{name}", schema, required, value)
        view = replace(view, error=_error(errors, view.path, view.kind != "group"))
        if not self.is_group(schema):
            kinds = _SINGLE if self.single else {}
            return _marked(replace(view, kind=kinds.get(view.kind, view.kind)), value)
        rows = value if isinstance(value, list) else []
        items = [
            # A member keeps its key, and with it its row, while others before it go.
            self._member(view, number, key, rows[key] if key < len(rows) else None, errors)
            for number, key in enumerate(self.members.get(name, ()))
        ]
        return replace(view, kind="group", members=items, error=_error(errors, view.path, False))

    def is_group(self, schema: Schema) -> bool:
        """Say whether ``schema`` is a list of objects with plain fields."""
        if schema.get("type") != "array":
            return False
        item = self.resolve(schema.get("items", {}))
        return bool(item.get("properties")) and item.get("type") == "object"

    def _member(
        self, group: FieldView, number: int, key: int, value: Json, errors: Mapping[str, str]
    ) -> GroupView:
        schema = self.resolve(dict(self._properties(self.schema))[group.path.split(".")[1]])
        item = self.resolve(schema["items"])
        values = value if isinstance(value, dict) else {}
        fields = []
        for name, one in self._properties(item):
            path = f"{group.path}.{number}.{name}"
            view = _plain(
                f"{group.name}:{key}:{name}",
                path,
                one,
                name in _required(item),
                values.get(name),
            )
            fields.append(replace(view, error=_error(errors, path, True)))
        title = f"{group.label.removesuffix('s')} {number + 1}"
        return GroupView(f"{group.name}:{key}", title, group.name, number, fields)

    def collect(self, typed: Mapping[str, Any]) -> tuple[dict[str, Json], list[FieldError]]:
        """Return the JSON that ``typed`` (input name → text) stands for, and what is wrong."""
        data: dict[str, Json] = {}
        errors: list[FieldError] = []
        if not self.schema.get("properties"):
            return _take_whole(typed, errors), errors
        for view in self.fields({}):
            if view.kind != "group":
                _take(data, view, typed, errors)
                continue
            rows: list[Json] = []
            for item in view.members:
                row: dict[str, Json] = {}
                for one in item.fields:
                    _take(row, one, typed, errors)
                rows.append(row)
            data[view.name] = rows
        return data, errors


def start(schema: Schema, data: Json) -> Form:
    """Return the form for ``schema`` with as many group members as ``data`` fills, at least one."""
    form = Form(schema, {})
    values = data if isinstance(data, dict) else {}
    members = {}
    for name, one in form._properties(schema):
        if form.is_group(one):
            rows = values.get(name)
            count = len(rows) if isinstance(rows, list) else 0
            members[name] = tuple(range(min(max(count, 1), MAX_ITEMS)))
    return Form(schema, members)


def holds(form: Form, data: Json) -> bool:
    """Say whether ``form``, filled with ``data`` and sent as it is, gives exactly that again.

    Else something of ``data`` has no place in it, and would be lost without a word.
    """
    typed: dict[str, str] = {}
    for view in form.fields(data):
        members = [one for item in view.members for one in item.fields]
        for one in members if view.kind == "group" else [view]:
            if one.kind == "text" and "\n" in one.value:
                return False  # a browser keeps one line
            typed |= _sent(one)
    again, wrong = form.collect(typed)
    return not wrong and dumps(again) == dumps(data)


def _sent(view: FieldView) -> dict[str, str]:
    """Return what a browser sends of a field in which nobody has typed."""
    if view.marks:
        return {one.name: one.value for one in view.marks if one.checked}
    if view.kind == "boolean":
        return {view.name: "on"} if view.checked else {}
    return {view.name: view.value}


def grown(form: Form, group: str) -> Form:
    """Return ``form`` with another member of ``group``."""
    members = form.members.get(group)
    if members is None or len(members) >= MAX_ITEMS:
        return form
    return replace(form, members={**form.members, group: (*members, max(members, default=-1) + 1)})


def shrunk(form: Form, group: str, number: int) -> Form:
    """Return ``form`` without the member at ``number`` of ``group``."""
    members = form.members.get(group)
    if members is None or not 0 <= number < len(members):
        return form
    rest = tuple(key for at, key in enumerate(members) if at != number)
    return replace(form, members={**form.members, group: rest})


def _required(schema: Schema) -> set[str]:
    return set(schema.get("required", []))


def _error(errors: Mapping[str, str], path: str, below: bool) -> str:
    """Return the error at ``path``, or the first one below it (for free JSON)."""
    if path in errors or not below:
        return errors.get(path, "")
    inner = next((one for one in errors if one.startswith(f"{path}.")), None)
    return f"{inner.removeprefix(f'{path}.')}: {errors[inner]}" if inner else ""


def label_of(name: str, schema: Schema) -> str:
    """Return the schema's title if somebody wrote one, else the name in words."""
    title = schema.get("title")
    automatic = name.replace("_", " ").title().replace(" ", "").lower()
    if isinstance(title, str) and title.replace(" ", "").lower() != automatic:
        return title
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|_", " ", name).lower()
    return words[:1].upper() + words[1:]


def _kind(name: str, schema: Schema) -> str:
    if "enum" in schema and all(isinstance(one, str) for one in schema["enum"]):
        return "choice"
    kind = schema.get("type")
    if kind in {"boolean", "integer", "number"}:
        return str(kind)
    if kind == "string":
        return "code" if name in _MONO else "long" if name in _LONG else "text"
    if kind == "array":
        items = schema.get("items", {})
        if "enum" in items and all(isinstance(one, str) for one in items["enum"]):
            return "several"
        if items.get("type") == "string":
            return "lines"
    return "json"


def _marked(view: FieldView, value: Json) -> FieldView:
    """Give ``view`` what can be ticked; ``value`` is what is."""
    if view.kind == "yesno":
        pairs = [("true", "Yes", value is True), ("false", "No", value is False)]
    elif view.kind == "radio":
        pairs = [(one, one, one == view.value) for one in view.options]
    elif view.kind == "several":
        ticked = value if isinstance(value, list) else view.value.splitlines()
        pairs = [(one, one, one in ticked) for one in view.options]
    else:
        return view
    marks = [
        MarkView(
            key=f"{view.name}:{number}",
            name=_tick(view.name, number) if view.kind == "several" else view.name,
            value=one,
            label=label,
            checked=checked,
        )
        for number, (one, label, checked) in enumerate(pairs)
    ]
    return replace(view, marks=marks)


def _tick(name: str, number: int) -> str:
    """Return the name of a tick: a browser's form sends only one value a name."""
    return f"{name}:tick:{number}"


def _plain(name: str, path: str, schema: Schema, required: bool, value: Json) -> FieldView:
    key = path.rsplit(".", 1)[1]
    kind = _kind(key, schema)
    if value is None:
        value = schema.get("default")
    return FieldView(
        name=name,
        path=path,
        label=label_of(key, schema),
        kind=kind,
        required=required,
        help=str(schema.get("description", "")),
        value=_text(kind, value),
        checked=value is True,
        options=[str(one) for one in schema.get("enum", schema.get("items", {}).get("enum", []))],
    )


def _whole(values: Json, error: str) -> FieldView:
    """Return the one field of a form for a handler that takes any JSON object."""
    view = FieldView(ROOT, ROOT, "Input", "json", False, "Any JSON object.", error=error)
    return replace(view, value=_text("json", values or None))


def _take_whole(typed: Mapping[str, Any], errors: list[FieldError]) -> dict[str, Json]:
    text = str(typed.get(ROOT) or "").strip()
    try:
        value = parse("json", text) if text else {}
    except ValueError as error:
        errors.append(FieldError(ROOT, str(error)))
        return {}
    if not isinstance(value, dict):
        errors.append(FieldError(ROOT, "Enter a JSON object: {…}."))
        return {}
    return value


def _text(kind: str, value: Json) -> str:
    if value is None:
        return ""
    if kind in {"lines", "several"} and isinstance(value, list):
        return "\n".join(str(one) for one in value)
    if kind == "json":
        return json.dumps(value, indent=2, ensure_ascii=False)
    return str(value)


def _take(
    into: dict[str, Json], view: FieldView, typed: Mapping[str, Any], errors: list[FieldError]
) -> None:
    """Put what was typed for ``view`` where it belongs; what is left empty is left out."""
    key = view.path.rsplit(".", 1)[1]
    raw = typed.get(view.name)
    if view.kind == "boolean":
        into[key] = raw in (True, "on", "true")
        return
    if view.kind == "several":
        _take_ticks(into, view, typed, errors)
        return
    text = raw if isinstance(raw, str) else ""
    if not text.strip():
        if view.required:
            errors.append(FieldError(view.path, NEEDED))
        return
    try:
        into[key] = parse(view.kind, text)
    except ValueError as error:
        errors.append(FieldError(view.path, str(error)))


def _take_ticks(
    into: dict[str, Json], view: FieldView, typed: Mapping[str, Any], errors: list[FieldError]
) -> None:
    key = view.path.rsplit(".", 1)[1]
    ticked: list[Json] = [
        one for number, one in enumerate(view.options) if typed.get(_tick(view.name, number))
    ]
    if ticked:
        into[key] = ticked
    elif view.required:
        errors.append(FieldError(view.path, NEEDED))


def parse(kind: str, text: str) -> Json:
    """Return the JSON that ``text`` stands for in a field of ``kind``.

    Raises:
        ValueError: it stands for nothing; the message is meant for the person who typed it.
    """
    if kind == "integer":
        if not re.fullmatch(r"\s*[+-]?\d{1,400}\s*", text):
            raise ValueError("Enter a whole number.")
        return int(text)
    if kind == "number":
        return _number(text)
    if kind == "yesno":
        return text == "true"
    if kind == "lines":
        return [line.strip() for line in text.splitlines() if line.strip()]
    if kind == "json":
        return _document(text)
    return text.replace("\r\n", "\n")


def _number(text: str) -> Json:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        raise ValueError("Enter a number.")
    return value


def _document(text: str) -> Json:
    def refuse(name: str) -> Json:
        raise ValueError(f"{name} is not JSON.")

    try:
        value: Json = json.loads(text, parse_constant=refuse)
    except json.JSONDecodeError as error:
        raise ValueError(
            f"Not valid JSON: {error.msg} (line {error.lineno}, column {error.colno})."
        ) from None
    except RecursionError:
        raise ValueError("Nested too deeply.") from None
    return value
