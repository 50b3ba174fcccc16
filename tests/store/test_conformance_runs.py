from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agent_console.domain.checkpoints import CheckpointStatus, CheckpointType, CheckpointVerb
from agent_console.domain.errors import LostClaim
from agent_console.domain.jobs import JobStatus, JobVerb, Progress
from agent_console.store import job_writes
from agent_console.store.database import Database
from agent_console.store.engine_values import RunKey
from agent_console.store.finishes import finish
from agent_console.store.run_records import load_record
from agent_console.store.runs import (
    append_logs,
    record_note,
    record_step,
    save_artifact,
    set_progress,
    suspend,
    wait_again,
)
from tests.support.factories import ADA, enqueue
from tests.support.runs import (
    AT,
    artifact,
    checkpoint,
    claim_one,
    decide,
    end,
    journal,
    line,
    row,
    step,
)

BIG = {"n": 2**200, "m": -(2**64), "text": "漢字 ✓ \U0001f600", "empty": {}, "list": [1, 2.5, None]}


def count(db: Database, table: str) -> int:
    with db.read() as reader:
        found = reader.row(f"SELECT count(*) FROM {table}")
    assert found is not None
    return int(found[0])


def test_a_recorded_step_comes_back_exactly(db: Database) -> None:
    job_id = enqueue(db)
    key = claim_one(db).key
    record_step(db, key, step(0, BIG))
    record_step(db, key, step(1, None, name="second"))
    first, second = load_record(db, job_id).steps
    assert first.result == BIG
    assert first.started_at == AT
    assert (first.position, first.kind, first.name) == (0, "step", "s")
    assert (second.result, second.name) == (None, "second")


def test_an_approval_ends_the_run_and_its_decision_joins_the_record(db: Database) -> None:
    job_id = enqueue(db)
    key = claim_one(db).key
    record_step(db, key, step(0, 1))
    checkpoint_id = suspend(db, key, checkpoint(1, BIG), [line(key, "asking")])
    waiting = row(db, job_id)
    assert (waiting["status"], waiting["worker_id"]) == (JobStatus.WAITING, None)
    record = load_record(db, job_id)
    assert [s.kind for s in record.steps] == ["step", "approve"]
    assert record.decisions[1].status is CheckpointStatus.PENDING
    decide(db, checkpoint_id, edited_data=BIG)
    decision = load_record(db, job_id).decisions[1]
    assert decision.checkpoint_id == checkpoint_id
    assert decision.status is CheckpointStatus.APPROVED
    assert (decision.decided_by, decision.decided_by_name) == ("usr_ray", "Ray")
    assert decision.edited_data is not None
    assert str(2**200) in decision.edited_data
    assert row(db, job_id)["status"] == JobStatus.QUEUED
    assert count(db, "agent_logs") == 1


def test_a_rejection_wakes_the_job_to_hear_of_it(db: Database) -> None:
    job_id = enqueue(db)
    checkpoint_id = suspend(db, claim_one(db).key, checkpoint())
    decide(db, checkpoint_id, CheckpointVerb.REJECT, reason="not like this")
    assert row(db, job_id)["status"] == JobStatus.QUEUED
    assert load_record(db, job_id).decisions[0].rejection_reason == "not like this"
    assert claim_one(db).attempt == 1


def test_notes_are_born_approved_and_wait_for_nobody(db: Database) -> None:
    job_id = enqueue(db)
    key = claim_one(db).key
    record_note(db, key, checkpoint(0, kind=CheckpointType.INFO))
    record_note(db, key, checkpoint(1, kind=CheckpointType.ERROR))
    with db.read() as reader:
        rows = reader.rows(
            "SELECT checkpoint_type, status, approved_by, expires_at FROM agent_checkpoints"
            " ORDER BY position"
        )
    assert rows == [("INFO", "APPROVED", None, None), ("ERROR", "APPROVED", None, None)]
    assert row(db, job_id)["status"] == JobStatus.RUNNING
    assert [s.kind for s in load_record(db, job_id).steps] == ["info", "error"]


def test_an_artifact_is_saved_with_its_step(db: Database) -> None:
    job_id = enqueue(db)
    key = claim_one(db).key
    artifact_id = save_artifact(db, key, artifact(0, "héllo"))
    with db.read() as reader:
        saved = reader.row("SELECT id, job_id, content, size FROM work_artifacts")
    assert saved == (artifact_id, job_id, "héllo", 6)
    assert [s.kind for s in load_record(db, job_id).steps] == ["artifact"]


