from __future__ import annotations

from starlette.testclient import TestClient

from agent_console.domain.access import Role
from agent_console.telemetry.metrics import MetricsExporter
from tests.api.conftest import Door, enqueue


def test_a_replay_reports_and_leaves_the_job_as_it_was(door: Door, admin: TestClient) -> None:
    job_id, _ = door.waiting(admin)
    before = admin.get(f"/api/agent-jobs/{job_id}").json()["job"]
    answer = admin.post(f"/api/agent-jobs/{job_id}/replay")
    assert answer.status_code == 200
    body = answer.json()
    assert body["success"] is True
    replay = body["replay"]
    assert {name: replay[name] for name in ("jobId", "jobStatus", "same", "end", "calls")} == {
        "jobId": job_id,
        "jobStatus": "WAITING",
        "same": True,
        "end": "record_end",
        "calls": 1,
    }
    assert replay["differences"] == []
    after = admin.get(f"/api/agent-jobs/{job_id}").json()["job"]
    (told,) = after["timeline"][len(before["timeline"]) :]
    assert (told["action"], told["verdict"], told["actorName"]) == ("job.replayed", "same", "admin")
    assert {**after, "timeline": []} == {**before, "timeline": []}


def test_what_differs_is_listed_and_counted(door: Door, admin: TestClient) -> None:
    job_id, _ = door.waiting(admin, {"n": 7})  # the handler asks with no data
    replay = admin.post(f"/api/agent-jobs/{job_id}/replay").json()["replay"]
    assert replay["same"] is False
    assert [(one["kind"], one["position"]) for one in replay["differences"]] == [("detail", 0)]
    assert replay["differences"][0]["recorded"] != replay["differences"][0]["replayed"]
    assert b'agent_replays_total{result="different"} 1.0' in MetricsExporter(door.db).render()


def test_there_must_be_something_to_replay(door: Door, admin: TestClient) -> None:
    fresh = admin.post(f"/api/agent-jobs/{enqueue(admin)}/replay")
    assert fresh.status_code == 409
    assert "PENDING" in fresh.json()["detail"]
    assert admin.post("/api/agent-jobs/job_nope/replay").status_code == 404
    job_id, _ = door.waiting(admin)
    refused = door.as_role(Role.REVIEWER).post(f"/api/agent-jobs/{job_id}/replay")
    assert refused.status_code == 403
    assert refused.json()["requiredPermission"] == "jobs:control"
