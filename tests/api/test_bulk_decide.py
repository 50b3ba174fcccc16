"""One verdict on many checkpoints over REST."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from agent_console.domain.access import Role
from tests.api.conftest import Door

DESK = "/api/admin/agent-checkpoints"


@pytest.fixture
def operator(door: Door) -> TestClient:
    return door.as_role(Role.OPERATOR, "olga")


def post(client: TestClient, action: str, chosen: list[Any], key: str = "", **said: Any) -> Any:
    checkpoints = [one if isinstance(one, dict) else {"id": one} for one in chosen]
    return client.post(
        "/api/agent-checkpoints/bulk-decide",
        json={"action": action, "checkpoints": checkpoints, **said},
        headers={"Idempotency-Key": key} if key else {},
    )


def test_each_is_told_in_the_order_asked(
    door: Door, operator: TestClient, reviewer: TestClient
) -> None:
    made = [door.waiting(operator, {"n": n}) for n in range(3)]
    listed = {one["id"]: one for one in reviewer.get(DESK).json()["checkpoints"]}
    (_, first), (_, taken), (job_id, changed) = made
    reviewer.post(f"{DESK}/{taken}")
    answer = post(
        reviewer,
        "approve",
        [
            {"id": taken, "payloadDigest": listed[taken]["payloadDigest"]},
            {"id": first, "payloadDigest": listed[first]["payloadDigest"]},
            "chk_x",
            {"id": changed, "payloadDigest": listed[first]["payloadDigest"]},
        ],
        feedback="fine",
    )
    assert answer.status_code == 200
    body = answer.json()
    assert (body["success"], body["decided"], body["refused"]) == (True, 1, 3)
    results = body["results"]
    assert [(one["id"], one["code"], one["status"]) for one in results] == [
        (taken, "already_decided", "APPROVED"),
        (first, "decided", "APPROVED"),
        ("chk_x", "not_found", None),
        (changed, "payload_changed", "PENDING"),
    ]
    assert results[0]["decidedByName"] == results[1]["decidedByName"]
    assert results[1]["decidedAt"].endswith("Z")
    assert results[3]["payloadDigest"] == listed[changed]["payloadDigest"]
    assert results[3]["jobId"] == job_id
    assert "look at it again" in results[3]["message"]
    jobs = [operator.get(f"/api/agent-jobs/{job}").json()["job"]["status"] for job, _ in made]
    assert jobs == ["QUEUED", "QUEUED", "WAITING"]


def test_a_rejection_has_one_reason(door: Door, operator: TestClient, reviewer: TestClient) -> None:
    ids = [door.waiting(operator)[1] for _ in range(2)]
    bare = post(reviewer, "reject", ids)
    assert (bare.status_code, bare.json()["errors"][0]["field"]) == (422, "reason")
    body = post(reviewer, "reject", ids, reason="off").json()
    assert [one["status"] for one in body["results"]] == ["REJECTED", "REJECTED"]
    for one in ids:
        shown = reviewer.get(f"{DESK}/{one}").json()["checkpoint"]
        assert (shown["status"], shown["rejectionReason"]) == ("REJECTED", "off")


def test_a_repetition_is_answered_as_the_first_time(
    door: Door, operator: TestClient, reviewer: TestClient
) -> None:
    ids = [door.waiting(operator)[1] for _ in range(2)]
    first = post(reviewer, "approve", ids, key="k")
    again = post(reviewer, "approve", ids, key="k")
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json() == first.json()
    other = post(reviewer, "approve", ids[:1], key="k")
    assert (other.status_code, other.json()["code"]) == (409, "conflict")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"action": "approve", "checkpoints": []}, "checkpoints"),
        (
            {"action": "approve", "checkpoints": [{"id": f"chk_{n}"} for n in range(1_001)]},
            "checkpoints",
        ),
        ({"action": "approve", "checkpoints": [{"id": "a"}, {"id": "a"}]}, "checkpoints.1.id"),
        (
            {"action": "approve", "checkpoints": [{"id": "a", "payloadDigest": "x"}]},
            "checkpoints.0.payloadDigest",
        ),
        ({"action": "request_changes", "checkpoints": [{"id": "a"}]}, "action"),
        ({"action": "approve", "checkpoints": [{"id": "a"}], "editedData": 1}, "editedData"),
    ],
)
def test_what_is_wrong_is_named(reviewer: TestClient, body: Any, field: str) -> None:
    answer = reviewer.post("/api/agent-checkpoints/bulk-decide", json=body)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert [one["field"] for one in answer.json()["errors"]] == [field]


def test_only_who_may_decide_may_decide_many(door: Door, operator: TestClient) -> None:
    _, checkpoint_id = door.waiting(operator)
    viewer = door.as_role(Role.VIEWER)
    for client in (viewer, operator):
        answer = post(client, "approve", [checkpoint_id])
        assert answer.status_code == 403
        assert answer.json()["requiredPermission"] == "checkpoints:decide"
