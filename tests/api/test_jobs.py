from __future__ import annotations

import re

from starlette.testclient import TestClient

from agent_console.domain.access import Role
from tests.api.conftest import Door, enqueue

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def test_enqueue_answers_201_with_the_job_and_its_address(door: Door) -> None:
    operator = door.as_role(Role.OPERATOR, "olga")
    answer = operator.post(
        "/api/agent-jobs",
        json={
            "jobType": "write",
            "taskDescription": "Write it",
            "inputData": {"path": "a.txt", "big": 12345678901234567890123},
            "priority": 9,
            "projectId": "p-1",
            "approvalStrategy": "final_only",
            "runAt": "2030-01-02T03:04:05+02:00",
            "metadata": {"source": "test"},
        },
    )
    assert answer.status_code == 201
    body = answer.json()
    assert body["success"] is True
    job = body["job"]
    assert answer.headers["location"] == f"/api/agent-jobs/{job['id']}"
    assert job["jobType"] == "write"
    assert job["status"] == "PENDING"
    assert job["taskDescription"] == "Write it"
    assert job["priority"] == 9
    assert job["inputData"] == {"path": "a.txt", "big": 12345678901234567890123}
    assert job["runAt"] == "2030-01-02T01:04:05.000000Z"
    assert job["userName"] == "olga"
    assert job["approvalStrategy"] == "final_only"
    assert INSTANT.fullmatch(job["createdAt"])
    assert job["id"].startswith("job_")


def test_a_job_may_wait_for_execute(admin: TestClient) -> None:
    job_id = enqueue(admin, autoExecute=False)
    assert admin.get(f"/api/agent-jobs/{job_id}").json()["job"]["status"] == "INITIALIZED"
    done = admin.patch(f"/api/agent-jobs/{job_id}", json={"action": "execute"})
    assert done.json()["job"]["status"] == "PENDING"


def test_detail_shows_all_that_belongs_to_the_job(door: Door, admin: TestClient) -> None:
    job_id, checkpoint_id = door.waiting(admin, {"n": 1})
    body = admin.get(f"/api/agent-jobs/{job_id}").json()
    assert body["success"] is True
    job = body["job"]
    assert job["status"] == "WAITING"
    assert [c["id"] for c in job["checkpoints"]] == [checkpoint_id]
    assert job["checkpoints"][0]["data"] == {"n": 1}
    assert [s["kind"] for s in job["steps"]] == ["approve"]
    assert [e["action"] for e in job["timeline"]][:1] == ["job.created"]
    assert job["logs"] == []
    assert job["artifacts"] == []
    assert job["actions"]["cancel"] == ""
    assert "WAITING" in job["actions"]["resume"]


def test_detail_of_nothing_is_404(admin: TestClient) -> None:
    answer = admin.get("/api/agent-jobs/job_nope")
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"
    assert admin.get("/api/agent-jobs/a%00b").status_code == 404
    assert admin.get("/api/agent-jobs/job_nope/logs").status_code == 404
    assert admin.get("/api/agent-jobs/job_nope/checkpoints").status_code == 404


def test_actions_follow_the_transition_table(admin: TestClient) -> None:
    job_id = enqueue(admin)
    address = f"/api/agent-jobs/{job_id}"
    states = [
        admin.patch(address, json={"action": action}).json()["job"]["status"]
        for action in ("pause", "resume", "cancel", "retry")
    ]
    assert states == ["PAUSED", "QUEUED", "CANCELED", "QUEUED"]
    refused = admin.patch(address, json={"action": "resume"})
    assert refused.status_code == 409
    assert refused.json()["currentStatus"] == "QUEUED"
    unknown = admin.patch(address, json={"action": "explode"})
    assert unknown.status_code == 422
    assert unknown.json()["errors"][0]["field"] == "action"


def test_filters_and_offset_paging(door: Door, admin: TestClient) -> None:
    operator = door.as_role(Role.OPERATOR)
    mine = [enqueue(operator, taskDescription=f"mine {n}") for n in range(3)]
    for _ in range(2):
        enqueue(admin, jobType="write", inputData={"path": "x"})
    user_id = admin.get(f"/api/agent-jobs/{mine[0]}").json()["job"]["userId"]

    def ids(**query: object) -> list[str]:
        answer = admin.get("/api/agent-jobs", params=query)
        assert answer.status_code == 200, answer.text
        return [job["id"] for job in answer.json()["jobs"]]

    assert ids(userId=user_id) == mine[::-1]
    assert len(ids(jobType="write")) == 2
    assert len(ids(status="PENDING")) == 5
    assert ids(status="FAILED") == []
    assert ids(search="mine 1") == [mine[1]]
    page = admin.get("/api/agent-jobs", params={"limit": 2, "offset": 2}).json()
    assert page["success"] is True
    assert page["pagination"]["limit"] == 2
    assert page["pagination"]["offset"] == 2
    assert page["pagination"]["total"] == 5
    assert page["pagination"]["hasMore"] is True
    assert page["pagination"]["nextCursor"]
    assert [job["id"] for job in page["jobs"]] == ids()[2:4]


