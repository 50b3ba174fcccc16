from __future__ import annotations

from starlette.testclient import TestClient

from agent_console.domain.access import Role
from agent_console.domain.records import WorkerStatus
from agent_console.store.liveness import heartbeat
from tests.api.conftest import Door, enqueue
from tests.support.runs import start_worker

WORKER = "/api/admin/agent-worker"


def test_status_without_any_worker(admin: TestClient) -> None:
    body = admin.get(WORKER).json()
    assert body == {
        "success": True,
        "worker": {
            "isRunning": False,
            "activeJobs": 0,
            "maxConcurrentJobs": 3,
            "pollInterval": 5000,
        },
        "jobs": {"pending": 0, "running": 0, "completed": 0, "failed": 0},
        "workers": [],
    }
    refused = admin.post(WORKER)
    assert refused.status_code == 409
    assert "agent-console worker" in refused.json()["detail"]


def test_status_counts_jobs_and_workers(door: Door, admin: TestClient) -> None:
    start_worker(door.db)
    enqueue(admin)
    door.waiting(admin)
    body = admin.get(WORKER).json()
    assert body["worker"]["isRunning"] is True
    assert body["worker"]["pollInterval"] == 5000
    assert body["jobs"]["pending"] == 1
    (row,) = body["workers"]
    assert row["id"] == "w1"
    assert row["status"] == "RUNNING"
    assert row["pollInterval"] == 5000
    assert row["heartbeatAt"].endswith("Z")


def test_start_and_stop_are_wishes_that_heartbeats_carry(door: Door, admin: TestClient) -> None:
    start_worker(door.db)
    heartbeat(door.db, "w1", [], WorkerStatus.STOPPED)
    heartbeat(door.db, "w1", [], WorkerStatus.RUNNING)
    started = admin.post(WORKER, params={"workerId": "w1"})
    assert started.status_code == 200
    assert started.json()["worker"]["isRunning"] is True
    assert heartbeat(door.db, "w1", [], WorkerStatus.RUNNING).desired == "run"
    heartbeat(door.db, "w1", [], WorkerStatus.STOPPED)
    stopped = admin.delete(WORKER)
    assert stopped.status_code == 200
    assert stopped.json()["worker"]["isRunning"] is False
    assert heartbeat(door.db, "w1", [], WorkerStatus.STOPPED).desired == "stop"
    assert admin.delete(WORKER, params={"workerId": "w9"}).status_code == 404


def test_a_viewer_may_look_at_workers_only(door: Door) -> None:
    viewer = door.as_role(Role.VIEWER)
    assert viewer.get(WORKER).status_code == 200
    assert viewer.post(WORKER).status_code == 403
    assert viewer.delete(WORKER).status_code == 403
