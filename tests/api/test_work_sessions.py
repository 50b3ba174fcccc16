from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from httpx import Response
from starlette.testclient import TestClient

from agent_console.domain.access import Role
from agent_console.testing import drain
from tests.api.conftest import Door
from tests.support.agents import agents

URL = "/api/projects/rollout/work-sessions"
ASK: dict[str, Any] = {
    "agentType": "research",
    "taskDescription": "Where does the pilot start?",
    "taskConfiguration": {"question": "Where?"},
}


@dataclass
class Desk:
    """A door to a console with agents; one who asks, one who decides."""

    door: Door
    asker: TestClient
    reviewer: TestClient

    def create(self, **changes: Any) -> str:
        answer = self.asker.post(URL, json={**ASK, **changes})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["session"]["id"])

    def waiting(self) -> tuple[str, str]:
        """Run a session up to its question; return the ids of session and checkpoint."""
        session_id = self.create(autoExecute=True)
        self.run()
        (checkpoint,) = self.status(session_id)["checkpoints"]
        return session_id, checkpoint["id"]

    def run(self) -> int:
        return drain(self.door.db, agents(), clock=self.door.clock)

    def status(self, session_id: str) -> dict[str, Any]:
        answer = self.asker.get(f"{URL}/{session_id}/status")
        assert answer.status_code == 200, answer.text
        return dict(answer.json()["session"])

    def decide(self, ids: tuple[str, str], verb: str, **body: Any) -> Response:
        return self.reviewer.post(f"{URL}/{ids[0]}/checkpoints/{ids[1]}/{verb}", **body)


@pytest.fixture
def desk(make_door: Callable[..., Door]) -> Desk:
    door = make_door(catalog=agents())
    return Desk(door, door.as_role(Role.OPERATOR), door.as_role(Role.REVIEWER))


def test_a_session_from_start_to_end(desk: Desk) -> None:
    made = desk.asker.post(URL, json=ASK)
    assert made.status_code == 201
    body = made.json()
    session_id = body["session"]["id"]
    assert body["success"] is True
    assert body["session"]["status"] == "initialized"
    assert body["session"]["projectId"] == "rollout"
    assert body["session"]["taskConfiguration"] == {"question": "Where?", "maxFindings": 5}
    assert made.headers["location"] == f"{URL}/{session_id}/status"

    begun = desk.asker.post(f"{URL}/{session_id}/execute")
    assert begun.status_code == 200
    assert begun.json()["session"]["status"] == "in_progress"
    again = desk.asker.post(f"{URL}/{session_id}/execute")
    assert (again.status_code, again.json()["currentStatus"]) == (409, "in_progress")

    assert desk.run() == 1
    waiting = desk.status(session_id)
    assert waiting["status"] == "pending_review"
    (checkpoint,) = waiting["checkpoints"]
    assert checkpoint["data"] == {"answer": "An answer to: Where?"}

    approved = desk.decide(
        (session_id, checkpoint["id"]),
        "approve",
        json={"payloadDigest": checkpoint["payloadDigest"], "feedback": "Fine."},
    )
    assert approved.status_code == 200
    assert approved.json()["message"] == "Checkpoint approved successfully"
    assert approved.json()["checkpoint"]["status"] == "APPROVED"
    assert desk.run() == 1
    done = desk.status(session_id)
    assert (done["status"], done["artifactsCount"]) == ("completed", 1)
    assert done["checkpoints"][0]["feedback"] == "Fine."
    job = desk.asker.get(f"/api/agent-jobs/{session_id}").json()["job"]
    assert job["status"] == "COMPLETED"


