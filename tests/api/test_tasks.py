from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from agent_console.domain.access import Role
from tests.api.conftest import Door, enqueue

FAMILIES = ("/api/tasks", "/api/v1/tasks")


@pytest.mark.parametrize("base", FAMILIES)
def test_a_task_is_a_job_in_other_words(admin: TestClient, base: str) -> None:
    job_id = enqueue(admin, taskDescription="Greet", inputData={"n": 1}, priority=7)
    task = admin.get(f"{base}/{job_id}").json()["task"]
    job = admin.get(f"/api/agent-jobs/{job_id}").json()["job"]
    assert task == {
        "id": job_id,
        "type": "noop",
        "status": "PENDING",
        "description": "Greet",
        "priority": 7,
        "userId": job["userId"],
        "projectId": None,
        "progress": None,
        "createdAt": job["createdAt"],
        "updatedAt": job["updatedAt"],
        "startedAt": None,
        "completedAt": None,
        "input": {"n": 1},
        "result": None,
        "error": None,
    }
    assert admin.get(f"{base}/job_nope").status_code == 404


@pytest.mark.parametrize("base", FAMILIES)
def test_tasks_are_listed_filtered_and_paged_like_jobs(admin: TestClient, base: str) -> None:
    ids = [enqueue(admin) for _ in range(3)]
    first = admin.get(base, params={"limit": 2, "type": "noop", "status": "PENDING"}).json()
    assert first["success"] is True
    assert [task["id"] for task in first["tasks"]] == ids[:0:-1]
    rest = admin.get(base, params={"limit": 2, "cursor": first["pagination"]["nextCursor"]}).json()
    assert [task["id"] for task in rest["tasks"]] == ids[:1]
    assert "input" not in rest["tasks"][0]
    assert admin.get(base, params={"type": "write"}).json()["tasks"] == []
    assert admin.get(base, params={"status": "SLEEPY"}).status_code == 422
    assert admin.get(base, params={"jobType": "noop"}).status_code == 422


def test_every_way_to_cancel_cancels_once(door: Door, admin: TestClient) -> None:
    ways = (
        lambda task: admin.post(f"/api/v1/tasks/{task}/cancel"),
        lambda task: admin.delete(f"/api/v1/tasks/{task}"),
        lambda task: admin.patch(f"/api/tasks/{task}", json={"action": "cancel"}),
    )
    for way in ways:
        job_id = enqueue(admin)
        assert way(job_id).json()["task"]["status"] == "CANCELED"
        again = way(job_id)
        assert again.status_code == 409
        assert again.json()["currentStatus"] == "CANCELED"
        assert way("job_nope").status_code == 404
    job_id = enqueue(admin)
    retry = admin.patch(f"/api/tasks/{job_id}", json={"action": "retry"})
    assert (retry.status_code, retry.json()["errors"][0]["field"]) == (422, "action")
    viewer = door.as_role(Role.VIEWER)
    assert viewer.get(f"/api/tasks/{job_id}").status_code == 200
    assert viewer.delete(f"/api/v1/tasks/{job_id}").status_code == 403