def test_logs_keep_their_order_and_progress_its_last_word(db: Database) -> None:
    job_id = enqueue(db)
    key = claim_one(db).key
    append_logs(db, [line(key, f"line {n}") for n in range(300)])
    set_progress(db, key, Progress(0.5, "half"))
    with db.read() as reader:
        rows = reader.rows("SELECT message FROM agent_logs ORDER BY id")
    assert [message for (message,) in rows] == [f"line {n}" for n in range(300)]
    assert row(db, job_id)["progress"] == '{"fraction":0.5,"message":"half"}'


def canceled(db: Database, key: RunKey) -> None:
    db.write(lambda tx: job_writes.control(tx, key.job_id, JobVerb.CANCEL, ADA))


def paused(db: Database, key: RunKey) -> None:
    db.write(lambda tx: job_writes.control(tx, key.job_id, JobVerb.PAUSE, ADA))


def released(db: Database, key: RunKey) -> None:
    finish(db, [end(key, JobVerb.RELEASE)])


def released_and_claimed_again_by_the_same_worker(db: Database, key: RunKey) -> None:
    released(db, key)
    assert claim_one(db, key.worker_id).key.token > key.token


LOSSES = [canceled, paused, released, released_and_claimed_again_by_the_same_worker]

WRITES: dict[str, Callable[[Database, RunKey], Any]] = {
    "step": lambda db, key: record_step(db, key, step()),
    "note": lambda db, key: record_note(db, key, checkpoint(kind=CheckpointType.INFO)),
    "suspend": lambda db, key: suspend(db, key, checkpoint(), [line(key, "late")]),
    "wait again": lambda db, key: wait_again(db, key, "noop", [line(key, "late")]),
    "artifact": lambda db, key: save_artifact(db, key, artifact()),
    "progress": lambda db, key: set_progress(db, key, Progress(1.0)),
}


@pytest.mark.parametrize("lose", LOSSES)
@pytest.mark.parametrize("name", WRITES)
def test_a_stale_run_writes_nothing(
    db: Database, lose: Callable[[Database, RunKey], None], name: str
) -> None:
    job_id = enqueue(db)
    key = claim_one(db).key
    lose(db, key)
    before, entries = row(db, job_id), journal(db, job_id)
    with pytest.raises(LostClaim):
        WRITES[name](db, key)
    assert row(db, job_id) == before
    assert journal(db, job_id) == entries
    for table in ("job_steps", "agent_checkpoints", "work_artifacts", "agent_logs"):
        assert count(db, table) == 0


def test_log_lines_of_a_stale_run_are_dropped_and_others_kept(db: Database) -> None:
    enqueue(db)
    enqueue(db)
    stale, live = claim_one(db).key, claim_one(db).key
    canceled(db, stale)
    append_logs(db, [line(stale, "late"), line(live, "kept"), line(stale, "late too")])
    with db.read() as reader:
        assert reader.rows("SELECT job_id, message FROM agent_logs") == [(live.job_id, "kept")]


def test_a_position_is_recorded_once(db: Database) -> None:
    job_id = enqueue(db)
    key = claim_one(db).key
    record_step(db, key, step(0, "first"))
    with pytest.raises(Exception, match=r"(?i)unique|duplicate"):
        record_step(db, key, step(0, "second"))
    (kept,) = load_record(db, job_id).steps
    assert kept.result == "first"


@pytest.mark.rows_by_hand
def test_a_job_can_wait_again_at_its_open_checkpoint(db: Database) -> None:
    job_id = enqueue(db)
    checkpoint_id = suspend(db, claim_one(db).key, checkpoint())
    db.write(lambda tx: job_writes.control(tx, job_id, JobVerb.PAUSE, ADA))
    db.write(lambda tx: tx.execute("UPDATE ai_jobs SET status = 'QUEUED'"))  # as a rescue leaves it
    wait_again(db, claim_one(db).key, "noop")
    assert row(db, job_id)["status"] == JobStatus.WAITING
    decide(db, checkpoint_id)
    assert claim_one(db).attempt == 1
