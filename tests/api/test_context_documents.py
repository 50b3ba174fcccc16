from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from agent_console.domain.access import Role
from tests.api.conftest import Door

URL = "/api/context-documents"
PLAN = {"title": "Plan", "content": "# Plan\n\nZwei Häuser 🏠"}


def keep(client: TestClient, **changes: Any) -> dict[str, Any]:
    answer = client.post(URL, json={**PLAN, **changes})
    assert answer.status_code == 201, answer.text
    return dict(answer.json()["document"])


def test_a_document_is_kept_read_and_changed(admin: TestClient) -> None:
    answer = admin.post(URL, json={**PLAN, "projectId": "p1"})
    assert answer.status_code == 201
    assert answer.json()["success"] is True
    made = answer.json()["document"]
    assert (made["version"], made["mediaType"], made["projectId"]) == (1, "text/markdown", "p1")
    assert "content" not in made
    one = f"{URL}/{made['id']}"
    assert answer.headers["location"] == one
    saved = admin.post(f"{one}/versions", json={"content": "two", "baseVersion": 1})
    assert saved.status_code == 201
    assert (saved.json()["document"]["version"], saved.json()["document"]["size"]) == (2, 3)
    read = admin.get(one).json()["document"]
    assert (read["content"], read["version"], read["latestVersion"]) == ("two", 2, 2)
    assert [v["version"] for v in read["versions"]] == [2, 1]
    old = admin.get(one, params={"version": 1}).json()["document"]
    assert (old["content"], old["version"], old["latestVersion"]) == (PLAN["content"], 1, 2)
    assert old["digest"] == made["digest"] == read["versions"][1]["digest"]


def test_a_change_from_an_old_version_is_a_conflict(admin: TestClient) -> None:
    one = f"{URL}/{keep(admin)['id']}/versions"
    assert admin.post(one, json={"content": "two", "baseVersion": 1}).status_code == 201
    late = admin.post(one, json={"content": "also two", "baseVersion": 1})
    assert late.status_code == 409
    assert late.json()["currentVersion"] == 2


def test_the_list_is_filtered_and_paged(admin: TestClient) -> None:
    ids = [keep(admin, title=f"Plan {n}", projectId=f"p{n % 2}")["id"] for n in range(4)]
    body = admin.get(URL, params={"projectId": "p1", "search": "plan"}).json()
    assert body["success"] is True
    assert [d["id"] for d in body["documents"]] == [ids[3], ids[1]]
    assert body["pagination"]["total"] == 2
    first = admin.get(URL, params={"limit": 3}).json()
    cursor = first["pagination"]["nextCursor"]
    rest = admin.get(URL, params={"limit": 3, "cursor": cursor}).json()
    assert [d["id"] for d in first["documents"] + rest["documents"]] == ids[::-1]


def test_a_repetition_is_marked(admin: TestClient) -> None:
    key = {"Idempotency-Key": "k1"}
    first = admin.post(URL, json=PLAN, headers=key)
    again = admin.post(URL, json=PLAN, headers=key)
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json() == first.json()
    assert admin.post(URL, json={**PLAN, "title": "Other"}, headers=key).status_code == 409


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**PLAN, "title": " "}, "title"),
        ({**PLAN, "content": " \n"}, "content"),
        ({**PLAN, "content": 7}, "content"),
        ({**PLAN, "mediaType": "text/html"}, "mediaType"),
        ({**PLAN, "contents": ""}, "contents"),
        ({"title": "Plan"}, "content"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_field(
    admin: TestClient, body: dict[str, Any], field: str
) -> None:
    answer = admin.post(URL, json=body)
    assert answer.status_code == 422
    assert [e["field"] for e in answer.json()["errors"]] == [field]


def test_a_text_that_is_too_large_is_said_to_be(admin: TestClient) -> None:
    assert admin.post(URL, json={**PLAN, "content": "x" * 1_000_001}).status_code == 413
    assert admin.post(URL, json={**PLAN, "content": "x" * 1_100_000}).status_code == 413
    keep(admin, content="x" * 999_990)


def test_what_is_not_there_is_not_found(admin: TestClient) -> None:
    one = f"{URL}/{keep(admin)['id']}"
    assert admin.get(f"{URL}/doc_nope").status_code == 404
    assert admin.get(one, params={"version": 2}).status_code == 404
    assert admin.get(one, params={"version": 0}).status_code == 422
    assert admin.post(f"{URL}/doc_nope/versions", json={"content": "x"}).status_code == 404


def test_readers_read_and_writers_write(door: Door, admin: TestClient) -> None:
    made = keep(admin)
    writes = {Role.VIEWER: 403, Role.OPERATOR: 201, Role.REVIEWER: 201}
    for role, status in writes.items():
        client = door.as_role(role)
        assert client.get(f"{URL}/{made['id']}").status_code == 200
        assert client.post(URL, json=PLAN).status_code == status
        version = client.post(f"{URL}/{made['id']}/versions", json={"content": role.value})
        assert version.status_code == status
    assert door.client().get(URL).status_code == 401


def test_a_document_is_put_away_taken_out_and_deleted(admin: TestClient) -> None:
    one = f"{URL}/{keep(admin)['id']}"
    archived = admin.patch(one, json={"action": "archive"})
    assert archived.status_code == 200
    assert archived.json()["document"]["archivedAt"].endswith("Z")
    assert admin.get(URL).json()["documents"] == []
    assert len(admin.get(URL, params={"archived": "true"}).json()["documents"]) == 1
    late = admin.post(f"{one}/versions", json={"content": "two"})
    assert (late.status_code, late.json()["currentStatus"]) == (409, "archived")
    restored = admin.patch(one, json={"action": "restore"}).json()["document"]
    assert (restored["archivedAt"], restored["firstJobId"]) == (None, None)
    assert admin.patch(one, json={"action": "burn"}).status_code == 422
    assert admin.delete(one).json() == {"success": True}
    assert admin.get(one).status_code == admin.delete(one).status_code == 404
