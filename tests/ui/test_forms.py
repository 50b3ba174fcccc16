from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from agent_console.domain.errors import FieldError
from agent_console.ui import forms


class Part(BaseModel):
    path: str = Field(description="Where it goes.")
    content: str


class Everything(BaseModel):
    userId: str  # noqa: N815  - the wire's name
    count: int = 3
    ratio: float | None = None
    loud: bool = False
    mode: Literal["a", "b"] = "a"
    tags: list[str] = []
    files: list[Part]
    rows: list[dict[str, Any]] = []


SCHEMA = Everything.model_json_schema()


def kinds(data: Any = None) -> dict[str, forms.FieldView]:
    return {view.name: view for view in forms.start(SCHEMA, data).fields(data)}


def test_each_kind_of_schema_gets_its_field() -> None:
    assert {name: view.kind for name, view in kinds().items()} == {
        "userId": "text", "count": "integer", "ratio": "number", "loud": "boolean",
        "mode": "choice", "tags": "lines", "files": "group", "rows": "json",
    }  # fmt: skip
    assert kinds()["userId"].label == "User id"
    assert kinds()["userId"].required
    assert kinds()["count"].value == "3"
    assert kinds()["mode"].options == ["a", "b"]
    inner = kinds()["files"].members[0].fields
    assert [(one.name, one.kind, one.help) for one in inner] == [
        ("files:0:path", "text", "Where it goes."), ("files:0:content", "code", ""),
    ]  # fmt: skip


def test_an_example_fills_the_form_and_comes_back_unchanged() -> None:
    example = {
        "userId": "u", "count": 2**70, "ratio": 0.5, "loud": True, "mode": "b",
        "tags": ["x", "y z"],
        "files": [{"path": "a", "content": "1\n"}, {"path": "b", "content": "2"}],
        "rows": [{"n": 12345678901234567890}],
    }  # fmt: skip
    form = forms.start(SCHEMA, example)
    typed: dict[str, Any] = {}
    for view in form.fields(example):
        if view.kind == "boolean":
            typed |= {view.name: "on"} if view.checked else {}
        typed |= {view.name: view.value} if view.kind not in {"boolean", "group"} else {}
        typed |= {one.name: one.value for item in view.members for one in item.fields}
    assert form.collect(typed) == (example, [])


def test_what_is_wrong_is_said_where_it_is() -> None:
    form = forms.start(SCHEMA, None)
    typed = {"count": "many", "ratio": "NaN", "rows": "[1,", "files:0:path": "a"}
    _, errors = form.collect(typed)
    assert [(one.field, one.message) for one in errors] == [
        ("inputData.userId", "This is needed."),
        ("inputData.count", "Enter a whole number."),
        ("inputData.ratio", "Enter a number."),
        ("inputData.files.0.content", "This is needed."),
        ("inputData.rows", "Not valid JSON: Expecting value (line 1, column 4)."),
    ]
    shown = {view.name: view for view in form.fields(None, errors)}
    assert shown["count"].error == "Enter a whole number."
    assert shown["files"].members[0].fields[1].error == "This is needed."


def test_errors_inside_free_json_show_at_the_field() -> None:
    wrong = [FieldError("inputData.rows.0.n", "must be positive")]
    view = next(v for v in forms.start(SCHEMA, None).fields(None, wrong) if v.name == "rows")
    assert view.error == "0.n: must be positive"


def test_members_keep_their_inputs_while_others_go() -> None:
    data = {"files": [{"path": name, "content": name} for name in "abc"]}
    form = forms.shrunk(forms.start(SCHEMA, data), "files", 1)
    group = next(view for view in form.fields(data) if view.name == "files")
    assert [(item.key, item.fields[0].value) for item in group.members] == [
        ("files:0", "a"), ("files:2", "c"),
    ]  # fmt: skip
    assert [item.fields[0].path for item in group.members] == [
        "inputData.files.0.path", "inputData.files.1.path",
    ]  # fmt: skip
    grown = forms.grown(form, "files")
    assert grown.members["files"] == (0, 2, 3)
    assert forms.grown(form, "nothing") == form
    assert forms.shrunk(form, "files", 9) == form


@pytest.mark.parametrize("text", ["NaN", "Infinity", "[" * 100_000, "{'a': 1}"])
def test_what_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"JSON|deep"):
        forms.parse("json", text)


def test_a_handler_without_a_schema_takes_any_object() -> None:
    form = forms.start({"type": "object"}, None)
    assert [view.kind for view in form.fields({"a": 1})] == ["json"]
    assert form.collect({"inputData": '{"a": 1}'}) == ({"a": 1}, [])
    assert form.collect({}) == ({}, [])
    _, (error,) = form.collect({"inputData": "[1]"})
    assert (error.field, error.message) == ("inputData", "Enter a JSON object: {…}.")


FULL = {
    "userId": "ada", "count": 2, "ratio": 0.5, "loud": True, "mode": "b", "tags": ["x", "y"],
    "files": [{"path": "a.py", "content": "one\ntwo\n"}], "rows": [{"n": 1}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("data", "held"),
    [
        (FULL, True),
        ({**FULL, "loud": False, "count": 12345678901234567890}, True),
        ({**FULL, "unknown": 1}, False),
        ({**FULL, "files": [{"path": "a.py", "content": "", "mode": 7}]}, False),
        ({**FULL, "userId": "two\nlines"}, False),
        ({**FULL, "tags": [" x"]}, False),
        ({**FULL, "files": [{"path": f"{n}", "content": "c"} for n in range(51)]}, False),
        ([1], False),
        (None, False),
    ],
)
def test_a_form_holds_what_it_gives_again_as_it_was(data: Any, held: bool) -> None:
    assert forms.holds(forms.start(SCHEMA, data), data) is held
