from __future__ import annotations

import json
import math

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from agent_console.domain.errors import Invalid, TooLarge
from agent_console.domain.jobs import Json
from agent_console.domain.payload import (
    MAX_DEPTH,
    canonical,
    check_json,
    digest,
    dumps,
    loads,
)

_TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=("Cs",)))
_FINITE = st.floats(allow_nan=False, allow_infinity=False)
_SCALARS = st.none() | st.booleans() | st.integers() | _FINITE | _TEXT


def _containers(
    children: st.SearchStrategy[object],
) -> st.SearchStrategy[object]:
    return st.lists(children, max_size=5) | st.dictionaries(_TEXT, children, max_size=5)


JSON = st.recursive(_SCALARS, _containers, max_leaves=20)


def _as_doubles(value: Json) -> object:
    """RFC 8785 writes a big float as the integer that reads back as the same double."""
    if isinstance(value, float) or (isinstance(value, int) and 2**53 < abs(value) < 10**300):
        return float(value)
    if isinstance(value, list):
        return [_as_doubles(item) for item in value]
    if isinstance(value, dict):
        return {key: _as_doubles(item) for key, item in value.items()}
    return value


def _nested(levels: int) -> list[object]:
    outer: list[object] = []
    inner = outer
    for _ in range(levels - 1):
        deeper: list[object] = []
        inner.append(deeper)
        inner = deeper
    return outer


@given(JSON)
def test_what_json_can_say_is_accepted_and_survives_storage(value: object) -> None:
    check_json(value, "inputData")
    assert _as_doubles(loads(dumps(value))) == _as_doubles(json.loads(json.dumps(value)))


@given(st.integers())
def test_integers_come_back_exactly(value: int) -> None:
    assert loads(dumps([value])) == [value]


@given(JSON)
def test_canonical_text_is_a_fixed_point(value: object) -> None:
    text = canonical(value)
    assert canonical(loads(text)) == text


@given(st.dictionaries(_TEXT, st.integers(-(2**53) + 1, 2**53 - 1) | _FINITE | _TEXT))
def test_canonical_agrees_with_rfc_8785_where_it_is_defined(value: dict[str, object]) -> None:
    assert canonical(value) == rfc8785.dumps(value).decode()


def test_order_of_keys_does_not_change_the_digest() -> None:
    one, other = {"a": 1, "b": [1.5, None]}, {"b": [1.5, None], "a": 1}
    assert digest(canonical(one)) == digest(canonical(other))


def test_keys_are_ordered_by_utf_16_as_the_standard_says() -> None:
    assert list(json.loads(canonical({"\uffff": 1, "\U00010000": 2}))) == ["\U00010000", "\uffff"]


@pytest.mark.parametrize("number", [2**53, 2**53 + 1, -(2**63), 10**30, 10**999])
def test_big_integers_are_written_in_full(number: int) -> None:
    assert canonical({"id": number, "f": 0.5}) == f'{{"f":0.5,"id":{number}}}'
    assert loads(dumps({"id": number})) == {"id": number}


def test_digest_is_sha_256_of_utf_8() -> None:
    assert digest("é") == "4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c"


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({"files": [{"path": "a", "content": "x\x00y"}]}, "inputData.files.0.content"),
        ({"a": [1, math.nan]}, "inputData.a.1"),
        ({"a": math.inf}, "inputData.a"),
        ({"a": -math.inf}, "inputData.a"),
        ({"a": {"b": "\ud800"}}, "inputData.a.b"),
        ({"a": {"\udfff": 1}}, "inputData.a.\\udfff"),
        ({"a": {"x\x00": 1}}, "inputData.a.x\\u0000"),
        ({"a": {1: 2}}, "inputData.a"),
        ({"a": b"bytes"}, "inputData.a"),
        ({"a": {1, 2}}, "inputData.a"),
        ({"a": 10**1000}, "inputData.a"),
        ("\x00", "inputData"),
    ],
)
def test_what_a_database_would_refuse_is_refused_by_name(value: object, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_json(value, "inputData")
    assert [error.field for error in refused.value.fields] == [field]
    refused.value.message.encode()  # the message itself can be sent


@pytest.mark.parametrize("levels", [MAX_DEPTH + 1, 6_000, 100_000])
def test_depth_is_refused_however_deep(levels: int) -> None:
    with pytest.raises(Invalid, match="nested deeper than 64"):
        check_json(_nested(levels), "inputData")


def test_the_allowed_depth_is_allowed() -> None:
    value = _nested(MAX_DEPTH)
    check_json(value, "inputData")
    assert loads(dumps(value)) == value


def test_a_value_that_holds_itself_is_refused() -> None:
    value: list[object] = []
    value.append(value)
    with pytest.raises(Invalid, match="nested deeper"):
        check_json(value, "inputData")


def test_canonical_refuses_depth_without_a_stack_overflow() -> None:
    with pytest.raises(Invalid, match="nested deeper"):
        canonical(_nested(100_000))


@pytest.mark.parametrize("value", [math.nan, "\ud800", {"\ud800": 1}, {1, 2}, object()])
def test_canonical_refuses_what_is_no_json(value: object) -> None:
    with pytest.raises(Invalid):
        canonical(value)


@pytest.mark.parametrize("value", ["é" * 600, ["xxxx"] * 200, {"k" * 1_100: 1}, [[]] * 600])
def test_size_is_counted_in_bytes(value: object) -> None:
    with pytest.raises(TooLarge) as refused:
        check_json(value, "inputData", limit=1_024)
    assert refused.value.context["limit"] == 1_024


def test_size_stops_the_walk_early() -> None:
    shared: list[object] = ["x" * 100] * 100
    for _ in range(30):  # 100 * 100 * 2**30 bytes if anybody wrote them all
        shared = [shared, shared]
    with pytest.raises(TooLarge):
        check_json(shared, "inputData")
