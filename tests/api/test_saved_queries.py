from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from agent_console.domain.access import Role
from tests.api.conftest import Door

BASE = "/api/saved-queries"
FAILED = {"name": "Failed imports", "resource": "jobs", "query": {"status": "FAILED"}}


def save(client: TestClient, **changes: Any) -> dict[str, Any]:
    answer = client.post(BASE, json=FAILED | changes)
    assert answer.status_code == 201, answer.text
    saved: dict[str, Any] = answer.json()["query"]
    return saved


def names(client: TestClient, **params: str) -> list[str]:
    return [one["name"] for one in client.get(BASE, params=params).json()["queries"]]


def test_a_query_is_kept_changed_and_deleted(admin: TestClient) -> None:
    saved = save(admin, query={"status": "FAILED", "jobType": "noop", "search": "", "userId": None})
    assert saved["id"].startswith("qry_")
    assert saved["query"] == {"status": "FAILED", "jobType": "noop"}
    assert (saved["shared"], saved["ownerName"]) == (False, "admin")
    address = f"{BASE}/{saved['id']}"
    change = {"name": " Parked ", "query": {"status": "PARKED", "userId": "me"}}
    changed = admin.patch(address, json=change).json()["query"]
    assert (changed["name"], changed["query"]["status"]) == ("Parked", "PARKED")
    assert changed["createdAt"] == saved["createdAt"]
    assert admin.get(address).json()["query"] == changed
    assert admin.delete(address).json() == {"success": True}
    assert admin.get(address).status_code == 404
    told = admin.get("/api/audit").json()["entries"]
    assert [e["action"] for e in told if e["subjectId"] == saved["id"]] == [
        "saved_query.deleted",
        "saved_query.changed",
        "saved_query.created",
    ]


def test_own_ones_are_private_and_shared_ones_are_everybodys_to_use(door: Door) -> None:
    olga, vera = door.as_role(Role.OPERATOR, "olga"), door.as_role(Role.VIEWER, "vera")
    own, shared = save(olga), save(olga, name="All failed", shared=True)
    assert names(olga) == ["All failed", "Failed imports"]
    assert names(vera) == ["All failed"]
    assert vera.get(f"{BASE}/{own['id']}").status_code == 404
    assert vera.patch(f"{BASE}/{own['id']}", json={"name": "mine"}).status_code == 404
    refused = vera.patch(f"{BASE}/{shared['id']}", json={"name": "mine"})
    assert refused.status_code == 403
    assert "olga" in refused.json()["detail"]
    assert vera.delete(f"{BASE}/{shared['id']}").status_code == 403
    assert door.as_role(Role.ADMIN).delete(f"{BASE}/{own['id']}").status_code == 404
    assert door.as_role(Role.ADMIN).delete(f"{BASE}/{shared['id']}").status_code == 200


def test_queries_on_what_one_may_not_read_are_out_of_reach(door: Door) -> None:
    reviewer, viewer = door.as_role(Role.REVIEWER), door.as_role(Role.VIEWER)
    audit = {"resource": "audit", "query": {"action": "job.failed"}, "shared": True}
    saved = save(reviewer, **audit)
    assert names(viewer) == []
    assert viewer.get(f"{BASE}/{saved['id']}").status_code == 403
    refused = viewer.post(BASE, json=FAILED | audit)
    assert refused.json()["requiredPermission"] == "audit:read"
    assert names(reviewer, resource="audit") == ["Failed imports"]
    assert names(reviewer, resource="jobs") == []


@pytest.mark.parametrize(
    ("resource", "query", "field"),
    [
        ("jobs", {"status": "SLEEPY"}, "query.status"),
        ("jobs", {"color": "red"}, "query.color"),
        ("jobs", {"jobType": "x" * 201}, "query.jobType"),
        ("jobs", {"search": "x" * 201}, "query.search"),
        ("jobs", {"limit": "5"}, "query.limit"),
        ("checkpoints", {"checkpointType": "QUESTION"}, "query.checkpointType"),
        ("checkpoints", {"status": "OPEN"}, "query.status"),
        ("audit", {"since": "yesterday"}, "query.since"),
        ("audit", {"until": "2026-11-21T07:00:00"}, "query.until"),
        ("workers", {}, "resource"),
    ],
)
def test_a_query_that_no_list_would_answer_is_not_kept(
    admin: TestClient, resource: str, query: dict[str, str], field: str
) -> None:
    answer = admin.post(BASE, json={"name": "x", "resource": resource, "query": query})
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == [field]


def test_what_is_kept_is_what_the_list_takes(admin: TestClient) -> None:
    """Filters have the names of the query parameters: a client can hand them over as they are."""
    kept = {
        ("jobs", "/api/agent-jobs"): {
            "status": "FAILED", "jobType": "noop", "userId": "usr_1", "search": "x",
        },
        ("checkpoints", "/api/admin/agent-checkpoints"): {
            "status": "ALL", "checkpointType": "INFO", "jobId": "job_1", "jobType": "noop",
        },
        ("audit", "/api/audit"): {
            "action": "job.failed", "actorId": "usr_1", "jobId": "job_1", "checkpointId": "chk_1",
            "since": "2026-11-21T07:00:00Z", "until": "2026-11-22T07:00:00+01:00",
        },
    }  # fmt: skip
    for (resource, address), query in kept.items():
        saved = save(admin, resource=resource, query=query)
        assert saved["query"] == query
        assert admin.get(address, params=saved["query"]).status_code == 200


def test_names_are_ones_own_and_there_is_an_end_to_them(
    admin: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = save(admin)
    assert admin.post(BASE, json=FAILED).status_code == 409
    other = save(admin, name="Other")
    clash = admin.patch(f"{BASE}/{other['id']}", json={"name": FAILED["name"]})
    assert clash.status_code == 409
    assert admin.patch(f"{BASE}/{first['id']}", json={"name": FAILED["name"]}).status_code == 200
    assert admin.post(BASE, json=FAILED | {"name": "a\x07b"}).status_code == 422
    monkeypatch.setattr("agent_console.store.saved_queries.MAX_QUERIES", 2)
    full = admin.post(BASE, json=FAILED | {"name": "Third"})
    assert full.status_code == 409
    assert "delete one first" in full.json()["detail"]
