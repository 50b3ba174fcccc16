from __future__ import annotations

import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from agent_console.domain.jobs import JobStatus, JobVerb
from agent_console.store.claims import claim, give_back, next_due
from agent_console.store.database import Database
from agent_console.store.finishes import finish
from agent_console.store.runs import suspend
from agent_console.testing import FakeClock
from tests.support.factories import enqueue, enqueue_many
from tests.support.runs import checkpoint, claim_one, decide, end, journal, row


def test_higher_priority_first_then_older(db: Database) -> None:
    low = enqueue(db, priority=1)
    first, second = enqueue(db), enqueue(db)
    high = enqueue(db, priority=9)
    claimed = [c.key.job_id for c in claim(db, "w1", 10)]
    assert claimed == [high, first, second, low]
    assert claim(db, "w1", 10) == []


@pytest.mark.parametrize("seed", range(3))
def test_claims_take_what_is_due_by_priority_and_time_however_much_is_due_later(
    clocked_db: Database, fake_clock: FakeClock, seed: int
) -> None:
    chosen = random.Random(seed)
    start = fake_clock.now()
    waiting: list[tuple[int, datetime, str]] = []
    for _ in range(60):
        priority, due = (
            chosen.choice((0, 3, 5, 100)),
            start + timedelta(minutes=chosen.randrange(6)),
        )
        waiting.append((-priority, due, enqueue(clocked_db, priority=priority, run_at=due)))
    for _ in range(7):
        room = chosen.randrange(1, 12)
        due_now = sorted(one for one in waiting if one[1] <= fake_clock.now())
        taken = [one.key.job_id for one in claim(clocked_db, "w1", room)]
        assert taken == [job_id for _, _, job_id in due_now[:room]]
        waiting = [one for one in waiting if one[2] not in taken]
        fake_clock.advance(timedelta(minutes=1))
    assert len(claim(clocked_db, "w1", 100)) == len(waiting)


def test_a_claim_takes_no_more_than_there_is_room_for(db: Database) -> None:
    enqueue_many(db, 5)
    assert len(claim(db, "w1", 2)) == 2
    assert claim(db, "w1", 0) == []
    assert len(claim(db, "w1", 10)) == 3


def test_a_claim_carries_what_the_run_needs(db: Database) -> None:
    job_id = enqueue(
        db, "echo", input_data={"n": 2**70}, task_description="Échø 漢", priority=7, max_attempts=4
    )
    claimed = claim_one(db)
    assert claimed.key.job_id == job_id
    assert (claimed.job_type, claimed.priority) == ("echo", 7)
    assert claimed.input_text == '{"n":1180591620717411303424}'
    assert claimed.task_description == "Échø 漢"
    assert (claimed.attempt, claimed.max_attempts, claimed.claims) == (1, 4, 1)
    assert claimed.fresh
    assert not claimed.resuming
    assert (claimed.user_id, claimed.user_name) == ("usr_ada", "Ada")
    stored = row(db, job_id)
    assert (stored["status"], stored["worker_id"]) == (JobStatus.RUNNING, "w1")
    assert stored["claim_token"] == claimed.key.token == 1


def test_a_job_is_not_claimed_before_its_time(clocked_db: Database, fake_clock: FakeClock) -> None:
    assert next_due(clocked_db) is None
    enqueue(clocked_db, run_at=fake_clock.now() + timedelta(seconds=10))
    assert next_due(clocked_db) == 10.0
    fake_clock.advance(timedelta(seconds=10) - timedelta(microseconds=1))
    assert claim(clocked_db, "w1", 1) == []
    fake_clock.advance(timedelta(microseconds=1))
    assert next_due(clocked_db) == 0.0
    assert len(claim(clocked_db, "w1", 1)) == 1
    assert next_due(clocked_db) is None


def test_a_waiting_or_initialized_job_is_not_due(db: Database) -> None:
    enqueue(db, auto_execute=False)
    enqueue(db)
    suspend(db, claim_one(db).key, checkpoint())
    assert next_due(db) is None
    assert claim(db, "w1", 10) == []


