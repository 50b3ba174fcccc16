"""``/api/schedules`` through the door."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from agent_console.domain.access import Role
from tests.api.conftest import Door

BASE = "/api/schedules"
NIGHTLY = {
    "name": "nightly",
    "jobType": "noop",
    "inputData": {"n": 1},
    "cron": "0 3 * * *",
    "timeZone": "Europe/Berlin",
}


def make(client: TestClient, **changes: Any) -> dict[str, Any]:
    answer = client.post(BASE, json=NIGHTLY | changes)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()["schedule"]
    assert answer.headers["Location"] == f"{BASE}/{made['id']}"
    return made


def test_a_schedule_is_made_shown_changed_paused_and_deleted(admin: TestClient) -> None:
    made = make(admin)
    assert made["id"].startswith("sch_")
    assert (made["kind"], made["cron"], made["words"]) == (
        "cron", "0 3 * * *", "At 03:00 every day, Europe/Berlin",
    )  # fmt: skip
    assert made["nextFireAt"] == made["nextRuns"][0] == "2026-01-02T02:00:00.000000Z"
    assert len(made["nextRuns"]) == 5
    assert (made["catchUp"], made["overlap"], made["ownerName"]) == ("latest", "allow", "admin")
    address = f"{BASE}/{made['id']}"
    assert admin.get(address).json()["schedule"] == made
    changed = admin.patch(address, json={"intervalSeconds": 600, "catchUp": "all"}).json()
    assert changed["schedule"]["kind"] == "interval"
    assert (changed["schedule"]["cron"], changed["schedule"]["intervalSeconds"]) == (None, 600)
    paused = admin.post(f"{address}/pause").json()["schedule"]
    assert (paused["paused"], paused["nextFireAt"], paused["nextRuns"]) == (True, None, [])
    assert admin.post(f"{address}/resume").json()["schedule"]["paused"] is False
    assert [one["name"] for one in admin.get(BASE).json()["schedules"]] == ["nightly"]
    assert admin.delete(address).json() == {"success": True}
    assert admin.get(address).status_code == 404


def test_run_now_answers_with_the_job_and_the_job_says_where_it_came_from(
    admin: TestClient,
) -> None:
    made = make(admin)
    answer = admin.post(f"{BASE}/{made['id']}/run")
    assert answer.status_code == 201
    job = answer.json()["job"]
    assert answer.headers["Location"] == f"/api/agent-jobs/{job['id']}"
    origin = admin.get(f"/api/agent-jobs/{job['id']}").json()["job"]["schedule"]
    assert (origin["scheduleId"], origin["name"], origin["manual"]) == (made["id"], "nightly", True)
    shown = admin.get(f"{BASE}/{made['id']}").json()["schedule"]
    assert (shown["lastJobId"], shown["lastJobStatus"]) == (job["id"], "PENDING")


def test_a_rule_is_looked_at_before_it_is_kept(admin: TestClient) -> None:
    params = {"cron": "30 2 * * *", "timeZone": "Europe/Berlin", "count": 2}
    preview = admin.get(f"{BASE}/preview", params=params).json()["preview"]
    assert preview == {
        "words": "At 02:30 every day, Europe/Berlin",
        "nextRuns": ["2026-01-02T01:30:00.000000Z", "2026-01-03T01:30:00.000000Z"],
    }
    wrong = admin.get(f"{BASE}/preview", params={"cron": "nonsense"})
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["field"] == "cron"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"cron": "61 * * * *"}, "cron"),
        ({"cron": None}, "cron"),
        ({"intervalSeconds": 60}, "cron"),
        ({"timeZone": "Mars"}, "timeZone"),
        ({"catchUp": "none"}, "catchUp"),
        ({"jobType": "write"}, "inputData.path"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_refused_fields_are_named(admin: TestClient, change: dict[str, Any], field: str) -> None:
    answer = admin.post(BASE, json=NIGHTLY | change)
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == [field]


def test_a_taken_name_is_a_conflict(admin: TestClient) -> None:
    make(admin)
    assert admin.post(BASE, json=NIGHTLY).status_code == 409


def test_who_may_create_no_jobs_looks_only(door: Door, admin: TestClient) -> None:
    made = make(admin)
    viewer = door.as_role(Role.VIEWER)
    address = f"{BASE}/{made['id']}"
    assert viewer.get(address).status_code == 200
    refused = [
        viewer.post(BASE, json=NIGHTLY),
        viewer.patch(address, json={"priority": 1}),
        viewer.delete(address),
        *(viewer.post(f"{address}/{verb}") for verb in ("run", "pause", "resume")),
    ]
    assert {one.status_code for one in refused} == {403}


def test_a_job_is_delayed_by_the_databases_clock_or_to_an_instant(
    door: Door, admin: TestClient
) -> None:
    job = {"jobType": "noop", "inputData": {}}

    def due(**more: Any) -> datetime:
        answer = admin.post("/api/agent-jobs", json=job | more)
        assert answer.status_code == 201, answer.text
        return datetime.fromisoformat(answer.json()["job"]["runAt"])

    assert due(delaySeconds=90) == door.clock.now() + timedelta(seconds=90)
    assert due(delaySeconds=0.5) == door.clock.now() + timedelta(seconds=0.5)
    assert due(runAt="2027-01-01T00:00:00Z") == datetime.fromisoformat("2027-01-01T00:00:00Z")
    both = admin.post(
        "/api/agent-jobs", json=job | {"delaySeconds": 1, "runAt": "2027-01-01T00:00:00Z"}
    )
    assert both.status_code == 422
    (error,) = both.json()["errors"]
    assert error["field"] == "delaySeconds"
    assert "runAt" in error["message"]
    for wrong in (-1, 315_360_001, "5", True):
        answer = admin.post("/api/agent-jobs", json=job | {"delaySeconds": wrong})
        assert answer.status_code == 422, wrong
