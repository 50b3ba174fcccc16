"""``/api/review-policies``, and what a policy changes of decisions over REST."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from agent_console.domain.access import Role
from tests.api.conftest import Door

POLICIES = "/api/review-policies"
DESK = "/api/admin/agent-checkpoints"


def put(admin: TestClient, job_type: str = "noop", **body: Any) -> dict[str, Any]:
    answer = admin.put(f"{POLICIES}/{job_type}", json=body)
    assert answer.status_code == 200, answer.text
    saved: dict[str, Any] = answer.json()["policy"]
    return saved


def test_a_policy_from_nothing_to_its_end(door: Door, admin: TestClient) -> None:
    viewer = door.as_role(Role.VIEWER)
    (default,) = viewer.get(POLICIES).json()["policies"]
    assert (default["id"], default["version"], default["jobType"]) == (None, 0, "*")
    assert default["deciders"]["roles"] == ["reviewer", "admin"]
    door.account(Role.REVIEWER, "ana")
    first = put(
        admin,
        deciders={"roles": [], "people": ["ana@example.com"]},
        deadline={"then": "extend", "seconds": 3600, "times": 2, "last": "reject"},
        note="Only Ana",
        baseVersion=0,
    )
    assert (first["version"], first["deciders"]["words"]) == (1, "ana")
    assert first["deadlineWords"].startswith("it waits 1 hour longer")
    assert viewer.get(f"{POLICIES}/noop").json()["policy"] == first
    stale = admin.put(f"{POLICIES}/noop", json={"baseVersion": 0})
    assert (stale.status_code, stale.json()["currentVersion"]) == (409, 1)
    second = put(admin, requiredApprovals=2, baseVersion=1)
    listed = viewer.get(f"{POLICIES}/noop/versions").json()["versions"]
    assert [one["id"] for one in listed] == [second["id"], first["id"]]
    write = put(admin, action="write", bulkAllowed=False)
    shown = viewer.get(f"{POLICIES}/noop", params={"action": "write"}).json()["policy"]
    assert shown == write
    ended = admin.delete(f"{POLICIES}/noop", params={"action": "write", "baseVersion": 1})
    assert ended.json()["policy"] == second
    again = admin.delete(f"{POLICIES}/noop", params={"action": "write"})
    assert again.status_code == 404
    put(admin, "*", note="all")
    assert [one["note"] for one in viewer.get(POLICIES).json()["policies"]] == ["all", ""]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"requiredApprovals": 0}, "requiredApprovals"),
        ({"requiredApprovals": "2"}, "requiredApprovals"),
        ({"deciders": {"roles": ["viewer"]}}, "deciders.roles.0"),
        ({"deciders": {"people": ["nobody@example.com"]}}, "deciders.people.0"),
        ({"deciders": {"roles": []}}, "deciders"),
        ({"deadline": {"then": "wait"}}, "deadline.then"),
        ({"deadline": {"then": "extend"}}, "deadline.seconds"),
        ({"selfApproval": "sometimes"}, "selfApproval"),
        ({"remindSeconds": [0]}, "remindSeconds.0"),
        ({"automatic": {"upTo": "CRITICAL"}}, "automatic.upTo"),
        ({"approvals": 2}, "approvals"),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_field(
    admin: TestClient, body: dict[str, Any], field: str
) -> None:
    refused = admin.put(f"{POLICIES}/noop", json=body)
    assert refused.status_code == 422, refused.text
    assert refused.json()["errors"][0]["field"] == field


def test_only_admins_change_policies(door: Door, admin: TestClient) -> None:
    assert admin.put(f"{POLICIES}/nothing", json={}).status_code == 404
    for role in (Role.VIEWER, Role.OPERATOR, Role.REVIEWER):
        client = door.as_role(role)
        assert client.get(f"{POLICIES}/noop").status_code == 200
        assert client.put(f"{POLICIES}/noop", json={}).status_code == 403
        assert client.delete(f"{POLICIES}/noop").status_code == 403


def test_two_have_to_agree_and_others_are_refused(door: Door, admin: TestClient) -> None:
    ana, ray = door.as_role(Role.REVIEWER, "ana"), door.as_role(Role.REVIEWER, "ray")
    eve = door.as_role(Role.REVIEWER, "eve")
    people = ["ana@example.com", "ray@example.com"]
    policy = put(admin, deciders={"roles": [], "people": people}, requiredApprovals=2)
    _, checkpoint_id = door.waiting(admin)
    refused = eve.post(f"{DESK}/{checkpoint_id}")
    assert refused.status_code == 403
    assert "asks ana or ray" in refused.json()["detail"]
    assert refused.json()["policyVersion"] == 1
    first = ana.post(f"{DESK}/{checkpoint_id}").json()
    assert first["tally"] == {"verb": "approve", "given": 1, "needed": 2}
    assert first["checkpoint"]["status"] == "PENDING"
    assert "more people" in first["message"]
    shown = ana.get(f"{DESK}/{checkpoint_id}").json()["checkpoint"]
    assert [one["userName"] for one in shown["votes"]] == ["ana"]
    assert shown["policy"]["id"] == policy["id"]
    assert "said this already" in shown["approveRefusal"]
    again = ana.post(f"{DESK}/{checkpoint_id}")
    assert (again.status_code, again.json()["needed"]) == (409, 2)
    bulk = {"action": "approve", "checkpoints": [{"id": checkpoint_id}]}
    answer = ana.post("/api/agent-checkpoints/bulk-decide", json=bulk).json()
    assert (answer["decided"], answer["voted"], answer["refused"]) == (0, 0, 1)
    assert answer["results"][0]["code"] == "voted_already"
    last = ray.post(f"{DESK}/{checkpoint_id}").json()
    assert (last["checkpoint"]["status"], last["tally"]) == ("APPROVED", None)
    assert last["checkpoint"]["policyId"] == policy["id"]


def test_a_vote_is_remembered_with_its_key_and_can_be_withdrawn(
    door: Door, admin: TestClient
) -> None:
    ana = door.as_role(Role.REVIEWER, "ana")
    put(admin, requiredApprovals=2)
    _, checkpoint_id = door.waiting(door.as_role(Role.OPERATOR))
    keyed = {"Idempotency-Key": "one"}
    first = ana.post(f"{DESK}/{checkpoint_id}", headers=keyed)
    again = ana.post(f"{DESK}/{checkpoint_id}", headers=keyed)
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "more people" in again.json()["message"]
    undone = ana.post(f"{DESK}/{checkpoint_id}/undo")
    assert undone.status_code == 200
    assert ana.get(f"{DESK}/{checkpoint_id}").json()["checkpoint"]["votes"] == []


def test_a_right_is_lent_and_taken_back(door: Door, admin: TestClient) -> None:
    ana, ray = door.as_role(Role.REVIEWER, "ana"), door.as_role(Role.REVIEWER, "ray")
    put(admin, deciders={"roles": [], "people": ["ana@example.com"]})
    _, checkpoint_id = door.waiting(admin)
    address = "/api/review-delegations"
    until = (door.clock.now() + timedelta(days=1)).isoformat()
    made = ana.post(address, json={"to": "ray@example.com", "endsAt": until})
    assert made.status_code == 201, made.text
    delegation = made.json()["delegation"]
    assert made.headers["Location"] == f"{address}/{delegation['id']}"
    assert (delegation["fromName"], delegation["toName"]) == ("ana", "ray")
    assert ray.get(address).json()["delegations"] == [delegation]
    assert ray.get(f"{DESK}/{checkpoint_id}").json()["checkpoint"]["mayDecide"] is True
    assert ray.delete(f"{address}/{delegation['id']}").status_code == 403
    assert ana.delete(f"{address}/{delegation['id']}").status_code == 200
    assert ray.post(f"{DESK}/{checkpoint_id}").status_code == 403
    other = {"to": "ray@example.com", "from": "ana@example.com", "endsAt": until}
    assert ray.post(address, json={**other, "to": "admin@example.com"}).status_code == 403
    assert admin.post(address, json=other).status_code == 201
    assert ray.post(f"{DESK}/{checkpoint_id}").json()["checkpoint"]["status"] == "APPROVED"
    wrong = ana.post(address, json={"to": "nobody@example.com", "endsAt": until})
    assert wrong.json()["errors"][0]["field"] == "to"
    assert door.as_role(Role.VIEWER).post(address, json=other).status_code == 403


def test_a_rule_is_tried_recorded_and_stopped(door: Door, admin: TestClient) -> None:
    viewer, ana = door.as_role(Role.VIEWER), door.as_role(Role.REVIEWER, "ana")
    _, decided = door.waiting(admin)
    assert ana.request("DELETE", f"{DESK}/{decided}", json={"reason": "No"}).status_code == 200
    tried = viewer.get(f"{POLICIES}/noop/backtest", params={"upTo": "LOW"})
    found = tried.json()["backtest"]
    assert (found["lookedAt"], found["wouldApprove"]) == (1, 1)
    assert found["outcomes"] == {"REJECTED": 1}
    assert [(one["id"], one["outcome"]) for one in found["contradictions"]] == [
        (decided, "REJECTED")
    ]
    wrong = viewer.get(f"{POLICIES}/noop/backtest", params={"upTo": "CRITICAL"})
    assert wrong.json()["errors"][0]["field"] == "automatic.upTo"
    assert viewer.get(f"{POLICIES}/noop/backtest", params={"days": 91}).status_code == 422
    assert viewer.get("/api/review-policy-suggestions").json()["suggestions"] == []
    assert viewer.get(f"{POLICIES}/noop/record").status_code == 404
    put(admin, automatic={"upTo": "LOW"})
    record = viewer.get(f"{POLICIES}/noop/record").json()["record"]
    assert (record["approved"], record["policy"]["automatic"]["upTo"]) == (0, "LOW")
    assert viewer.post(f"{POLICIES}/noop/stop", json={}).status_code == 403
    stopped = ana.post(f"{POLICIES}/noop/stop", json={"reason": "Wrong once"}).json()["policy"]
    assert (stopped["version"], stopped["automatic"]["upTo"]) == (2, None)
    assert ana.post(f"{POLICIES}/write/stop", json={}).status_code == 404


def test_a_group_is_kept_and_asked(door: Door, admin: TestClient) -> None:
    ana, ray = door.as_role(Role.REVIEWER, "ana"), door.as_role(Role.REVIEWER, "ray")
    address = "/api/reviewer-groups"
    made = admin.post(address, json={"name": "Security", "members": ["ana@example.com"]})
    assert made.status_code == 201, made.text
    group = made.json()["group"]
    assert made.headers["Location"] == f"{address}/{group['id']}"
    assert [one["name"] for one in group["members"]] == ["ana"]
    assert admin.post(address, json={"name": "security"}).status_code == 409
    assert ray.get(address).json()["groups"] == [group]
    assert ray.post(address, json={"name": "Mine"}).status_code == 403
    policy = put(admin, deciders={"roles": [], "groups": ["Security"]})
    assert policy["deciders"]["groups"] == [{"id": group["id"], "name": "Security"}]
    assert policy["deciders"]["words"] == "group Security"
    _, checkpoint_id = door.waiting(admin)
    assert ray.post(f"{DESK}/{checkpoint_id}").status_code == 403
    assert ana.get(f"{DESK}/{checkpoint_id}").json()["checkpoint"]["mayDecide"] is True
    asked = admin.delete(f"{address}/{group['id']}")
    assert (asked.status_code, asked.json()["policies"]) == (409, ["noop"])
    change = {"add": ["ray@example.com"], "remove": [group["members"][0]["id"]]}
    changed = admin.patch(f"{address}/{group['id']}", json=change).json()["group"]
    assert [one["name"] for one in changed["members"]] == ["ray"]
    assert ana.post(f"{DESK}/{checkpoint_id}").status_code == 403
    assert ray.post(f"{DESK}/{checkpoint_id}").json()["checkpoint"]["status"] == "APPROVED"
    assert admin.patch(f"{address}/grp_x", json=change).status_code == 404
    admin.delete(f"{POLICIES}/noop")
    assert admin.delete(f"{address}/{group['id']}").json()["group"]["name"] == "Security"
