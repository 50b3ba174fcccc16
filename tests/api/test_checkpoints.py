from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from agent_console.domain.access import Role
from tests.api.conftest import Door

DESK = "/api/admin/agent-checkpoints"


@pytest.fixture
def operator(door: Door) -> TestClient:
    return door.as_role(Role.OPERATOR, "olga")


def test_the_desk_lists_pending_checkpoints(
    door: Door, operator: TestClient, reviewer: TestClient
) -> None:
    job_id, checkpoint_id = door.waiting(operator)
    body = reviewer.get(DESK).json()
    assert body["success"] is True
    assert body["pagination"]["total"] == 1
    (row,) = body["checkpoints"]
    assert row["id"] == checkpoint_id
    assert row["jobId"] == job_id
    assert row["status"] == "PENDING"
    assert row["checkpointType"] == "APPROVAL_REQUIRED"
    assert row["requestedByName"] == "olga"
    reviewer.post(f"{DESK}/{checkpoint_id}")
    assert reviewer.get(DESK).json()["checkpoints"] == []
    assert len(reviewer.get(DESK, params={"status": "ALL"}).json()["checkpoints"]) == 1
    assert len(reviewer.get(DESK, params={"status": "APPROVED"}).json()["checkpoints"]) == 1
    assert reviewer.get(DESK, params={"status": "NONE"}).status_code == 422


def test_filters_of_the_desk(door: Door, operator: TestClient, reviewer: TestClient) -> None:
    job_id, _ = door.waiting(operator)
    door.waiting(operator)
    assert len(reviewer.get(DESK, params={"jobId": job_id}).json()["checkpoints"]) == 1
    assert len(reviewer.get(DESK, params={"jobType": "noop"}).json()["checkpoints"]) == 2
    assert reviewer.get(DESK, params={"checkpointType": "INFO"}).json()["checkpoints"] == []
    named = reviewer.get(DESK, params={"search": "MAY i"}).json()
    assert len(named["checkpoints"]) == named["pagination"]["total"] == 2
    assert reviewer.get(DESK, params={"search": "nothing like it"}).json()["checkpoints"] == []
    first = reviewer.get(DESK, params={"limit": 1}).json()
    cursor = first["pagination"]["nextCursor"]
    second = reviewer.get(DESK, params={"limit": 1, "cursor": cursor}).json()
    assert second["pagination"]["hasMore"] is False
    assert first["checkpoints"][0]["id"] != second["checkpoints"][0]["id"]


def test_detail_shows_what_would_be_approved(
    door: Door, operator: TestClient, reviewer: TestClient
) -> None:
    job_id, checkpoint_id = door.waiting(operator, {"amount": 12345678901234567890})
    shown = reviewer.get(f"{DESK}/{checkpoint_id}").json()["checkpoint"]
    assert shown["data"] == {"amount": 12345678901234567890}
    assert len(shown["payloadDigest"]) == 64
    assert shown["mayDecide"] is True
    assert shown["refusal"] == ""
    assert shown["selfApproval"] is False
    assert shown["history"][0]["jobId"] == job_id
    assert reviewer.get(f"{DESK}/chk_nope").status_code == 404


def test_approve(door: Door, operator: TestClient, reviewer: TestClient) -> None:
    job_id, checkpoint_id = door.waiting(operator)
    digest = reviewer.get(f"{DESK}/{checkpoint_id}").json()["checkpoint"]["payloadDigest"]
    answer = reviewer.post(
        f"{DESK}/{checkpoint_id}",
        json={"feedback": "Good.", "response": {"go": 1}, "payloadDigest": digest},
    )
    assert answer.status_code == 200
    body = answer.json()
    assert body["success"] is True
    assert body["message"] == "Checkpoint approved successfully"
    decided = body["checkpoint"]
    assert decided["id"] == checkpoint_id
    assert decided["status"] == "APPROVED"
    assert decided["approvedBy"] == decided["decidedBy"]
    assert decided["approvedBy"].startswith("usr_")
    assert decided["approvedAt"].endswith("Z")
    assert decided["feedback"] == "Good."
    assert decided["response"] == {"go": 1}
    assert reviewer.get(f"/api/agent-jobs/{job_id}").json()["job"]["status"] == "QUEUED"


