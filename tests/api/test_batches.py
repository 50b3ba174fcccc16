"""Unique jobs, batches and bulk actions over REST."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from agent_console.domain.access import Role
from agent_console.domain.errors import Invalid
from agent_console.domain.jobs import Json
from agent_console.runtime.bulk import bulk_handler
from agent_console.runtime.registry import Registry
from agent_console.services.jobs import JobService
from tests.api.conftest import Catalog, Door, enqueue

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
NOOP = {"jobType": "noop"}


class WithBulk(Catalog):
    """The usual types, and the built-in one."""

    def __init__(self) -> None:
        self._bulk = Registry()

    def handlers(self) -> Any:
        return [*super().handlers(), *self._bulk.handlers()]

    def validate(self, job_type: str, data: dict[str, Json]) -> dict[str, Json]:
        if self._bulk.describe(job_type) is not None:
            return self._bulk.validate(job_type, data)
        return super().validate(job_type, data)


@pytest.fixture
def bulk_door(make_door: Any) -> Door:
    """A door to a console that has the job type ``bulk-control``."""
    catalog = WithBulk()
    door: Door = make_door(catalog)
    catalog._bulk.add(bulk_handler(door.db, JobService(door.db, catalog)))
    return door


def post(client: TestClient, path: str, body: Any, **headers: str) -> Any:
    return client.post(f"/api/agent-jobs{path}", json=body, headers=headers)


def test_a_unique_job_is_refused_answered_or_replaced(admin: TestClient) -> None:
    first = enqueue(admin, unique={"key": "k"})
    refused = post(admin, "", NOOP | {"unique": {"key": "k"}})
    assert refused.status_code == 409
    assert (refused.json()["jobId"], refused.json()["currentStatus"]) == (first, "PENDING")
    found = post(admin, "", NOOP | {"unique": {"key": "k", "onConflict": "existing"}})
    assert (found.status_code, found.json()["existing"]) == (200, True)
    assert found.json()["job"]["id"] == first
    assert found.json()["job"]["uniqueKey"] == "k"
    made = post(admin, "", NOOP | {"unique": {"key": "k", "onConflict": "replace"}})
    assert (made.status_code, made.json()["existing"]) == (201, False)
    shown = admin.get(f"/api/agent-jobs/{first}").json()["job"]
    assert shown["status"] == "CANCELED"
    assert shown["timeline"][-1]["data"] == {"replacedBy": made.json()["job"]["id"]}
    again = admin.patch(f"/api/agent-jobs/{first}", json={"action": "retry"})
    assert again.status_code == 409
    assert again.json()["jobId"] == made.json()["job"]["id"]


def test_an_answer_with_an_existing_job_is_repeated_as_it_was(admin: TestClient) -> None:
    first = enqueue(admin, unique={"key": "k"})
    body = NOOP | {"unique": {"key": "k", "onConflict": "existing"}}
    answers = [post(admin, "", body, **{"Idempotency-Key": "a"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert [answer.json()["job"]["id"] for answer in answers] == [first, first]
    assert [answer.headers.get("Idempotent-Replayed") for answer in answers] == [None, "true"]


@pytest.mark.parametrize(
    ("unique", "field"),
    [
        ({}, "unique.key"),
        ({"key": ""}, "unique.key"),
        ({"key": "k", "whileIn": []}, "unique.whileIn"),
        ({"key": "k", "whileIn": ["LOST"]}, "unique.whileIn.0"),
        ({"key": "k", "onConflict": "ignore"}, "unique.onConflict"),
        ({"key": "k", "whileIn": ["FAILED"], "onConflict": "replace"}, "unique.whileIn"),
        ({"key": "k", "while": ["RUNNING"]}, "unique.while"),
    ],
)
def test_a_strange_unique_is_named(admin: TestClient, unique: Any, field: str) -> None:
    answer = post(admin, "", NOOP | {"unique": unique})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_a_batch_is_made_whole(admin: TestClient) -> None:
    body = {"jobs": [NOOP, NOOP | {"idempotencyKey": "a", "priority": 9, "autoExecute": False}]}
    made = post(admin, "/batch", body, **{"Idempotency-Key": "b"})
    assert made.status_code == 201
    jobs = made.json()["jobs"]
    assert [(job["jobType"], job["status"], job["replayed"], job["existing"]) for job in jobs] == [
        ("noop", "PENDING", False, False),
        ("noop", "INITIALIZED", False, False),
    ]
    assert admin.get(f"/api/agent-jobs/{jobs[1]['id']}").json()["job"]["priority"] == 9
    again = post(admin, "/batch", body, **{"Idempotency-Key": "b"})
    assert (again.status_code, again.json()) == (201, made.json())
    assert again.headers["Idempotent-Replayed"] == "true"


def test_refused_fields_of_a_batch_have_their_number(admin: TestClient) -> None:
    body = {"jobs": [NOOP, {"jobType": "write"}, {"jobType": "none"}, NOOP]}
    refused = post(admin, "/batch", body)
    assert refused.status_code == 422
    fields = [error["field"] for error in refused.json()["errors"]]
    assert fields == ["jobs.1.inputData.path", "jobs.2.jobType"]
    misspelt = post(admin, "/batch", {"jobs": [NOOP, NOOP | {"priorty": 1}]})
    assert [error["field"] for error in misspelt.json()["errors"]] == ["jobs.1.priorty"]
    taken = post(admin, "/batch", {"jobs": [NOOP | {"unique": {"key": "k"}}] * 2})
    assert (taken.status_code, taken.json()["item"]) == (409, 1)
    for wrong in ([], [NOOP] * 1_001):
        assert post(admin, "/batch", {"jobs": wrong}).status_code == 422
    assert admin.get("/api/agent-jobs").json()["jobs"] == []


def test_a_bulk_action_is_counted_first_and_then_a_job(bulk_door: Door) -> None:
    admin = bulk_door.as_role(Role.ADMIN)
    enqueue(admin)
    body = {"action": "cancel", "filter": {"jobType": "noop"}}
    counted = post(admin, "/bulk", body | {"dryRun": True})
    assert counted.status_code == 200
    assert counted.json() == {"success": True, "dryRun": True, "count": 1, "capped": False}
    started = post(admin, "/bulk", body, **{"Idempotency-Key": "a"})
    assert started.status_code == 201
    job = started.json()["job"]
    assert (job["jobType"], job["inputData"]["filter"]["jobType"]) == ("bulk-control", "noop")
    assert started.headers["Location"] == f"/api/agent-jobs/{job['id']}"
    again = post(admin, "/bulk", body, **{"Idempotency-Key": "a"})
    assert again.json()["job"]["id"] == job["id"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"action": "pause", "filter": {"status": "PENDING"}}, "action"),
        ({"action": "cancel", "filter": {}}, "filter"),
        ({"action": "cancel", "filter": {"status": "COMPLETED"}}, "filter.status"),
        ({"action": "cancel", "filter": {"ids": ["a"], "userId": "b"}}, "filter.ids"),
        ({"action": "cancel", "filter": {"ids": ["a"] * 1_001}}, "filter.ids"),
        ({"action": "cancel"}, "filter"),
    ],
)
def test_a_strange_bulk_action_is_named(bulk_door: Door, body: Any, field: str) -> None:
    answer = post(bulk_door.as_role(Role.ADMIN), "/bulk", body)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_roles_and_scopes_decide_who_may(bulk_door: Door) -> None:
    for role, batch, bulk in ((Role.VIEWER, 403, 403), (Role.OPERATOR, 201, 201)):
        client = bulk_door.as_role(role)
        body = {"action": "cancel", "filter": {"status": "PENDING"}}
        assert post(client, "/batch", {"jobs": [NOOP]}).status_code == batch
        assert post(client, "/bulk", body).status_code == bulk
    token = bulk_door.token(Role.OPERATOR, scopes=["jobs:create"])
    few = bulk_door.client(Authorization=f"Bearer {token}")
    replace = NOOP | {"unique": {"key": "k", "onConflict": "replace"}}
    direct = {
        "jobType": "bulk-control",
        "inputData": {"action": "cancel", "filter": {"status": "PENDING"}},
    }
    for refused in (post(few, "", replace), post(few, "", direct)):
        assert refused.status_code == 403
        assert refused.json()["requiredPermission"] == "jobs:control"


def test_a_bulk_input_names_what_it_refuses(bulk_door: Door) -> None:
    catalog = bulk_door.services.jobs._catalog
    with pytest.raises(Invalid, match="must name at least one"):
        catalog.validate("bulk-control", {"action": "cancel", "filter": {}})
