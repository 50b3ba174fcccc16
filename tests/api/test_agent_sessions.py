"""The console's own agents over REST: every status, every strategy, and who is said to decide."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from starlette.testclient import TestClient

from agent_console.agents.factory import agents
from agent_console.domain.access import Role
from agent_console.domain.jobs import JobStatus
from agent_console.domain.sessions import STATUS_OF, SessionStatus
from agent_console.runtime.registry import Registry
from agent_console.store.job_writes import job
from agent_console.testing import drain
from tests.api.conftest import Door
from tests.support.runs import claim_one, start_worker

URL = "/api/projects/rollout/work-sessions"
WAVE = {"topic": "Lantern", "questions": ["When does wave 2 start?"], "maxFindings": 2}
DOUBTFUL = {"topic": "Lantern", "questions": ["How do penguins swim?"]}
PERSON = "token"  # a person who comes with an API token
DECIDED = {"checkpoint.approved", "checkpoint.rejected", "checkpoint.changes_requested"}


@dataclass
class Desk:
    """A door to a console with its own agents; one who asks, one who decides."""

    door: Door
    registry: Registry
    asker: TestClient
    reviewer: TestClient

    def create(self, task: dict[str, Any] = WAVE, run: bool = True, **fields: Any) -> str:
        """Make a session, and run it as far as it goes."""
        body = {"agentType": "research", "taskConfiguration": task, "autoExecute": True, **fields}
        answer = self.asker.post(URL, json=body)
        assert answer.status_code == 201, answer.text
        if run:
            self.run()
        return str(answer.json()["session"]["id"])

    def run(self) -> int:
        return drain(self.door.db, self.registry, clock=self.door.clock)

    def control(self, session: str, action: str) -> None:
        answer = self.asker.patch(f"/api/agent-jobs/{session}", json={"action": action})
        assert answer.status_code == 200, answer.text

    def status(self, session: str) -> dict[str, Any]:
        return dict(self.asker.get(f"{URL}/{session}/status").json()["session"])

    def open(self, session: str) -> list[dict[str, Any]]:
        return [one for one in self.status(session)["checkpoints"] if one["status"] == "PENDING"]

    def decide(self, session: str, verb: str, **body: Any) -> None:
        (asked,) = self.open(session)
        body["payloadDigest"] = asked["payloadDigest"]
        answer = self.reviewer.post(f"{URL}/{session}/checkpoints/{asked['id']}/{verb}", json=body)
        assert answer.status_code == 200, answer.text
        self.run()

    def actors(self, session: str) -> list[str]:
        """Return who decided, first to last, by the journal."""
        answer = self.door.as_role(Role.ADMIN).get("/api/audit", params={"jobId": session})
        entries = [one for one in answer.json()["entries"] if one["action"] in DECIDED]
        return [one["actorKind"] for one in reversed(entries)]


@pytest.fixture
def desk(make_door: Callable[..., Door]) -> Desk:
    registry = Registry(make() for _, make in agents())
    door = make_door(catalog=registry)
    return Desk(door, registry, door.as_role(Role.OPERATOR), door.as_role(Role.REVIEWER))


def completed(desk: Desk) -> str:
    return desk.create(approvalStrategy="auto_approve_low_risk")


def failed(desk: Desk) -> str:
    session = desk.create()
    desk.decide(session, "reject", reason="Not this quarter")
    return session


def queued(desk: Desk) -> str:
    session = desk.create()
    (asked,) = desk.open(session)
    desk.reviewer.post(f"{URL}/{session}/checkpoints/{asked['id']}/approve", json={})
    return session


def held(action: str) -> Callable[[Desk], str]:
    def make(desk: Desk) -> str:
        session = desk.create(run=False)
        desk.control(session, action)
        return session

    return make


def running(desk: Desk) -> str:
    session = desk.create(run=False)
    start_worker(desk.door.db)
    claim_one(desk.door.db)
    return session


def parked(desk: Desk) -> str:
    session = desk.create()
    made = [make() for origin, make in agents() if origin != "research.yaml"]
    (asked,) = desk.open(session)
    desk.reviewer.post(f"{URL}/{session}/checkpoints/{asked['id']}/approve", json={})
    drain(desk.door.db, Registry(made), clock=desk.door.clock)
    return session


WAYS: dict[JobStatus, Callable[[Desk], str]] = {
    JobStatus.INITIALIZED: lambda desk: desk.create(autoExecute=False),
    JobStatus.PENDING: lambda desk: desk.create(run=False),
    JobStatus.QUEUED: queued,
    JobStatus.RUNNING: running,
    JobStatus.WAITING: lambda desk: desk.create(),
    JobStatus.PAUSED: held("pause"),
    JobStatus.PARKED: parked,
    JobStatus.COMPLETED: completed,
    JobStatus.FAILED: failed,
    JobStatus.CANCELED: held("cancel"),
}


@pytest.mark.parametrize("status", JobStatus)
def test_every_status_of_a_job_is_seen_as_one_of_its_session(desk: Desk, status: JobStatus) -> None:
    session = WAYS[status](desk)
    assert desk.door.db.write(lambda tx: job(tx, session)).status is status
    seen = STATUS_OF[status]
    assert desk.status(session)["status"] == seen
    for other in SessionStatus:
        listed = desk.asker.get(URL, params={"status": other.value}).json()["sessions"]
        assert [one["id"] for one in listed] == ([session] if other is seen else [])


@pytest.mark.parametrize(
    ("strategy", "agent", "people"),
    [
        ("checkpoint_required", "research", 1),
        ("checkpoint_required", "content", 2),
        ("checkpoint_required", "reporting", 2),
        ("final_only", "research", 1),
        ("final_only", "content", 1),
        ("final_only", "reporting", 1),
    ],
)
def test_people_decide_as_often_as_the_strategy_says(
    desk: Desk, strategy: str, agent: str, people: int
) -> None:
    session = desk.create(agentType=agent, approvalStrategy=strategy)
    for _ in range(people):
        desk.decide(session, "approve")
    assert desk.status(session)["status"] == "completed"
    assert desk.actors(session) == [PERSON] * people


@pytest.mark.parametrize(("agent", "times"), [("research", 1), ("content", 2), ("reporting", 2)])
def test_a_policy_decides_low_risk_and_the_journal_says_so(
    desk: Desk, agent: str, times: int
) -> None:
    session = desk.create(agentType=agent, approvalStrategy="auto_approve_low_risk")
    assert desk.status(session)["status"] == "completed"
    assert desk.actors(session) == ["policy"] * times
    approved = desk.status(session)["checkpoints"]
    assert {one["approvedBy"] for one in approved} == {"policy"}


def test_a_person_decides_what_is_not_low_risk_and_every_round_after(desk: Desk) -> None:
    session = desk.create(DOUBTFUL, approvalStrategy="auto_approve_low_risk")
    (asked,) = desk.open(session)
    assert {"low-confidence", "no-findings"} <= {one["rule"] for one in asked["findings"]}
    desk.decide(session, "request-changes", feedback="When does wave 2 start?")
    (asked,) = desk.open(session)
    assert (asked["round"], asked["rounds"]) == (2, 3)
    desk.decide(session, "approve")
    assert desk.status(session)["status"] == "completed"
    assert desk.actors(session) == [PERSON, PERSON]