def test_reject(door: Door, operator: TestClient, reviewer: TestClient) -> None:
    job_id, checkpoint_id = door.waiting(operator)
    answer = reviewer.request("DELETE", f"{DESK}/{checkpoint_id}", json={"reason": "Too risky"})
    assert answer.status_code == 200
    body = answer.json()
    assert body["message"] == "Checkpoint rejected successfully"
    assert body["checkpoint"]["status"] == "REJECTED"
    assert body["checkpoint"]["rejectionReason"] == "Too risky"
    assert body["checkpoint"]["approvedBy"] is None
    assert body["checkpoint"]["approvedAt"] is None
    assert body["checkpoint"]["decidedBy"].startswith("usr_")
    listed = reviewer.get(f"/api/agent-jobs/{job_id}/checkpoints").json()
    assert listed["success"] is True
    assert [c["status"] for c in listed["checkpoints"]] == ["REJECTED"]


def test_a_rejection_needs_a_reason(door: Door, operator: TestClient, reviewer: TestClient) -> None:
    _, checkpoint_id = door.waiting(operator)
    for body in ({}, {"reason": ""}, {"reason": "  \n"}, {"reason": None}):
        answer = reviewer.request("DELETE", f"{DESK}/{checkpoint_id}", json=body)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "reason"
    assert reviewer.delete(f"{DESK}/{checkpoint_id}").status_code == 422


def test_the_loser_learns_who_won_and_when(
    door: Door, operator: TestClient, reviewer: TestClient
) -> None:
    _, checkpoint_id = door.waiting(operator)
    won = reviewer.post(f"{DESK}/{checkpoint_id}").json()["checkpoint"]
    late = door.as_role(Role.ADMIN).request(
        "DELETE", f"{DESK}/{checkpoint_id}", json={"reason": "no"}
    )
    assert late.status_code == 409
    problem = late.json()
    assert problem["currentStatus"] == "APPROVED"
    assert problem["decidedBy"] == "reviewer"
    assert problem["decidedAt"][:19] == won["decidedAt"][:19]


def test_another_payload_than_the_one_on_screen_is_a_conflict(
    door: Door, operator: TestClient, reviewer: TestClient
) -> None:
    _, checkpoint_id = door.waiting(operator)
    answer = reviewer.post(f"{DESK}/{checkpoint_id}", json={"payloadDigest": "0" * 64})
    assert answer.status_code == 409
    assert answer.json()["currentStatus"] == "PENDING"
    assert len(answer.json()["currentDigest"]) == 64


def test_a_repeated_decision_gives_the_first_answer(
    door: Door, operator: TestClient, reviewer: TestClient
) -> None:
    _, checkpoint_id = door.waiting(operator)
    key = {"Idempotency-Key": "once"}
    first = reviewer.post(f"{DESK}/{checkpoint_id}", headers=key)
    again = reviewer.post(f"{DESK}/{checkpoint_id}", headers=key)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    without = reviewer.post(f"{DESK}/{checkpoint_id}")
    assert without.status_code == 409


def test_nobody_decides_alone_what_they_asked_for(door: Door, admin: TestClient) -> None:
    _, checkpoint_id = door.waiting(admin)
    alone = admin.get(f"{DESK}/{checkpoint_id}").json()["checkpoint"]
    assert alone["mayDecide"] is True
    assert alone["selfApproval"] is True
    door.as_role(Role.REVIEWER)
    refused = admin.post(f"{DESK}/{checkpoint_id}")
    assert refused.status_code == 403
    assert "yourself" in refused.json()["detail"]


def test_a_claim_is_taken_shown_and_given_back(
    door: Door, operator: TestClient, reviewer: TestClient
) -> None:
    _, checkpoint_id = door.waiting(operator)
    path, other = f"{DESK}/{checkpoint_id}", door.as_role(Role.REVIEWER, "ben")
    taken = reviewer.post(f"{path}/claim")
    assert taken.status_code == 200
    claim = taken.json()["claim"]
    assert claim["until"].endswith("Z")
    assert other.get(path).json()["checkpoint"]["claim"] == claim
    refused = other.post(path, json={})
    assert refused.status_code == 409
    assert refused.json()["claimedBy"] == claim["userName"]
    assert other.post(f"{path}/claim", json={"takeOver": "yes"}).status_code == 422
    assert other.post(f"{path}/claim", json={"takeOver": True}).json()["claim"]["userName"] == "ben"
    assert reviewer.delete(f"{path}/claim").json()["claim"]["userName"] == "ben"  # not theirs
    assert other.delete(f"{path}/claim").json()["claim"] is None
    assert operator.post(f"{path}/claim").status_code == 403
