"""Approval by the rule of a review policy: at once, journaled with its version, or in shadow."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from agent_console import Finding, JobContext, Severity, handler
from agent_console.domain.access import local_operator
from agent_console.domain.errors import LostClaim
from agent_console.domain.jobs import JobStatus
from agent_console.domain.review_policies import LIMITS, Automatic, ReviewPolicy, Terms
from agent_console.store import review_policies
from agent_console.store.database import Database
from agent_console.store.policy_approvals import put_up
from tests.runtime.desk import Desk
from tests.support.factories import enqueue
from tests.support.runs import checkpoint, claim_one

ROOT = local_operator("root")
SHADOW = Automatic(up_to="LOW", shadow=True)


def asking(**asked: Any) -> Any:
    @handler("test")
    def work(ctx: JobContext) -> str:
        return ctx.approve("May I?", action="publish", data={"n": 1}, **asked).approved_by

    return work


def found(severity: str) -> dict[str, Any]:
    return {
        "findings": [Finding(Severity(severity), "style", "Odd.")] if severity != "NONE" else []
    }


def save(db: Database, automatic: Automatic, action: str = "", **terms: Any) -> ReviewPolicy:
    made = Terms(automatic=automatic, **terms)
    return db.write(
        lambda tx: review_policies.save(tx, "test", action, made, base_version=None, actor=ROOT)
    )


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("severity", ["NONE", "LOW", "MEDIUM", "HIGH", "CRITICAL"])
def test_what_is_no_graver_than_the_policy_says_needs_nobody(
    desk: Desk, clocked_db: Database, limit: str, severity: str
) -> None:
    save(clocked_db, Automatic(up_to=limit), required_approvals=2)
    desk.add(asking(**found(severity)))
    job_id = desk.enqueue()
    desk.run()
    order = ["NONE", "LOW", "MEDIUM", "HIGH", "CRITICAL"]
    within = order.index(severity) <= order.index(limit)
    assert desk.job(job_id).status is (JobStatus.COMPLETED if within else JobStatus.WAITING)
    if within:
        assert desk.job(job_id).output_data == "policy"


def test_the_decision_names_the_version_in_checkpoint_and_journal(
    desk: Desk, clocked_db: Database
) -> None:
    save(clocked_db, Automatic(), note="one")
    policy = save(clocked_db, Automatic(up_to="LOW"))
    desk.add(asking(**found("LOW")))
    job_id = desk.enqueue()
    desk.run()
    (row,) = desk.rows("SELECT * FROM agent_checkpoints")
    assert (row["status"], row["approved_by"], row["policy_id"]) == (
        "APPROVED", "policy", policy.id,
    )  # fmt: skip
    assert (row["rule_id"], row["rule_shadow"], row["insists"]) == (policy.id, 0, 0)
    assert row["decision_digest"] == row["payload_digest"]
    (entry,) = desk.rows("SELECT * FROM audit_logs WHERE action = 'checkpoint.approved'")
    said = json.loads(entry["data"])
    assert entry["actor_kind"] == "policy"
    assert said["policy"] == {"id": policy.id, "jobType": "test", "action": "", "version": 2}
    assert (said["automaticUpTo"], said["risk"]) == ("LOW", "LOW")
    assert "strategy" not in said
    assert "job.waiting" not in desk.actions(job_id)


@pytest.mark.parametrize("asked", [{"auto": False}, {}])
def test_who_wants_a_person_gets_one(desk: Desk, clocked_db: Database, asked: Any) -> None:
    save(clocked_db, Automatic(up_to="HIGH"))
    desk.add(asking(**asked))
    job_id = desk.enqueue(approval_strategy=None if asked else "checkpoint_required")
    desk.run()
    assert desk.job(job_id).status is JobStatus.WAITING
    row = desk.open_checkpoint(job_id)
    assert (row["insists"], row["rule_id"]) == (1, None)


def test_the_most_exact_policy_speaks(desk: Desk, clocked_db: Database) -> None:
    save(clocked_db, Automatic(up_to="HIGH"))
    save(clocked_db, Automatic(), action="publish")
    desk.add(asking())
    job_id = desk.enqueue()
    desk.run()
    assert desk.job(job_id).status is JobStatus.WAITING


def test_a_rule_in_shadow_decides_nothing_and_says_what_it_would_have(
    desk: Desk, clocked_db: Database
) -> None:
    policy = save(clocked_db, SHADOW)
    desk.add(asking(**found("LOW")))
    job_id = desk.enqueue()
    desk.run()
    assert desk.job(job_id).status is JobStatus.WAITING
    row = desk.open_checkpoint(job_id)
    assert (row["rule_id"], row["rule_shadow"], row["policy_id"]) == (policy.id, 1, None)
    (entry,) = desk.rows("SELECT data FROM audit_logs WHERE action = 'checkpoint.created'")
    assert json.loads(entry["data"])["shadow"]["version"] == 1


def test_a_rule_in_shadow_is_silent_on_what_it_would_not_approve(
    desk: Desk, clocked_db: Database
) -> None:
    save(clocked_db, SHADOW)
    desk.add(asking(**found("MEDIUM")))
    job_id = desk.enqueue()
    desk.run()
    assert desk.open_checkpoint(job_id)["rule_id"] is None


def test_a_jobs_strategy_goes_on_beside_a_rule_in_shadow(desk: Desk, clocked_db: Database) -> None:
    save(clocked_db, SHADOW)
    desk.add(asking())
    job_id = desk.enqueue(approval_strategy="auto_approve_low_risk")
    desk.run()
    assert desk.job(job_id).status is JobStatus.COMPLETED
    (row,) = desk.rows("SELECT rule_id, policy_id FROM agent_checkpoints")
    assert row == {"rule_id": None, "policy_id": None}


def test_a_version_that_is_superseded_meanwhile_approves_nothing(db: Database) -> None:
    """Whoever saves another version waits for approvals under way; after that there is none."""
    made = Terms(automatic=Automatic(up_to="LOW"))
    write = review_policies.save
    db.write(lambda tx: write(tx, "noop", "", made, base_version=None, actor=ROOT))
    keys = [claim_one(db).key for _ in range(6) if enqueue(db)]
    go = threading.Barrier(len(keys) + 1)
    results: list[bool] = []

    def ask(number: int) -> None:
        go.wait()
        results.append(put_up(db, keys[number], checkpoint(0)).approved)

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(len(keys))]
    for thread in threads:
        thread.start()
    go.wait()
    off = replace(made, automatic=Automatic())
    db.write(lambda tx: write(tx, "noop", "", off, base_version=1, actor=ROOT))
    with db.read() as reader:
        after = reader.rows("SELECT id FROM agent_checkpoints WHERE status = 'APPROVED'")
    for thread in threads:
        thread.join()
    with db.read() as reader:
        assert reader.rows("SELECT id FROM agent_checkpoints WHERE status = 'APPROVED'") == after
    assert results.count(True) == len(after)
    assert len(results) == len(keys)


def test_a_checkpoint_whose_time_is_over_at_once_waits_to_expire(clocked_db: Database) -> None:
    save(clocked_db, Automatic(up_to="LOW"))
    enqueue(clocked_db, "test")
    key = claim_one(clocked_db).key
    new = replace(checkpoint(0), job_type="test")
    assert not put_up(clocked_db, key, replace(new, expires_in=timedelta(0))).approved
    with clocked_db.read() as reader:
        assert reader.rows("SELECT status FROM agent_checkpoints") == [("PENDING",)]
        assert reader.rows("SELECT status FROM ai_jobs") == [("WAITING",)]
    with pytest.raises(LostClaim):
        put_up(clocked_db, key, replace(new, step=replace(new.step, position=1)))
