"""A job posted with a ``traceparent`` belongs to the caller's trace; any other to its own."""

from __future__ import annotations

import pytest

from agent_console.domain import trace
from agent_console.domain.access import Role
from tests.api.conftest import Door

CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def posted(door: Door, headers: dict[str, str]) -> trace.TraceContext:
    """Post a job and return the place in a trace that was stored with it."""
    operator = door.as_role(Role.OPERATOR, "olga")
    body = {"jobType": "noop", "taskDescription": "Do it", "inputData": {}}
    answer = operator.post("/api/agent-jobs", json=body, headers=headers)
    assert answer.status_code == 201
    with door.db.read() as reader:
        sql = "SELECT traceparent FROM ai_jobs WHERE id = :id"
        row = reader.row(sql, {"id": answer.json()["job"]["id"]})
    assert row is not None
    place = trace.parse(row[0])
    assert place is not None
    return place


def test_the_callers_trace_is_kept(door: Door) -> None:
    place = posted(door, {"traceparent": CALLER})
    assert str(place) == CALLER
    assert not place.is_beginning


@pytest.mark.parametrize("header", ["", "nonsense", CALLER.replace("4bf9", "ZZZZ")])
def test_a_header_that_says_nothing_is_as_good_as_none(door: Door, header: str) -> None:
    first, second = (posted(door, {"traceparent": header} if header else {}) for _ in range(2))
    assert first.is_beginning
    assert second.is_beginning
    assert first.trace_id != second.trace_id