def test_everything_given_comes_back(desk: Desk) -> None:
    document = desk.asker.post("/api/context-documents", json={"title": "T", "content": "C"})
    document_id = document.json()["document"]["id"]
    session_id = desk.create(
        contextDocumentId=document_id,
        approvalStrategy="final_only",
        workspaceId="ws_1",
        basketId="b_1",
        metadata={"team": "field"},
    )
    found = desk.status(session_id)
    assert found["contextDocumentId"] == document_id
    assert found["contextDocumentIds"] == [document_id]
    assert found["approvalStrategy"] == "final_only"
    assert (found["workspaceId"], found["basketId"]) == ("ws_1", "b_1")
    assert found["metadata"] == {"team": "field", "workspaceId": "ws_1", "basketId": "b_1"}
    assert desk.asker.get(URL).json()["sessions"][0]["id"] == session_id


def test_a_rejection_needs_a_reason_and_is_kept(desk: Desk) -> None:
    ids = desk.waiting()
    assert desk.decide(ids, "reject", json={}).status_code == 422
    rejected = desk.decide(ids, "reject", json={"reason": "Too thin."})
    assert rejected.json()["message"] == "Checkpoint rejected successfully"
    assert rejected.json()["checkpoint"]["rejectionReason"] == "Too thin."
    late = desk.decide(ids, "approve")
    assert (late.status_code, late.json()["currentStatus"]) == (409, "REJECTED")
    assert late.json()["decidedBy"] == "reviewer"
    desk.run()
    assert desk.status(ids[0])["status"] == "failed"


def test_a_repetition_is_marked(desk: Desk) -> None:
    key = {"Idempotency-Key": "k1"}
    first, again = (desk.asker.post(URL, json=ASK, headers=key) for _ in range(2))
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json() == first.json()
    ids = desk.waiting()
    decided = [desk.decide(ids, "approve", headers=key) for _ in range(2)]
    assert [answer.status_code for answer in decided] == [200, 200]
    assert decided[1].headers["idempotent-replayed"] == "true"


def test_a_session_of_another_project_is_not_found(desk: Desk) -> None:
    session_id, checkpoint_id = desk.waiting()
    other = f"/api/projects/other/work-sessions/{session_id}"
    assert desk.asker.get(f"{other}/status").status_code == 404
    assert desk.asker.post(f"{other}/execute").status_code == 404
    decision = desk.reviewer.post(f"{other}/checkpoints/{checkpoint_id}/approve")
    assert decision.status_code == 404
    assert desk.asker.get("/api/projects/other/work-sessions").json()["sessions"] == []
    assert desk.decide((session_id, "chk_nope"), "approve").status_code == 404
    assert desk.status(session_id)["status"] == "pending_review"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"agentType": "noop"}, "agentType"),
        ({"taskConfiguration": {}}, "taskConfiguration.question"),
        (
            {"taskConfiguration": {"question": "?", "maxFindings": 99}},
            "taskConfiguration.maxFindings",
        ),
        ({"taskConfiguration": []}, "taskConfiguration"),
        ({"approvalStrategy": "never"}, "approvalStrategy"),
        ({"contextDocumentId": "doc_nope"}, "contextDocumentId"),
        ({"contextDocumentIds": ["x"] * 51}, "contextDocumentIds"),
        ({"autoExecute": "yes"}, "autoExecute"),
        ({"agent": "research"}, "agent"),
    ],
)
def test_what_an_agent_cannot_do_is_refused_by_field(
    desk: Desk, changes: dict[str, Any], field: str
) -> None:
    answer = desk.asker.post(URL, json={**ASK, **changes})
    assert answer.status_code == 422, answer.text
    assert [e["field"] for e in answer.json()["errors"]] == [field]


def test_a_project_is_any_text_in_the_address(desk: Desk) -> None:
    address = "/api/projects/Feld%20%26%20Hof-2/work-sessions"
    made = desk.asker.post(address, json=ASK)
    assert made.json()["session"]["projectId"] == "Feld & Hof-2"
    assert desk.asker.get(made.headers["location"]).status_code == 200
    too_long = f"/api/projects/{'x' * 201}/work-sessions"
    assert desk.asker.post(too_long, json=ASK).status_code == 422
    assert desk.asker.get(too_long).status_code == 422


