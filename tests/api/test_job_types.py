from __future__ import annotations

from starlette.testclient import TestClient

from agent_console.domain.access import Role
from agent_console.domain.limits import Caps
from tests.api.conftest import Door, enqueue
from tests.support.limits import declare

TYPES = "/api/job-types"


def test_a_type_is_paused_and_resumed(admin: TestClient) -> None:
    (row, *_) = admin.get(TYPES).json()["jobTypes"]
    name = row["jobType"]
    assert row["pause"] is None
    paused = admin.patch(f"{TYPES}/{name}", json={"action": "pause", "reason": "supplier down"})
    assert paused.status_code == 200, paused.text
    body = paused.json()["jobType"]
    assert body["pause"]["reason"] == "supplier down"
    assert body["pause"]["at"].endswith("Z")
    again = admin.patch(f"{TYPES}/{name}", json={"action": "pause"})
    assert (again.status_code, again.json()["currentStatus"]) == (409, "PAUSED")
    resumed = admin.patch(f"{TYPES}/{name}", json={"action": "resume"})
    assert resumed.json()["jobType"]["pause"] is None
    assert admin.get(f"{TYPES}/nonsense").status_code == 404


def test_limits_are_set_and_a_held_job_says_why(door: Door, admin: TestClient) -> None:
    job_id = enqueue(admin)
    name = admin.get(f"/api/agent-jobs/{job_id}").json()["job"]["jobType"]
    declare(door.db, name, Caps(running=2, per_key=1))
    set_to = admin.patch(f"{TYPES}/{name}", json={"limits": {"running": 5, "perKey": 0}})
    assert set_to.status_code == 200, set_to.text
    shown = set_to.json()["jobType"]
    assert shown["declared"] == {"running": 2, "perKey": 1, "starts": None, "per": None}
    assert shown["limits"] == {"running": 5, "perKey": None, "starts": None, "per": None}
    assert shown["keyed"] is True
    admin.patch(f"{TYPES}/{name}", json={"action": "pause"})
    held = admin.get(f"/api/agent-jobs/{job_id}").json()["job"]["held"]
    assert held.startswith("type paused by ")
    assert admin.get(f"{TYPES}/{name}").json()["jobType"]["held"] == 1


def test_bad_changes_name_their_field(admin: TestClient) -> None:
    name = admin.get(TYPES).json()["jobTypes"][0]["jobType"]
    for body, field in (
        ({}, "action"),
        ({"action": "pause", "limits": {}}, "action"),
        ({"action": "stop"}, "action"),
        ({"limits": {"running": -1}}, "limits.running"),
        ({"limits": {"running": True}}, "limits.running"),
        ({"limits": {"perKey": 1}}, "limits.perKey"),
        ({"limits": {"starts": 3}}, "limits.per"),
        ({"limits": {"walking": 3}}, "limits.walking"),
    ):
        refused = admin.patch(f"{TYPES}/{name}", json=body)
        assert refused.status_code == 422, body
        assert refused.json()["errors"][0]["field"] == field


def test_looking_is_for_readers_and_changing_for_those_who_control_workers(door: Door) -> None:
    viewer = door.as_role(Role.VIEWER)
    name = viewer.get(TYPES).json()["jobTypes"][0]["jobType"]
    assert viewer.get(f"{TYPES}/{name}").status_code == 200
    assert viewer.patch(f"{TYPES}/{name}", json={"action": "pause"}).status_code == 403