@pytest.mark.parametrize("processes", [1, 4])
def test_eight_claimers_never_share_a_job(db: Database, database_url: str, processes: int) -> None:
    ids = enqueue_many(db, 200)
    databases = [Database(database_url) for _ in range(processes)]
    barrier = threading.Barrier(8)

    def claimer(number: int) -> list[str]:
        barrier.wait()
        mine: list[str] = []
        while batch := claim(databases[number % processes], f"w{number}", 3):
            mine += [c.key.job_id for c in batch]
        return mine

    with ThreadPoolExecutor(8) as pool:
        claimed = [job_id for mine in pool.map(claimer, range(8)) for job_id in mine]
    for database in databases:
        database.close()
    assert Counter(claimed) == Counter(ids)
    with db.read() as reader:
        assert reader.rows("SELECT DISTINCT claim_token, attempts FROM ai_jobs") == [(1, 1)]


def test_given_back_jobs_are_not_charged(db: Database) -> None:
    job_id = enqueue(db)
    claimed = claim_one(db)
    assert give_back(db, [claimed.key]) == 1
    assert row(db, job_id)["status"] == JobStatus.QUEUED
    assert give_back(db, [claimed.key]) == 0  # it is nobody's any more
    again = claim_one(db, "w2")
    assert again.attempt == 1
    assert again.key.token > claimed.key.token
    assert again.claims == 1
    assert journal(db, job_id)[-2:] == [
        ("job.released", "RUNNING", "QUEUED"),
        ("job.started", "QUEUED", "RUNNING"),
    ]


def test_a_resumed_claim_is_not_charged_and_a_retry_is(db: Database) -> None:
    job_id = enqueue(db)
    checkpoint_id = suspend(db, claim_one(db).key, checkpoint())
    decide(db, checkpoint_id)
    resumed = claim_one(db)
    assert (resumed.attempt, resumed.resuming) == (1, True)
    finish(db, [end(resumed.key, JobVerb.RETRY_LATER)])
    assert claim_one(db).attempt == 2
    assert row(db, job_id)["attempts"] == 2


def test_every_claim_takes_a_new_token(db: Database) -> None:
    enqueue(db)
    tokens = []
    for _ in range(4):
        claimed = claim_one(db)
        tokens.append(claimed.key.token)
        finish(db, [end(claimed.key, JobVerb.RELEASE)])
    assert tokens == sorted(set(tokens))


@pytest.mark.parametrize(
    "tampering",
    [
        "payload = replace(payload, 'small', 'large')",
        "payload = replace(payload, 'small', 'large'), payload_digest = 'whatever'",
        "edited_data = '{\"n\":2}'",
        "decision_digest = NULL",
    ],
)
def test_what_is_not_what_was_approved_goes_back_to_review(db: Database, tampering: str) -> None:
    job_id = enqueue(db)
    checkpoint_id = suspend(db, claim_one(db).key, checkpoint(data="small"))
    decide(db, checkpoint_id)
    db.write(lambda tx: tx.execute(f"UPDATE agent_checkpoints SET {tampering}"))
    assert claim(db, "w1", 1) == []
    stored = row(db, job_id)
    assert (stored["status"], stored["worker_id"]) == (JobStatus.WAITING, None)
    with db.read() as reader:
        found = reader.row("SELECT status, approved_by, decision_digest FROM agent_checkpoints")
    assert found == ("PENDING", None, None)
    assert ("checkpoint.reopened", "APPROVED", "PENDING") in journal(db, job_id)
    decide(db, checkpoint_id)  # looked at again, as it is now
    assert claim_one(db).attempt == 1


def test_an_approved_edit_is_what_was_approved(db: Database) -> None:
    enqueue(db)
    checkpoint_id = suspend(db, claim_one(db).key, checkpoint(data={"n": 1}))
    decide(db, checkpoint_id, edited_data={"n": 2**70})
    assert claim_one(db).resuming
