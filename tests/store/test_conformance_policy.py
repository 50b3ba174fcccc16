from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from agent_console.domain.checkpoints import CheckpointStatus
from agent_console.domain.errors import LostClaim
from agent_console.domain.jobs import JobStatus
from agent_console.domain.usage import Usage
from agent_console.store import tallies
from agent_console.store.claims import claim
from agent_console.store.database import Database
from agent_console.store.engine_values import RunKey
from agent_console.store.policy_approvals import put_up
from agent_console.store.reads import usage
from agent_console.store.run_records import load_record
from agent_console.store.run_usage import record_usage
from tests.store.test_conformance_runs import LOSSES, count
from tests.support.factories import enqueue
from tests.support.runs import checkpoint, claim_one, journal, row, step

AUTO = "auto_approve_low_risk"
USED = Usage(1000, 50, 2_500)


def approve(db: Database, key: RunKey, position: int = 0) -> str:
    return put_up(db, key, checkpoint(position, {"n": 1}), AUTO).id


def spend(db: Database, key: RunKey, position: int = 0, model: str = "small") -> None:
    record_usage(db, key, step(position, kind="usage", name=model), USED, "noop")


def sums(db: Database, name: str) -> dict[str, int]:
    with db.read() as reader:
        rows = reader.rows(
            f"SELECT labels, sum(value) FROM {tallies.TOTALS} WHERE name = :n GROUP BY labels",
            {"n": name},
        )
    return {labels: int(value) for labels, value in rows}


def test_an_approval_by_policy_joins_the_record_and_the_run_goes_on(db: Database) -> None:
    job_id = enqueue(db)
    key = claim_one(db).key
    checkpoint_id = approve(db, key)
    assert row(db, job_id)["status"] == JobStatus.RUNNING
    record = load_record(db, job_id)
    assert [(s.kind, s.result) for s in record.steps] == [("approve", checkpoint_id)]
    decision = record.decisions[0]
    assert decision.checkpoint_id == checkpoint_id
    assert decision.status is CheckpointStatus.APPROVED
    assert (decision.decided_by, decision.decided_by_name) == ("policy", "policy")
    assert decision.decided_at is not None
    moves = [(action, before, after) for action, before, after in journal(db, job_id)]
    assert moves[-2:] == [
        ("checkpoint.created", None, "PENDING"),
        ("checkpoint.approved", "PENDING", "APPROVED"),
    ]
    assert sums(db, tallies.CHECKPOINTS_TOTAL) == {"PENDING": 1, "APPROVED": 1}


@pytest.mark.rows_by_hand
def test_its_digest_is_checked_by_the_claim_like_any_other(db: Database) -> None:
    job_id = enqueue(db)
    key = claim_one(db).key
    approve(db, key)
    requeue = "UPDATE ai_jobs SET status = 'QUEUED', worker_id = NULL, resuming = 1"
    db.write(lambda tx: tx.execute(requeue))
    assert claim_one(db).key.job_id == job_id, "what is untouched goes on"
    db.write(lambda tx: tx.execute(requeue))
    db.write(lambda tx: tx.execute("UPDATE agent_checkpoints SET payload = '{}'"))
    assert claim(db, "w1", 1) == []
    assert row(db, job_id)["status"] == JobStatus.WAITING
    assert load_record(db, job_id).decisions[0].status is CheckpointStatus.PENDING


def test_usage_is_kept_by_call_and_summed_by_model_and_for_all(db: Database) -> None:
    job_id = enqueue(db)
    key = claim_one(db).key
    for position, model in enumerate(["small", "large", "small"]):
        spend(db, key, position, model)
    with db.read() as reader:
        used = usage.of_job(reader, job_id)
    assert (used.calls, used.total) == (3, Usage(3000, 150, 7_500))
    assert [(each.model, each.calls, each.used.cost_micros) for each in used.models] == [
        ("small", 2, 5_000),
        ("large", 1, 2_500),
    ]
    assert sums(db, tallies.TOKENS_TOTAL) == {"input|noop": 3000, "output|noop": 150}
    assert sums(db, tallies.COST_MICROS) == {"noop": 7_500}
    with db.read() as reader:
        (found,) = reader.rows(
            "SELECT data FROM audit_logs WHERE action = 'usage.recorded' ORDER BY seq LIMIT 1"
        )
    assert json.loads(found[0]) == {
        "model": "small",
        "inputTokens": 1000,
        "outputTokens": 50,
        "costMicros": 2_500,
    }


def test_a_job_without_usage_has_none(db: Database) -> None:
    job_id = enqueue(db)
    with db.read() as reader:
        used = usage.of_job(reader, job_id)
    assert (used.calls, used.total, list(used.models)) == (0, Usage(), [])


@pytest.mark.parametrize("lose", LOSSES)
@pytest.mark.parametrize("write", [approve, spend])
def test_a_stale_run_neither_approves_nor_spends(
    db: Database, lose: Callable[[Database, RunKey], None], write: Callable[..., Any]
) -> None:
    job_id = enqueue(db)
    key = claim_one(db).key
    lose(db, key)
    before, entries = row(db, job_id), journal(db, job_id)
    with pytest.raises(LostClaim):
        write(db, key)
    assert row(db, job_id) == before
    assert journal(db, job_id) == entries
    for table in ("job_steps", "agent_checkpoints", "job_usage"):
        assert count(db, table) == 0


@pytest.mark.parametrize("write", [approve, spend])
def test_a_position_is_taken_once(db: Database, write: Callable[..., Any]) -> None:
    enqueue(db)
    key = claim_one(db).key
    write(db, key)
    with pytest.raises(Exception, match=r"(?i)unique|duplicate"):
        write(db, key)
    assert count(db, "job_steps") == 1
    assert count(db, "agent_checkpoints") + count(db, "job_usage") == 1
