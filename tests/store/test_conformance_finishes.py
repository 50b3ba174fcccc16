from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from agent_console.domain.jobs import JobError, JobStatus, JobVerb
from agent_console.domain.payload import loads
from agent_console.store import job_writes
from agent_console.store.claims import claim, give_back
from agent_console.store.database import Database
from agent_console.store.finishes import finish
from agent_console.testing import FakeClock
from tests.support.factories import ADA, enqueue, enqueue_many
from tests.support.runs import claim_one, end, journal, line, row

WRONG = JobError("ValueError", "no such thing: 漢", "Traceback …")

ENDS: dict[JobVerb, tuple[JobStatus, dict[str, Any], str]] = {
    JobVerb.COMPLETE: (JobStatus.COMPLETED, {"output": '{"ok":true}'}, "job.completed"),
    JobVerb.FAIL: (JobStatus.FAILED, {"error": WRONG}, "job.failed"),
    JobVerb.RETRY_LATER: (JobStatus.QUEUED, {"error": WRONG, "delay": 9.0}, "job.retrying"),
    JobVerb.RELEASE: (JobStatus.QUEUED, {}, "job.released"),
    JobVerb.PARK: (JobStatus.PARKED, {"park_reason": "the code changed"}, "job.parked"),
}


@pytest.mark.parametrize("verb", ENDS)
def test_a_run_ends_as_it_says(db: Database, verb: JobVerb) -> None:
    status, facts, action = ENDS[verb]
    job_id = enqueue(db)
    key = claim_one(db).key
    assert finish(db, [end(key, verb, logs=[line(key, "last words")], **facts)]) == {job_id}
    stored = row(db, job_id)
    assert (stored["status"], stored["worker_id"], stored["claims"]) == (status, None, 0)
    assert (stored["completed_at"] is not None) == (status in {"COMPLETED", "FAILED"})
    assert stored["park_reason"] == facts.get("park_reason")
    assert stored["output_data"] == facts.get("output")
    if "error" in facts:
        assert loads(stored["error"]) == {
            "type": WRONG.type,
            "message": WRONG.message,
            "traceback": WRONG.traceback,
        }
    assert journal(db, job_id)[-1] == (action, "RUNNING", status)
    with db.read() as reader:
        assert reader.rows("SELECT message FROM agent_logs") == [("last words",)]


def test_a_batch_of_every_kind_is_one_transaction(db: Database) -> None:
    enqueue_many(db, 5)
    keys = [c.key for c in claim(db, "w1", 5)]
    batch = [end(key, verb, **ENDS[verb][1]) for key, verb in zip(keys, ENDS, strict=True)]
    assert finish(db, batch) == {key.job_id for key in keys}
    for key, verb in zip(keys, ENDS, strict=True):
        assert row(db, key.job_id)["status"] == ENDS[verb][0]


def test_a_canceled_job_does_not_accept_an_outcome_and_spoils_no_batch(db: Database) -> None:
    enqueue_many(db, 3)
    first, gone, third = (c.key for c in claim(db, "w1", 3))
    db.write(lambda tx: job_writes.control(tx, gone.job_id, JobVerb.CANCEL, ADA))
    accepted = finish(db, [end(key, output='"late"') for key in (first, gone, third)])
    assert accepted == {first.job_id, third.job_id}
    stored = row(db, gone.job_id)
    assert (stored["status"], stored["output_data"]) == (JobStatus.CANCELED, None)
    assert journal(db, gone.job_id)[-1] == ("job.canceled", "RUNNING", "CANCELED")


def test_a_stale_outcome_beside_the_true_one_in_a_batch_leaves_no_trace(db: Database) -> None:
    job_id = enqueue(db)
    stale = claim_one(db).key
    give_back(db, [stale])
    key = claim_one(db).key  # the same worker: its finisher may find both ends ready
    assert finish(db, [end(stale, JobVerb.FAIL), end(key)]) == {job_id}
    assert journal(db, job_id)[-1] == ("job.completed", "RUNNING", "COMPLETED")
    assert [action for action, _, _ in journal(db, job_id)].count("job.failed") == 0


def test_the_same_outcome_twice_counts_once(db: Database) -> None:
    job_id = enqueue(db)
    key = claim_one(db).key
    assert finish(db, [end(key)]) == {job_id}
    assert finish(db, [end(key)]) == set()
    assert [action for action, _, _ in journal(db, job_id)].count("job.completed") == 1


def test_a_retry_waits_its_delay(clocked_db: Database, fake_clock: FakeClock) -> None:
    enqueue(clocked_db)
    key = claim_one(clocked_db).key
    finish(clocked_db, [end(key, JobVerb.RETRY_LATER, error=WRONG, delay=2.5)])
    fake_clock.advance(timedelta(seconds=2.499999))
    assert claim(clocked_db, "w1", 1) == []
    fake_clock.advance(timedelta(microseconds=1))
    assert claim_one(clocked_db).attempt == 2


def test_a_released_run_is_not_charged(db: Database) -> None:
    enqueue(db)
    finish(db, [end(claim_one(db).key, JobVerb.RELEASE)])
    assert claim_one(db).attempt == 1


def test_success_forgets_the_error_of_an_earlier_attempt(db: Database) -> None:
    job_id = enqueue(db)
    finish(db, [end(claim_one(db).key, JobVerb.RETRY_LATER, error=WRONG)])
    assert row(db, job_id)["error"] is not None
    finish(db, [end(claim_one(db).key, output='{"n":1180591620717411303424}')])
    stored = row(db, job_id)
    assert stored["error"] is None
    assert loads(stored["output_data"]) == {"n": 2**70}


def test_the_duration_is_measured_by_the_databases_clock(
    clocked_db: Database, fake_clock: FakeClock
) -> None:
    seen = []
    clocked_db.subscribe(seen.extend)
    enqueue(clocked_db)
    key = claim_one(clocked_db).key
    fake_clock.advance(12.5)
    finish(clocked_db, [end(key)])
    assert [e.seconds for e in seen if e.action == "job.completed"] == [12.5]
