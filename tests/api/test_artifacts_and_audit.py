from __future__ import annotations

from starlette.testclient import TestClient

from agent_console.domain.access import Role
from agent_console.store.engine_values import RunKey
from agent_console.store.runs import save_artifact
from tests.api.conftest import Door, enqueue
from tests.support.runs import artifact, claim_one


def _made(door: Door, client: TestClient, content: str, name: str = "a.txt") -> tuple[str, str]:
    from dataclasses import replace

    job_id = enqueue(client)
    made = replace(artifact(0, content), name=name)
    return job_id, save_artifact(door.db, claim_one(door.db).key, made)


def test_artifacts_are_listed_without_content(door: Door, admin: TestClient) -> None:
    job_id, artifact_id = _made(door, admin, "one")
    _made(door, admin, "two")
    body = admin.get("/api/artifacts", params={"jobId": job_id}).json()
    assert body["success"] is True
    assert [a["id"] for a in body["artifacts"]] == [artifact_id]
    assert "content" not in body["artifacts"][0]
    assert body["artifacts"][0]["size"] == 3
    first = admin.get("/api/artifacts", params={"limit": 1}).json()
    cursor = first["pagination"]["nextCursor"]
    second = admin.get("/api/artifacts", params={"limit": 1, "cursor": cursor}).json()
    assert second["artifacts"][0]["id"] == artifact_id
    assert admin.get(f"/api/agent-jobs/{job_id}").json()["job"]["artifacts"][0]["name"] == "a.txt"


def test_artifacts_are_found_by_type_and_words(door: Door, admin: TestClient) -> None:
    _, plan = _made(door, admin, "the pilot starts in May", "plan.txt")
    _, risk = _made(door, admin, "nothing to say", "pilot-risks.txt")

    def found(**query: str) -> list[str]:
        body = admin.get("/api/artifacts", params=query).json()
        return [artifact["id"] for artifact in body["artifacts"]]

    assert found(search="PILOT") == [risk, plan]
    assert found(search="may", artifactType="file") == [plan]
    assert found(artifactType="report") == []
    assert admin.get("/api/artifacts", params={"artifactType": "song"}).status_code == 422


def test_one_artifact_with_its_content(door: Door, admin: TestClient) -> None:
    _, artifact_id = _made(door, admin, "häagen")
    body = admin.get(f"/api/artifacts/{artifact_id}").json()
    assert body["success"] is True
    assert body["artifact"]["content"] == "häagen"
    assert body["artifact"]["artifactType"] == "file"
    (version,) = body["artifact"]["versions"]
    assert (version["id"], version["label"]) == (artifact_id, "Version 1")
    assert admin.get("/api/artifacts/art_nope").status_code == 404


def test_a_download_is_never_a_page(door: Door, admin: TestClient) -> None:
    name = 'docs/<b>"x\r\nSet-Cookie: a=b; ü.html'
    _, artifact_id = _made(door, admin, "<script>alert(1)</script>", name)
    answer = admin.get(f"/api/artifacts/{artifact_id}/download")
    assert answer.status_code == 200
    assert answer.text == "<script>alert(1)</script>"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    disposition = answer.headers["content-disposition"]
    assert disposition.startswith('attachment; filename="')
    assert "docs" not in disposition
    assert "set-cookie" not in answer.headers
    assert "%C3%BC.html" in disposition


def test_a_report_is_downloaded_as_markdown_and_as_pdf(door: Door, admin: TestClient) -> None:
    _, artifact_id = _made(door, admin, "# Größe\n\nwords", "docs/plan.md")
    address = f"/api/artifacts/{artifact_id}/download"
    markdown = admin.get(address, params={"format": "markdown"})
    assert markdown.status_code == 422, "a plain text file is no Markdown"
    assert markdown.json()["errors"][0]["field"] == "format"
    assert admin.get(address, params={"format": "docx"}).status_code == 422
    from dataclasses import replace

    made = replace(artifact(1, "# Größe"), name="Plan/1", media_type="text/markdown")
    artifact_id = save_artifact(door.db, claim_one_of(door, admin), made)
    address = f"/api/artifacts/{artifact_id}/download"
    assert admin.get(address, params={"format": "markdown"}).text == "# Größe"
    answer = admin.get(address, params={"format": "pdf"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"].startswith('attachment; filename="1.pdf"')
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert answer.content.startswith(b"%PDF-")


def claim_one_of(door: Door, client: TestClient) -> RunKey:
    """Return the claim of a new job."""
    enqueue(client)
    return claim_one(door.db).key


def test_the_journal_is_for_auditors(door: Door, admin: TestClient) -> None:
    job_id, _ = door.waiting(admin)
    for role, status in ((Role.VIEWER, 403), (Role.OPERATOR, 403), (Role.REVIEWER, 200)):
        assert door.as_role(role).get("/api/audit").status_code == status
    body = admin.get("/api/audit", params={"jobId": job_id}).json()
    assert body["success"] is True
    entries = body["entries"]
    assert {e["jobId"] for e in entries} == {job_id}
    assert [e["seq"] for e in entries] == sorted((e["seq"] for e in entries), reverse=True)
    created = admin.get("/api/audit", params={"action": "job.created"}).json()["entries"]
    assert [e["after"] for e in created] == ["PENDING"]
    assert created[0]["actorName"] == "admin"
    late = admin.get("/api/audit", params={"since": "2200-01-01T00:00:00Z"}).json()
    assert late["entries"] == []
    assert admin.get("/api/audit", params={"since": "yesterday"}).status_code == 422


def test_the_journal_is_read_by_cursor(admin: TestClient) -> None:
    for _ in range(5):
        enqueue(admin)
    query = {"action": "job.created", "limit": 2}
    first = admin.get("/api/audit", params=query).json()
    enqueue(admin)
    cursor = first["pagination"]["nextCursor"]
    second = admin.get("/api/audit", params={**query, "cursor": cursor}).json()
    seen = [e["seq"] for e in first["entries"] + second["entries"]]
    assert len(seen) == 4
    assert seen == sorted(set(seen), reverse=True)