def test_the_list_is_filtered_and_paged(desk: Desk) -> None:
    ids = [desk.create() for _ in range(3)]
    waiting, _ = desk.waiting()
    found = desk.asker.get(URL, params={"status": "pending_review"}).json()
    assert [s["id"] for s in found["sessions"]] == [waiting]
    assert found["pagination"]["total"] == 1
    first = desk.asker.get(URL, params={"limit": 2}).json()
    cursor = first["pagination"]["nextCursor"]
    rest = desk.asker.get(URL, params={"limit": 2, "cursor": cursor}).json()
    seen = [s["id"] for s in first["sessions"] + rest["sessions"]]
    assert seen == [waiting, *ids[::-1]]
    assert desk.asker.get(URL, params={"status": "WAITING"}).status_code == 422
    assert desk.asker.get(URL, params={"colour": "red"}).status_code == 422


def test_each_role_may_do_its_part(desk: Desk) -> None:
    session_id, checkpoint_id = desk.waiting()
    viewer = desk.door.as_role(Role.VIEWER)
    assert viewer.get(f"{URL}/{session_id}/status").status_code == 200
    assert viewer.post(URL, json=ASK).status_code == 403
    assert viewer.post(f"{URL}/{session_id}/execute").status_code == 403
    assert desk.reviewer.post(URL, json=ASK).status_code == 403
    decision = f"{URL}/{session_id}/checkpoints/{checkpoint_id}/approve"
    assert desk.asker.post(decision).status_code == 403
    assert desk.door.client().get(URL).status_code == 401
    assert desk.reviewer.post(decision).status_code == 200


def test_templates_are_kept_listed_and_deleted(desk: Desk) -> None:
    url = "/api/configuration-templates"
    body = {"name": "Thorough", "agentType": "research", "taskConfiguration": {"maxFindings": 12}}
    made = desk.asker.post(url, json=body)
    assert made.status_code == 201
    template = made.json()["template"]
    assert template["approvalStrategy"] is None
    assert desk.asker.post(url, json=body).status_code == 409
    assert desk.asker.get(url).json() == {"success": True, "templates": [template]}
    assert desk.asker.get(url, params={"agentType": "content"}).json()["templates"] == []
    assert desk.reviewer.get(url).json()["templates"] == []
    stranger = desk.door.as_role(Role.ADMIN)
    assert stranger.delete(f"{url}/{template['id']}").status_code == 404
    assert desk.asker.delete(f"{url}/{template['id']}").json() == {"success": True}
    assert desk.asker.delete(f"{url}/{template['id']}").status_code == 404
    assert desk.asker.post(url, json={**body, "agentType": "noop"}).status_code == 422
    assert desk.reviewer.post(url, json=body).status_code == 403


def test_a_document_of_a_session_stays_and_its_project_is_listed(desk: Desk) -> None:
    asker, documents = desk.asker, "/api/context-documents"
    body = {"title": "Plan", "content": "It starts with two sites."}
    document = asker.post(documents, json=body).json()["document"]["id"]
    session = desk.create(contextDocumentId=document)
    refused = asker.delete(f"{documents}/{document}")
    assert (refused.status_code, refused.json()["jobId"]) == (409, session)
    assert asker.get(f"{documents}/{document}").json()["document"]["firstJobId"] == session
    (project,) = asker.get("/api/projects").json()["projects"]
    assert (project["id"], project["latestSessionId"]) == ("rollout", session)
    assert project["pendingReview"] == 0
    (listed,) = asker.get(URL).json()["sessions"]
    assert listed["hasFindings"] is False
    viewer = desk.door.as_role(Role.VIEWER)
    assert viewer.delete(f"{documents}/{document}").status_code == 403
    assert viewer.patch(f"{documents}/{document}", json={"action": "archive"}).status_code == 403
    assert asker.patch(f"{documents}/{document}", json={"action": "archive"}).status_code == 200
    again = asker.post(URL, json={**ASK, "contextDocumentId": document})
    assert again.status_code == 422
    assert again.json()["errors"][0]["field"] == "contextDocumentId"
