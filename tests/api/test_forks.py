"""Forks, cuts and giving up, through REST."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from agent_console.domain.access import Role
from agent_console.domain.jobs import JobError, JobVerb
from agent_console.domain.parking import Call, Divergence, ParkCode
from agent_console.store.finishes import finish
from agent_console.store.runs import record_step
from tests.api.conftest import Door, enqueue
from tests.support.runs import claim_one, end, step

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
PARTED = Divergence(
    position=1,
    recorded=Call("step", "b"),
    asked=Call("approve", "send", "Send it?"),
    code_before="1",
    code_now="2",
)


def stopped(door: Door, client: TestClient, **outcome: Any) -> str:
    """Return a job that recorded two steps and ended."""
    job_id = enqueue(client)
    key = claim_one(door.db).key
    record_step(door.db, key, step(0, 1, name="a"))
    record_step(door.db, key, step(1, 2, name="b"))
    finish(door.db, [end(key, **outcome)])
    return job_id


def failed(door: Door, client: TestClient) -> str:
    return stopped(door, client, verb=JobVerb.FAIL, error=JobError("ValueError", "broken"))


def parked(door: Door, client: TestClient) -> str:
    return stopped(
        door,
        client,
        verb=JobVerb.PARK,
        park_reason="Call 2: the record holds step 'b', the handler asks for approve 'send'.",
        park_code=ParkCode.DIVERGED,
        park_detail=PARTED.to_json(),
    )


def act(client: TestClient, job_id: str, **body: Any) -> Any:
    return client.patch(f"/api/agent-jobs/{job_id}", json=body)


def test_a_retry_from_a_step_is_shown_first_and_cuts_there(door: Door, admin: TestClient) -> None:
    job_id = failed(door, admin)
    beyond = act(admin, job_id, action="retry", fromPosition=2)
    assert beyond.status_code == 422
    assert beyond.json()["errors"][0]["field"] == "fromPosition"
    shown = act(admin, job_id, action="retry", fromPosition=1, dryRun=True).json()
    assert shown["job"]["status"] == "FAILED"
    assert shown["dropped"] == {
        "position": 1,
        "kept": 1,
        "steps": [{"position": 1, "kind": "step", "name": "b"}],
        "decisions": [],
    }
    done = act(admin, job_id, action="retry", fromPosition=1).json()
    assert (done["job"]["status"], done["dropped"]) == ("QUEUED", shown["dropped"])
    detail = admin.get(f"/api/agent-jobs/{job_id}").json()["job"]
    assert [one["name"] for one in detail["steps"]] == ["a"]
    assert detail["timeline"][-1]["data"]["fromPosition"] == 1


def test_a_plain_retry_says_beforehand_where_it_goes_on(door: Door, admin: TestClient) -> None:
    job_id = failed(door, admin)
    detail = admin.get(f"/api/agent-jobs/{job_id}").json()["job"]
    assert detail["goesOnAt"] == 2
    assert detail["retryPolicy"]["maxAttempts"] == 3
    assert act(admin, job_id, action="retry").json()["dropped"] is None


def test_a_parked_job_says_why_as_data_and_goes_on_with_this_version(
    door: Door, admin: TestClient
) -> None:
    job_id = parked(door, admin)
    job = admin.get(f"/api/agent-jobs/{job_id}").json()["job"]
    assert (job["parkCode"], job["parkDetail"]) == ("diverged", PARTED.to_json())
    done = act(admin, job_id, action="resume", onThisVersion=True).json()
    assert (done["job"]["status"], done["job"]["parkCode"]) == ("QUEUED", None)
    assert [one["name"] for one in done["dropped"]["steps"]] == ["b"]
    again = act(admin, job_id, action="resume", onThisVersion=True)
    assert (again.status_code, again.json()["currentStatus"]) == (409, "QUEUED")


def test_a_parked_job_is_failed_with_a_reason(door: Door, admin: TestClient) -> None:
    job_id = parked(door, admin)
    assert act(admin, job_id, action="fail").status_code == 422
    done = act(admin, job_id, action="fail", reason="not worth it").json()
    assert done["job"]["status"] == "FAILED"
    assert done["job"]["error"] == {"type": "GivenUp", "message": "not worth it", "traceback": None}
    other = act(admin, enqueue(admin), action="fail", reason="no")
    assert (other.status_code, other.json()["currentStatus"]) == (409, "PENDING")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"action": "cancel", "reason": "no"}, "reason"),
        ({"action": "resume", "fromPosition": 1}, "fromPosition"),
        ({"action": "retry", "onThisVersion": True}, "onThisVersion"),
        ({"action": "retry", "dryRun": True}, "dryRun"),
    ],
)
def test_members_of_another_action_are_refused(
    door: Door, admin: TestClient, body: dict[str, Any], field: str
) -> None:
    answer = act(admin, failed(door, admin), **body)
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == [field]


def test_a_fork_says_what_it_takes_over_and_is_listed(door: Door, admin: TestClient) -> None:
    job_id, checkpoint_id = door.waiting(admin)
    approve = f"/api/admin/agent-checkpoints/{checkpoint_id}"
    assert door.as_role(Role.REVIEWER).post(approve, json={}).status_code == 200
    url = f"/api/agent-jobs/{job_id}/fork"
    looked = admin.post(url, json={"fromPosition": 1, "dryRun": True})
    assert looked.status_code == 200
    assert looked.json()["job"] is None
    edited = admin.post(url, json={"fromPosition": 1, "inputData": {"n": 1}, "dryRun": True})
    assert (edited.json()["fork"]["position"], edited.json()["fork"]["edited"]) == (0, True)
    made = admin.post(url, json={"fromPosition": 1, "priority": 9})
    assert made.status_code == 201
    job, fork = made.json()["job"], made.json()["fork"]
    assert made.headers["location"] == f"/api/agent-jobs/{job['id']}"
    assert (job["forkedFrom"], job["forkedPosition"], job["priority"]) == (job_id, 1, 9)
    assert [one["checkpointId"] for one in fork["reusedDecisions"]] == [checkpoint_id]
    assert fork == looked.json()["fork"]
    (listed,) = admin.get(f"/api/agent-jobs/{job_id}").json()["job"]["forks"]
    assert (listed["id"], listed["position"], listed["userName"]) == (job["id"], 1, "admin")
    (copy,) = admin.get(f"/api/agent-jobs/{job['id']}/checkpoints").json()["checkpoints"]
    assert (copy["forkedFrom"], copy["status"]) == (checkpoint_id, "APPROVED")


def test_a_fork_needs_the_right_to_create_and_is_made_once(door: Door, admin: TestClient) -> None:
    job_id = failed(door, admin)
    url = f"/api/agent-jobs/{job_id}/fork"
    body = {"fromPosition": 0}
    assert door.as_role(Role.REVIEWER).post(url, json=body).status_code == 403
    assert admin.post("/api/agent-jobs/job_x/fork", json=body).status_code == 404
    assert admin.post(url, json={"fromPosition": -1}).status_code == 422
    assert admin.post(url, json={"fromPosition": 3}).status_code == 422
    once = [admin.post(url, json=body, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert len({answer.json()["job"]["id"] for answer in once}) == 1
