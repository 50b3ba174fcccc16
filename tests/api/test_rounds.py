from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from agent_console import ChangesRequested, JobContext, handler
from agent_console.domain.access import Role
from agent_console.runtime.registry import Registry
from agent_console.store.runs import suspend
from agent_console.testing import drain
from tests.api.conftest import Door
from tests.support.runs import checkpoint, claim_one

DESK = "/api/admin/agent-checkpoints"
FEEDBACK = {"feedback": "Shorter, please."}


@pytest.fixture
def operator(door: Door) -> TestClient:
    return door.as_role(Role.OPERATOR, "olga")


def send_back(client: TestClient, checkpoint_id: str, **body: Any) -> Any:
    return client.post(f"{DESK}/{checkpoint_id}/request-changes", json=body or FEEDBACK)


def test_request_changes_and_the_next_round(
    door: Door, operator: TestClient, reviewer: TestClient
) -> None:
    job_id, first = door.waiting(operator, {"n": 1}, rounds=2)
    seen = reviewer.get(f"{DESK}/{first}").json()["checkpoint"]
    assert (seen["round"], seen["rounds"], seen["previousId"]) == (1, 2, None)
    assert (seen["changesRefusal"], seen["chain"], seen["sinceLast"]) == ("", [], [])
    answer = send_back(reviewer, first, **FEEDBACK, payloadDigest=seen["payloadDigest"])
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["success"], body["message"]) == (True, "Changes requested successfully")
    assert body["checkpoint"]["status"] == "CHANGES_REQUESTED"
    assert body["checkpoint"]["feedback"] == "Shorter, please."
    assert body["checkpoint"]["approvedBy"] is None
    assert body["checkpoint"]["decidedBy"].startswith("usr_")
    assert reviewer.get(f"/api/agent-jobs/{job_id}").json()["job"]["status"] == "QUEUED"

    second = suspend(door.db, claim_one(door.db).key, checkpoint(1, {"n": 2}, rounds=2))
    (row,) = reviewer.get(DESK).json()["checkpoints"]
    assert (row["id"], row["round"], row["rounds"]) == (second, 2, 2)
    seen = reviewer.get(f"{DESK}/{second}").json()["checkpoint"]
    assert seen["previousId"] == first
    assert [(one["id"], one["said"]) for one in seen["chain"]] == [
        (first, "Shorter, please."),
        (second, ""),
    ]
    assert seen["sinceLast"] == [
        {"kind": "file", "path": "data", "before": "n: 1\n", "after": "n: 2\n"}
    ]
    assert "the last one" in seen["changesRefusal"]
    refused = send_back(reviewer, second)
    assert refused.status_code == 409
    problem = refused.json()
    assert (problem["currentStatus"], problem["round"], problem["rounds"]) == ("PENDING", 2, 2)
    listed = reviewer.get(DESK, params={"status": "CHANGES_REQUESTED"}).json()["checkpoints"]
    assert [one["id"] for one in listed] == [first]


def test_a_request_without_words_is_refused_by_field(
    door: Door, operator: TestClient, reviewer: TestClient
) -> None:
    _, checkpoint_id = door.waiting(operator, rounds=2)
    for body in ({"feedback": ""}, {"feedback": " \n"}, {"feedback": None}, {"reason": "no"}):
        answer = send_back(reviewer, checkpoint_id, **body)
        assert answer.status_code == 422
        assert "feedback" in {one["field"] for one in answer.json()["errors"]}
    assert reviewer.get(f"{DESK}/{checkpoint_id}").json()["checkpoint"]["status"] == "PENDING"


def test_the_doors_of_others_stay_shut(
    door: Door, operator: TestClient, reviewer: TestClient
) -> None:
    _, checkpoint_id = door.waiting(operator, rounds=2)
    assert send_back(operator, checkpoint_id).status_code == 403
    assert send_back(door.client(), checkpoint_id).status_code == 401
    assert send_back(reviewer, "chk_nope").status_code == 404
    assert send_back(reviewer, checkpoint_id, **FEEDBACK, payloadDigest="0" * 64).status_code == 409


def test_a_repetition_with_the_same_key_gets_the_first_answer(
    door: Door, operator: TestClient, reviewer: TestClient
) -> None:
    _, checkpoint_id = door.waiting(operator, rounds=2)
    address = f"{DESK}/{checkpoint_id}/request-changes"
    key = {"Idempotency-Key": "once"}
    first = reviewer.post(address, json=FEEDBACK, headers=key)
    again = reviewer.post(address, json=FEEDBACK, headers=key)
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.headers["idempotent-replayed"] == "true"
    assert first.json() == again.json()


@handler("research", version="1")
def twice(ctx: JobContext) -> str:
    """Propose again, once."""
    try:
        ctx.approve("Keep this?", data={"text": "one"}, rounds=2)
    except ChangesRequested as wanted:
        ctx.approve("Keep this instead?", data={"text": wanted.feedback}, rounds=2)
    return "kept"


def test_a_work_session_goes_round_again(make_door: Callable[..., Door]) -> None:
    door = make_door(catalog=Registry([twice]))
    asker, reviewer = door.as_role(Role.OPERATOR), door.as_role(Role.REVIEWER)
    sessions = "/api/projects/rollout/work-sessions"
    new = {"agentType": "research", "taskDescription": "Keep", "autoExecute": True}
    session = sessions + "/" + asker.post(sessions, json=new).json()["session"]["id"]

    def run() -> Any:
        drain(door.db, Registry([twice]), clock=door.clock)
        return asker.get(f"{session}/status").json()["session"]

    (first,) = run()["checkpoints"]
    address = f"{session}/checkpoints/{first['id']}/request-changes"
    elsewhere = address.replace("rollout", "other")
    assert reviewer.post(elsewhere, json=FEEDBACK).status_code == 404
    assert asker.post(address, json=FEEDBACK).status_code == 403
    assert reviewer.post(address, json={}).status_code == 422
    sent = reviewer.post(address, json=FEEDBACK)
    assert (sent.status_code, sent.json()["checkpoint"]["status"]) == (200, "CHANGES_REQUESTED")
    waiting = run()
    assert waiting["status"] == "pending_review"
    second = waiting["checkpoints"][-1]
    assert second["id"] != first["id"]
    shown = reviewer.get(f"{DESK}/{second['id']}").json()["checkpoint"]
    assert (shown["round"], shown["data"]) == (2, {"text": "Shorter, please."})
    assert reviewer.post(f"{session}/checkpoints/{second['id']}/approve").status_code == 200
    assert run()["status"] == "completed"
