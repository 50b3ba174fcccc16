"""Questions over REST: what they ask, answering them, and what is refused where."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from agent_console.domain.access import Role
from tests.api.conftest import Door

DESK = "/api/admin/agent-checkpoints"
COLOUR = {"type": "string", "enum": ["red", "green"]}


@pytest.fixture
def operator(door: Door) -> TestClient:
    return door.as_role(Role.OPERATOR, "olga")


def answer(client: TestClient, checkpoint_id: str, given: Any, **more: Any) -> Any:
    return client.post(f"{DESK}/{checkpoint_id}/answer", json={"answer": given}, **more)


def test_a_question_is_shown_and_answered(
    door: Door, operator: TestClient, reviewer: TestClient
) -> None:
    job_id, on = door.waiting(operator, answer=COLOUR, default="green")
    seen = reviewer.get(f"{DESK}/{on}").json()["checkpoint"]
    assert (seen["answerSchema"], seen["answerDefault"], seen["response"]) == (
        COLOUR,
        "green",
        None,
    )
    key = {"headers": {"Idempotency-Key": "k"}}
    first = answer(reviewer, on, "red", **key)
    assert first.status_code == 200, first.text
    body = first.json()
    assert (body["success"], body["message"]) == (True, "Checkpoint answered successfully")
    assert (body["checkpoint"]["status"], body["checkpoint"]["response"]) == ("APPROVED", "red")
    assert answer(reviewer, on, "red", **key).json() == body
    assert reviewer.get(f"/api/agent-jobs/{job_id}").json()["job"]["status"] == "QUEUED"
    late = answer(reviewer, on, "green")
    assert (late.status_code, late.json()["currentStatus"]) == (409, "APPROVED")
    assert late.json()["decidedBy"]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("", {}, "response"),
        ("", {"response": "pink"}, "answer"),
        ("/answer", {}, "answer"),
        ("/answer", {"answer": None}, "answer"),
        ("/answer", {"answer": "pink"}, "answer"),
        ("/answer", {"answer": "red", "editedData": {}}, "editedData"),
    ],
)
def test_what_is_no_answer_is_refused_by_field(
    door: Door, reviewer: TestClient, path: str, body: Any, field: str
) -> None:
    _, on = door.waiting(door.as_role(Role.OPERATOR, "olga"), answer=COLOUR)
    refused = reviewer.post(f"{DESK}/{on}{path}", json=body)
    assert refused.status_code == 422
    assert [one["field"] for one in refused.json()["errors"]] == [field]
    assert reviewer.get(f"{DESK}/{on}").json()["checkpoint"]["status"] == "PENDING"


def test_an_approval_may_bring_the_answer(
    door: Door, operator: TestClient, reviewer: TestClient
) -> None:
    _, on = door.waiting(operator, answer=COLOUR)
    done = reviewer.post(f"{DESK}/{on}", json={"response": "green"})
    assert (done.status_code, done.json()["checkpoint"]["response"]) == (200, "green")


def test_what_is_no_question_takes_no_answer(
    door: Door, operator: TestClient, reviewer: TestClient
) -> None:
    _, on = door.waiting(operator)
    refused = answer(reviewer, on, "red")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "answer")
    assert answer(operator, on, "red").status_code == 403


def test_many_at_once_are_told_that_a_question_wants_an_answer(
    door: Door, operator: TestClient, reviewer: TestClient
) -> None:
    _, on = door.waiting(operator, answer=COLOUR)
    told = reviewer.post(
        "/api/agent-checkpoints/bulk-decide",
        json={"action": "approve", "checkpoints": [{"id": on}]},
    ).json()
    assert told["results"][0]["code"] == "needs_answer"
