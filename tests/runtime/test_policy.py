"""Approvals by policy: recorded like a person's, given to low risk only, and never guessed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agent_console import Finding, JobContext, Severity, handler
from agent_console.domain.changes import FileChange
from agent_console.domain.jobs import JobStatus, Json
from agent_console.domain.payload import digest
from agent_console.domain.risk_rules import RiskPolicy, assessors
from agent_console.store.database import Database
from tests.runtime.desk import Desk

AUTO = "auto_approve_low_risk"
MARKER = "TO-DO".replace("-", "")
LOW = Finding(Severity.LOW, "style", "A long sentence.", "data.text")


def asking(**asked: Any) -> Any:
    """Return a handler that asks for approval with these arguments, between two steps."""

    @handler("test")
    def work(ctx: JobContext) -> dict[str, Json]:
        ctx.step("before", lambda: 1)
        decision = ctx.approve("May I?", action="publish", **asked)
        ctx.step("after", lambda: 2)
        return {
            "by": decision.approved_by,
            "data": decision.data,
            "edited": decision.edited,
            "feedback": decision.feedback,
            "checkpoint": decision.checkpoint_id,
        }

    return work


def test_low_risk_goes_on_at_once_with_a_decision_by_policy(desk: Desk) -> None:
    desk.add(asking(data={"n": 1}, findings=[LOW], confidence=0.9))
    job_id = desk.enqueue(approval_strategy=AUTO)
    assert desk.run() == 1
    job = desk.job(job_id)
    assert job.status is JobStatus.COMPLETED
    (row,) = desk.rows("SELECT * FROM agent_checkpoints")
    assert job.output_data == {
        "by": "policy",
        "data": {"n": 1},
        "edited": False,
        "feedback": "",
        "checkpoint": row["id"],
    }
    payload = json.loads(row["payload"])
    assert payload["findings"] == [LOW.to_json()]
    assert row["payload_digest"] == row["decision_digest"] == digest(row["payload"])
    assert (row["status"], row["checkpoint_type"]) == ("APPROVED", "APPROVAL_REQUIRED")
    assert (row["approved_by"], row["approved_by_name"]) == ("policy", "policy")
    assert row["approved_at"] is not None
    assert desk.steps(job_id) == [
        (0, "step", "before"),
        (1, "approve", "publish"),
        (2, "step", "after"),
    ]


def test_the_journal_names_the_policy_and_what_it_saw(desk: Desk) -> None:
    desk.add(asking(data={"n": 1}, findings=[LOW]))
    job_id = desk.enqueue(approval_strategy=AUTO)
    desk.run()
    actions = desk.actions(job_id)
    assert actions[2:4] == ["checkpoint.created", "checkpoint.approved"]
    assert "job.waiting" not in actions
    (entry,) = desk.rows("SELECT * FROM audit_logs WHERE action = 'checkpoint.approved'")
    assert (entry["actor_kind"], entry["actor_name"]) == ("policy", "policy")
    assert (entry["before"], entry["after"], entry["verdict"]) == ("PENDING", "APPROVED", "approve")
    said = json.loads(entry["data"])
    (row,) = desk.rows("SELECT payload_digest FROM agent_checkpoints")
    assert said["payloadDigest"] == row["payload_digest"]
    assert said["findings"] == [LOW.to_json()]
    assert said["strategy"] == AUTO


@pytest.mark.parametrize("strategy", [None, "checkpoint_required", "final_only"])
def test_other_strategies_always_ask(desk: Desk, strategy: str | None) -> None:
    desk.add(asking(data={"n": 1}, auto=True))
    job_id = desk.enqueue(approval_strategy=strategy)
    desk.run()
    assert desk.job(job_id).status is JobStatus.WAITING


RISKY: list[dict[str, Any]] = [
    {"findings": [Finding(Severity.MEDIUM, "impact", "Goes to all customers.")]},
    {"findings": [LOW, Finding(Severity.HIGH, "impact", "Cannot be undone.")]},
    {"data": {"text": f"{MARKER}: write this"}},
    {"data": {"password": "hunter2"}},
    {"data": {"text": "hid\u200bden"}},
    {"confidence": 0.5},
    {"changes": [FileChange(".env", None, "A=1\n")]},
    {"auto": False},
]


@pytest.mark.parametrize("asked", RISKY)
def test_a_person_is_asked_where_risk_is_not_low(desk: Desk, asked: dict[str, Any]) -> None:
    desk.add(asking(**asked))
    job_id = desk.enqueue(approval_strategy=AUTO)
    desk.run()
    assert desk.job(job_id).status is JobStatus.WAITING
    assert desk.open_checkpoint(job_id)["approved_by"] is None
    desk.approve(job_id)
    desk.run()
    output = desk.job(job_id).output_data
    assert isinstance(output, dict)
    assert output["by"] == "Rita Reviewer"


class Odd:
    """A change of a form that cannot be pictured."""

    def to_json(self) -> dict[str, Json]:
        return {"kind": "spell", "words": 3}


def test_what_cannot_be_inspected_is_never_approved_by_policy(desk: Desk) -> None:
    desk.add(asking(changes=[Odd()]))
    job_id = desk.enqueue(approval_strategy=AUTO)
    desk.run()
    assert desk.job(job_id).status is JobStatus.WAITING
    (finding,) = json.loads(desk.open_checkpoint(job_id)["payload"])["findings"]
    assert (finding["severity"], finding["rule"]) == ("HIGH", "uninspectable")


def test_a_later_run_returns_the_policys_decision_and_asks_nobody(desk: Desk) -> None:
    decisions: list[str] = []

    @handler("test")
    def work(ctx: JobContext) -> str:
        decision = ctx.approve("May I?", data={"n": 1}, action="go", findings=[LOW])
        decisions.append(f"{decision.approved_by} {decision.checkpoint_id}")
        if ctx.job.attempt == 1:
            raise ConnectionError("try me again")
        return "done"

    desk.add(work)
    job_id = desk.enqueue(approval_strategy=AUTO)
    desk.run()
    desk.clock.advance(600)
    desk.run()
    assert desk.job(job_id).output_data == "done"
    assert len(decisions) == 2
    assert decisions[0] == decisions[1]
    (row,) = desk.rows("SELECT count(*) AS n FROM agent_checkpoints")
    assert row["n"] == 1


def test_findings_stay_as_they_were_shown_when_assessors_learn(desk: Desk) -> None:
    desk.add(asking(data={"text": f"{MARKER}: write this"}, confidence=0.5))
    job_id = desk.enqueue()
    desk.run()
    desk.approve(job_id)
    desk.assessors = ()
    desk.run()
    assert desk.job(job_id).status is JobStatus.COMPLETED


@pytest.mark.parametrize(
    ("settings", "status"),
    [
        ({}, JobStatus.WAITING),
        ({"confident": 0.3, "doubtful": 0.2}, JobStatus.COMPLETED),
        ({"assessors": ("secrets", "paths")}, JobStatus.COMPLETED),
        ({"assessors": ("confidence",)}, JobStatus.WAITING),
    ],
)
def test_what_is_low_risk_is_a_matter_of_settings(
    desk: Desk, settings: dict[str, Any], status: JobStatus
) -> None:
    desk.assessors = assessors(RiskPolicy(**settings))
    desk.add(asking(data={"n": 1}, confidence=0.5))
    job_id = desk.enqueue(approval_strategy=AUTO)
    desk.run()
    assert desk.job(job_id).status is status


def test_a_payload_changed_after_a_policy_approved_it_goes_to_a_person(
    desk: Desk, clocked_db: Database
) -> None:
    @handler("test")
    def work(ctx: JobContext) -> None:
        ctx.approve("May I?", data={"n": 1}, action="go")
        if ctx.job.attempt == 1:
            raise ConnectionError("try me again")

    desk.add(work)
    job_id = desk.enqueue(approval_strategy=AUTO)
    desk.run()
    (row,) = desk.rows("SELECT payload FROM agent_checkpoints")
    forged = row["payload"].replace('"n":1', '"n":9')
    clocked_db.write(
        lambda tx: tx.execute("UPDATE agent_checkpoints SET payload = :p", {"p": forged})
    )
    desk.clock.advance(600)
    desk.run()
    assert desk.job(job_id).status is JobStatus.WAITING
    assert desk.open_checkpoint(job_id)["approved_by"] is None


@pytest.mark.rows_by_hand
def test_a_run_that_lost_its_job_gets_no_approval_by_policy(
    desk: Desk, clocked_db: Database
) -> None:
    @handler("test")
    def work(ctx: JobContext) -> None:
        clocked_db.write(
            lambda tx: tx.execute(
                "UPDATE ai_jobs SET claim_token = claim_token + 1, status = 'PAUSED'"
            )
        )
        ctx.approve("May I?", data={"n": 1}, action="go")

    desk.add(work)
    job_id = desk.enqueue(approval_strategy=AUTO)
    desk.run()
    assert desk.job(job_id).status is JobStatus.PAUSED
    assert desk.rows("SELECT id FROM agent_checkpoints") == []
    assert desk.steps(job_id) == []


def test_a_payload_without_findings_reads_as_it_always_did(desk: Desk) -> None:
    desk.add(asking(data={"n": 1}))
    job_id = desk.enqueue()
    desk.run()
    payload = desk.open_checkpoint(job_id)["payload"]
    assert payload == '{"action":"publish","changes":[],"data":{"n":1}}'
