from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from agent_console.api.problems import MalformedJson
from agent_console.api.strict_json import parse
from agent_console.domain.errors import Invalid
from tests.api.conftest import Door, enqueue

JOBS = "/api/agent-jobs"
JSON = {"content-type": "application/json"}


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "value",
    [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e999",
        '"\\u0000"',
        '"\\ud800"',
        "[" * 6000 + "]" * 6000,
        '{"a":' * 6000 + "1" + "}" * 6000,
        '{"a": 1, "a": 2}',
        "1" * 5000,
        "1" * 1500,
        '{"\\u0000": 1}',
    ],
    ids=lambda value: value[:12],
)
def test_what_two_readers_may_understand_differently_is_refused(
    admin: TestClient, value: str
) -> None:
    body = f'{{"jobType": "noop", "inputData": {{"x": {value}}}}}'
    answer = admin.post(JOBS, content=body.encode(), headers=JSON)
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] == "invalid"


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_deep_and_unfinished_bodies_do_no_harm(admin: TestClient) -> None:
    for body in (b"[" * 1_000_000, b'"' + b'\\"' * 400_000, b"{" * 6000, b'{"a":"' * 100_000):
        answer = admin.post(JOBS, content=body, headers=JSON)
        assert answer.status_code in {400, 422}
        assert answer.headers["content-type"] == "application/problem+json"


def test_exact_numbers_and_all_of_unicode_come_back(admin: TestClient) -> None:
    data = {"big": 2**200, "text": "\U0001f600 \u202e \u2028 ü", "small": 5e-324, "zero": -0.0}
    job_id = enqueue(admin, inputData=data)
    assert admin.get(f"{JOBS}/{job_id}").json()["job"]["inputData"] == data


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_streamed_body_is_cut_off_at_the_limit(door: Door, admin: TestClient) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(64):
            yield b" " * 65_536

    answer = admin.post(JOBS, content=chunks(), headers=JSON)
    assert answer.status_code == 413
    assert answer.json()["limit"] == door.settings.max_body


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_body_of_exactly_the_limit_is_read(door: Door, admin: TestClient) -> None:
    body = b'{"jobType": "noop"}'
    padded = body + b" " * (door.settings.max_body - len(body))
    assert admin.post(JOBS, content=padded, headers=JSON).status_code == 201
    assert admin.post(JOBS, content=padded + b" ", headers=JSON).status_code == 413


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(JSON_VALUES)
@settings(max_examples=200, deadline=None)
def test_every_plain_value_is_read_as_it_was_written(value: object) -> None:
    assert parse(json.dumps(value).encode()) == value


@given(st.binary(max_size=300) | st.text('[]{}",:\\ud8019aeNI-+. ', max_size=300))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_rubbish_is_refused_in_words(body: bytes | str) -> None:
    raw = body if isinstance(body, bytes) else body.encode()
    refused: MalformedJson | Invalid | None = None
    value: object = None
    try:
        value = parse(raw)
    except (MalformedJson, Invalid) as error:
        refused = error
    assert refused.message if refused is not None else value == json.loads(raw)