def test_a_cursor_stays_where_it_is_while_jobs_arrive(admin: TestClient) -> None:
    old = [enqueue(admin) for _ in range(7)]
    seen: list[str] = []
    cursor: str | None = None
    while True:
        query = {"limit": 3} if cursor is None else {"limit": 3, "cursor": cursor}
        page = admin.get("/api/agent-jobs", params=query).json()
        seen += [job["id"] for job in page["jobs"]]
        enqueue(admin)  # would shift every offset by one
        cursor = page["pagination"]["nextCursor"]
        assert page["pagination"]["hasMore"] is (cursor is not None)
        if cursor is None:
            break
    assert seen == old[::-1]


def test_bounds_and_misspelt_filters_are_refused(admin: TestClient) -> None:
    for query, field in (
        ({"limit": 0}, "limit"),
        ({"limit": 201}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"offset": -1}, "offset"),
        ({"offset": 10_001}, "offset"),
        ({"status": "pending"}, "status"),
        ({"job_type": "noop"}, "job_type"),
        ({"cursor": "rubbish"}, "cursor"),
        ({"userId": "a\x00b"}, "userId"),
    ):
        answer = admin.get("/api/agent-jobs", params=query)
        assert answer.status_code == 422, (query, answer.text)
        assert answer.json()["errors"][0]["field"] == field


def test_the_same_key_gives_the_same_job(door: Door, admin: TestClient) -> None:
    key = {"Idempotency-Key": "order-66"}
    body = {"jobType": "noop", "inputData": {"n": 1}}
    first = admin.post("/api/agent-jobs", json=body, headers=key)
    again = admin.post("/api/agent-jobs", json=body, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json()["job"]["id"] == first.json()["job"]["id"]
    other_body = admin.post("/api/agent-jobs", json={"jobType": "noop"}, headers=key)
    assert other_body.status_code == 409
    other_actor = door.as_role(Role.OPERATOR).post("/api/agent-jobs", json=body, headers=key)
    assert other_actor.json()["job"]["id"] != first.json()["job"]["id"]
    assert len(admin.get("/api/agent-jobs").json()["jobs"]) == 2


def test_a_strange_idempotency_key_is_refused(admin: TestClient) -> None:
    answer = admin.post(
        "/api/agent-jobs", json={"jobType": "noop"}, headers={"Idempotency-Key": "x" * 256}
    )
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"


def test_refused_fields_are_named(admin: TestClient) -> None:
    for body, field in (
        ({}, "jobType"),
        ({"jobType": "noop", "priority": 101}, "priority"),
        ({"jobType": "noop", "priority": "5"}, "priority"),
        ({"jobType": "noop", "priority": True}, "priority"),
        ({"jobType": "noop", "inputData": []}, "inputData"),
        ({"jobType": "noop", "runAt": 5}, "runAt"),
        ({"jobType": "noop", "runAt": "2030-01-02T03:04:05"}, "runAt"),
        ({"jobType": "noop", "runAt": "0001-01-01T00:00:00+14:00"}, "runAt"),
        ({"jobType": "noop", "runAt": "9999-12-31T23:59:59-14:00"}, "runAt"),
        ({"jobType": "noop", "input_data": {}}, "input_data"),
        ({"jobType": "noop", "approvalStrategy": "never"}, "approvalStrategy"),
        ({"jobType": "write"}, "inputData.path"),
        ({"jobType": "unknown"}, "jobType"),
    ):
        answer = admin.post("/api/agent-jobs", json=body)
        assert answer.status_code == 422, (body, answer.text)
        assert answer.json()["errors"][0]["field"] == field, answer.text


def test_job_types_come_with_their_schema(admin: TestClient) -> None:
    body = admin.get("/api/job-types").json()
    assert body["success"] is True
    assert [t["jobType"] for t in body["jobTypes"]] == ["noop", "write"]
    assert body["jobTypes"][0]["inputSchema"] == {"type": "object"}
