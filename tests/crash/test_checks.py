"""The harness must notice: a check that never complains proves nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent_console.domain.events import Event
from agent_console.domain.jobs import JobVerb
from agent_console.domain.usage import Usage
from agent_console.store.database import Database
from agent_console.store.finishes import finish
from agent_console.store.run_usage import record_usage
from agent_console.store.runs import record_step, suspend
from tests.crash import checks, handlers
from tests.crash.sink import Sink
from tests.support.factories import enqueue
from tests.support.runs import checkpoint, claim_one, decide, end, step


def told(found: object, *words: str) -> bool:
    return any(all(word in line for word in words) for line in found)  # type: ignore[attr-defined]


def test_a_repeated_step_and_an_unapproved_effect_are_noticed(db: Database, tmp_path: Path) -> None:
    sink = Sink(tmp_path, db)
    enqueue(db, "deploy")
    key = claim_one(db).key
    sink.apply(f"{key.job_id}:0", "build")
    assert sink.offences() == []
    record_step(db, key, step(0))
    sink.apply(f"{key.job_id}:0", "build")
    checkpoint_id = suspend(db, key, checkpoint(1))
    sink.apply(f"{key.job_id}:2", "apply", checkpoint_id)
    found = list(checks.effects(db, sink))
    assert told(found, "recorded step was repeated")
    assert told(found, "without an approval")


def test_an_effect_too_many_or_too_few_is_noticed(db: Database, tmp_path: Path) -> None:
    sink = Sink(tmp_path, db)
    job_id = enqueue(db, "quick")
    key = claim_one(db).key
    record_step(db, key, step(0))
    finish(db, [end(key)])
    assert told(checks.effects(db, sink), job_id, "not 1 effects")
    sink.apply(f"{job_id}:1", "build")
    assert list(checks.effects(db, sink)) == []
    sink.apply(f"{job_id}:2", "build")
    assert told(checks.effects(db, sink), job_id, "not 1 effects")


def test_a_job_without_an_end_is_noticed(db: Database) -> None:
    job_id = enqueue(db, "quick")
    assert told(checks.nothing_stuck(db), job_id, "stuck in PENDING")
    key = claim_one(db).key
    assert told(checks.nothing_stuck(db), job_id, "still held")
    finish(db, [end(key, JobVerb.FAIL)])
    assert told(checks.nothing_stuck(db), job_id, "is FAILED, not COMPLETED")


@pytest.mark.rows_by_hand
def test_a_state_that_the_journal_does_not_lead_to_is_noticed(db: Database) -> None:
    job_id = enqueue(db, "quick")
    claim_one(db)
    assert list(checks.journal_agrees(db)) == []
    db.write(lambda tx: tx.execute("UPDATE ai_jobs SET attempts = 2"))
    assert told(checks.journal_agrees(db), job_id, "charged 2 attempts")
    db.write(lambda tx: tx.execute("UPDATE ai_jobs SET status = 'WAITING'"))
    assert told(checks.journal_agrees(db), job_id, "its journal ends in RUNNING")
    odd = Event(action="job.completed", job_id=job_id, before="PENDING", after="COMPLETED")
    db.write(lambda tx: tx.record(odd))
    assert told(checks.journal_agrees(db), job_id, "not legal")
    assert told(checks.journal_agrees(db), job_id, "but it was RUNNING")


@pytest.mark.rows_by_hand
def test_tallies_that_differ_are_noticed(db: Database) -> None:
    enqueue(db, "quick")
    assert list(checks.counted(db)) == []
    db.write(lambda tx: tx.execute("UPDATE tally_deltas SET value = value + 1"))
    assert told(checks.counted(db), "not the journal's")
    assert told(checks.counted(db), "jobs_now PENDING: the sum is 2, there are 1")


def test_usage_that_is_counted_twice_or_not_at_all_is_noticed(db: Database) -> None:
    job_id = enqueue(db, "agent")
    key = claim_one(db).key
    assert told(checks.spent(db), job_id, "counted 0 calls")
    tokens, out, dollars = handlers.USED
    used = Usage.of(tokens, out, dollars)
    record_usage(db, key, step(0, kind="usage", name="model"), used, "agent")
    assert list(checks.spent(db)) == []
    record_usage(db, key, step(1, kind="usage", name="model"), used, "agent")
    assert told(checks.spent(db), job_id, "counted 2 calls")
    assert told(checks.spent(db), "agent_cost_micros", "is 2000.0, not 1000")


def test_a_person_where_the_policy_should_have_decided_is_noticed(db: Database) -> None:
    enqueue(db, "agent")
    decide(db, suspend(db, claim_one(db).key, checkpoint()))
    assert told(checks.spent(db), "was approved by Ray")
