"""How many there are: sums that are the rows after every verb, at every moment, for everybody."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Event
from typing import Any

import pytest

from agent_console.domain import events
from agent_console.domain.access import SYSTEM
from agent_console.domain.checkpoints import CheckpointVerb, Verdict
from agent_console.domain.jobs import JobStatus, JobVerb
from agent_console.domain.parking import ParkCode
from agent_console.domain.retention import Keep
from agent_console.store import (
    decisions,
    job_bulk,
    job_deletion,
    job_writes,
    parking,
    tally_mends,
    undo,
    waits,
)
from agent_console.store.claims import claim, give_back
from agent_console.store.database import Database
from agent_console.store.deadlines import expire_due
from agent_console.store.finishes import finish
from agent_console.store.liveness import rescue
from agent_console.store.policy_approvals import put_up
from agent_console.store.reads import counts
from agent_console.store.runs import suspend
from agent_console.store.tally_deltas import settle
from agent_console.store.tally_mends import mend
from agent_console.store.transactions import Tx
from agent_console.testing import FakeClock
from tests.support.factories import ADA, RAY, enqueue, enqueue_many
from tests.support.runs import (
    checkpoint,
    claim_one,
    decide,
    end,
    start_worker,
    step,
    waiting_many,
)
from tests.support.sums import differences, differences_in

S = JobStatus
DAY = 86_400.0


def assert_there_are(db: Database, pending: int, **jobs: int) -> None:
    """Hold what is told, and the rows, against so many checkpoints and jobs by status."""
    with db.read() as reader:
        found = counts.now(reader)
        assert differences_in(reader) == []
    assert {status.value: n for status, n in found.jobs.items() if n} == jobs
    assert found.pending == pending
    assert set(found.jobs) == set(S)


def control(db: Database, job_id: str, verb: JobVerb) -> None:
    db.write(lambda tx: job_writes.control(tx, job_id, verb, ADA))


def held(db: Database, checkpoint_id: str) -> None:
    """Approve in a way that can be undone for a minute."""
    verdict = Verdict(verb=CheckpointVerb.APPROVE)
    db.write(
        lambda tx: decisions.decide(
            tx,
            checkpoint_id,
            verdict,
            actor=RAY,
            key=None,
            check=lambda _tx, _case: {},
            hold=60_000_000,
        )
    )


def test_from_the_queue_to_every_end(clocked_db: Database) -> None:
    db = clocked_db
    start_worker(db)
    assert_there_are(db, 0)
    first = enqueue(db, auto_execute=False)
    enqueue_many(db, 3)
    assert_there_are(db, 0, INITIALIZED=1, PENDING=3)
    control(db, first, JobVerb.EXECUTE)
    assert_there_are(db, 0, PENDING=4)
    keys = [one.key for one in claim(db, "w1", 4)]
    assert_there_are(db, 0, RUNNING=4)
    give_back(db, keys[:1])
    assert_there_are(db, 0, RUNNING=3, QUEUED=1)
    ends = (JobVerb.COMPLETE, JobVerb.FAIL, JobVerb.RETRY_LATER)
    finish(db, [end(key, verb) for key, verb in zip(keys[1:], ends, strict=True)])
    assert_there_are(db, 0, QUEUED=2, COMPLETED=1, FAILED=1)
    finish(db, [end(keys[1])])  # of a run that is over: nothing
    assert_there_are(db, 0, QUEUED=2, COMPLETED=1, FAILED=1)
    control(db, keys[2].job_id, JobVerb.RETRY)
    assert_there_are(db, 0, QUEUED=3, COMPLETED=1)
    listed = [keys[2].job_id, keys[1].job_id, "job_none"]
    db.write(lambda tx: job_bulk.control_many(tx, listed, JobVerb.CANCEL, ADA))
    assert_there_are(db, 0, QUEUED=2, COMPLETED=1, CANCELED=1)
    db.write(lambda tx: job_bulk.control_many(tx, listed, JobVerb.RETRY, ADA))
    assert_there_are(db, 0, QUEUED=3, COMPLETED=1)


def test_runs_that_sleep_are_paused_parked_or_lost(
    clocked_db: Database, fake_clock: FakeClock
) -> None:
    db = clocked_db
    start_worker(db)
    enqueue_many(db, 4)
    keys = [one.key for one in claim(db, "w1", 4)]
    waits.sleep(db, keys[0], step(0, kind="wait"), 5.0, job_type="noop")
    control(db, keys[1].job_id, JobVerb.PAUSE)
    unknown = end(keys[2], JobVerb.PARK, park_reason="?", park_code=ParkCode.NO_HANDLER)
    finish(db, [unknown])
    assert_there_are(db, 0, QUEUED=1, PAUSED=1, PARKED=1, RUNNING=1)
    db.write(lambda tx: parking.requeue_known(tx, ["noop"]))
    control(db, keys[1].job_id, JobVerb.RESUME)
    assert_there_are(db, 0, QUEUED=3, RUNNING=1)
    fake_clock.advance(60)
    rescue(db, 15.0, 3)
    assert_there_are(db, 0, QUEUED=4)
    start_worker(db, "w2")
    claim(db, "w2", 4)
    fake_clock.advance(60)
    rescue(db, 15.0, 2)  # claimed twice without an end: poison
    assert_there_are(db, 0, QUEUED=3, PARKED=1)


def test_checkpoints_that_are_decided_undone_overdue_or_closed(
    clocked_db: Database, fake_clock: FakeClock
) -> None:
    db = clocked_db
    start_worker(db)
    asked = waiting_many(db, 5, timedelta(hours=1))
    assert_there_are(db, 5, WAITING=5)
    decide(db, asked[0])
    decide(db, asked[1], CheckpointVerb.REJECT, reason="no")
    assert_there_are(db, 3, WAITING=3, QUEUED=2)
    held(db, asked[2])
    assert_there_are(db, 2, WAITING=2, QUEUED=3)
    assert db.write(lambda tx: undo.undo(tx, [asked[2]], RAY)) == [asked[2]]
    assert_there_are(db, 3, WAITING=3, QUEUED=2)
    control(db, job_of(asked[3], db), JobVerb.PAUSE)
    control(db, job_of(asked[4], db), JobVerb.CANCEL)
    assert_there_are(db, 2, WAITING=1, QUEUED=2, PAUSED=1, CANCELED=1)
    control(db, job_of(asked[3], db), JobVerb.RESUME)
    assert_there_are(db, 2, WAITING=2, QUEUED=2, CANCELED=1)
    fake_clock.advance(DAY)
    assert expire_due(db) == 2
    assert_there_are(db, 0, QUEUED=4, CANCELED=1)
    start_worker(db)
    db.write(lambda tx: tx.execute("UPDATE agent_checkpoints SET payload = '{}'"))
    claim(db, "w1", 1)  # what was approved is not what is stored: one goes back to review
    claim(db, "w1", 3)
    assert_there_are(db, 1, WAITING=1, RUNNING=3, CANCELED=1)


def test_what_a_policy_approves_at_once_leaves_nothing_to_count(clocked_db: Database) -> None:
    start_worker(clocked_db)
    enqueue(clocked_db)
    key = claim_one(clocked_db).key
    before = left(clocked_db)
    assert put_up(clocked_db, key, checkpoint(), "auto_approve_low_risk").approved
    assert_there_are(clocked_db, 0, RUNNING=1)
    names = [name for name in left(clocked_db)[len(before) :] if name.endswith("_now")]
    assert names == []


def test_a_question_that_nobody_closed_goes_with_its_job(
    clocked_db: Database, fake_clock: FakeClock
) -> None:
    start_worker(clocked_db)
    job_id = job_of(waiting_many(clocked_db, 2)[0], clocked_db)

    def end_by_hand(tx: Tx) -> None:
        sql = "UPDATE ai_jobs SET status = 'FAILED', completed_at = {now} WHERE id = :id"
        tx.execute(sql, {"id": job_id})
        ended = {"job_id": job_id, "before": "WAITING", "after": "FAILED"}
        tx.record(events.Event(action="job.failed", **ended))

    clocked_db.write(end_by_hand)
    assert_there_are(clocked_db, 2, WAITING=1, FAILED=1)
    fake_clock.advance(2)
    assert job_deletion.delete_batch(clocked_db, {S.FAILED: Keep(seconds=1)}, SYSTEM)
    assert_there_are(clocked_db, 1, WAITING=1)


def job_of(checkpoint_id: str, db: Database) -> str:
    with db.read() as reader:
        found = reader.row(
            "SELECT job_id FROM agent_checkpoints WHERE id = :id", {"id": checkpoint_id}
        )
    return str(found[0]) if found else ""


def left(db: Database) -> list[str]:
    with db.read() as reader:
        return [row[0] for row in reader.rows("SELECT name FROM tally_deltas ORDER BY seq")]


def test_every_snapshot_agrees_while_many_write(db: Database, database_url: str) -> None:
    """Whoever reads while others enqueue, claim, ask, decide, finish and add up."""
    start_worker(db)
    enqueue_many(db, 10)
    others = [Database(database_url) for _ in range(2)]
    over = Event()
    found: list[str] = []

    def look() -> int:
        looks = 0
        while not over.is_set():
            found.extend(differences(others[0]))
            looks += 1
        return looks

    def live(number: int) -> None:
        own = (db, others[1])[number % 2]
        enqueue_many(own, 2)
        for one in claim(own, "w1", 3):
            if one.fresh and number % 2:
                decide(own, suspend(own, one.key, checkpoint()))
            else:
                finish(own, [end(one.key)])
        if number % 4 == 0:
            settle(own)

    with ThreadPoolExecutor(5) as pool:
        looking = pool.submit(look)
        try:
            list(pool.map(live, range(40)))
        finally:
            over.set()
        assert looking.result() > 3
    for other in others:
        other.close()
    assert found == []


def spoil(tx: Any) -> None:
    """Change rows as nobody does: without an event."""
    tx.execute("UPDATE ai_jobs SET status = 'PARKED' WHERE status = 'WAITING'")
    tx.execute("UPDATE agent_checkpoints SET status = 'CANCELED'")


SPOILT = {
    ("checkpoints_now", "PENDING"): -3,
    ("jobs_now", "PARKED"): 3,
    ("jobs_now", "WAITING"): -3,
}


@pytest.mark.rows_by_hand
def test_sums_that_differ_are_mended_once(
    db: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_worker(db)
    waiting_many(db, 3)
    assert mend(db) == {}
    settle(db)
    assert mend(db) == {}
    db.write(spoil)
    # Two have seen it before either has mended it.
    other = Database(database_url)
    both = Barrier(2)
    find = tally_mends.difference

    def together(queries: Any) -> dict[tuple[str, str], int]:
        lacking = find(queries)
        both.wait(10)
        return lacking

    monkeypatch.setattr(tally_mends, "difference", together)
    with ThreadPoolExecutor(2) as pool:
        mended = list(pool.map(mend, (db, other)))
    monkeypatch.undo()
    other.close()
    assert sorted(mended, key=len) == [{}, SPOILT]
    assert_there_are(db, 0, PARKED=3)
    assert mend(db) == {}
    db.write(lambda tx: tx.execute("UPDATE ai_jobs SET status = 'RUNNING'"))
    assert mend(db) == {("jobs_now", "PARKED"): -3, ("jobs_now", "RUNNING"): 3}
    assert_there_are(db, 0, RUNNING=3)


@pytest.mark.rows_by_hand
def test_sums_are_mended_while_others_commit(db: Database, database_url: str) -> None:
    """What is added is what was lacking, not what others are about to add themselves."""
    start_worker(db)
    waiting_many(db, 3)
    db.write(spoil)
    other = Database(database_url)

    def work(number: int) -> int:
        own = (db, other)[number % 2]
        act: Callable[[], object] = (
            (lambda: mend(own)) if number % 3 == 0 else (lambda: enqueue_many(own, 2))
        )
        act()
        return 0 if number % 3 == 0 else 2

    with ThreadPoolExecutor(6) as pool:
        made = sum(pool.map(work, range(60)))
    mend(db)
    other.close()
    assert_there_are(db, 0, PARKED=3, PENDING=made)


def test_numbers_are_read_from_few_rows_whatever_waits(db: Database) -> None:
    explain = "EXPLAIN QUERY PLAN " if db.dialect == "sqlite" else "EXPLAIN "
    found = db.write(lambda tx: "\n".join(str(row[-1]) for row in tx.rows(explain + counts.NOW)))
    assert "tallies" in found
    assert "ai_jobs" not in found
    assert "agent_checkpoints" not in found
