from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from agent_console.domain.jobs import JobStatus, JobVerb
from agent_console.domain.records import WorkerStatus
from agent_console.store import job_writes, worker_writes
from agent_console.store.claims import claim
from agent_console.store.database import Database
from agent_console.store.finishes import finish
from agent_console.store.liveness import heartbeat, rescue
from agent_console.testing import FakeClock
from tests.support.factories import ADA, enqueue, enqueue_many
from tests.support.runs import claim_one, end, journal, row, start_worker

TIMEOUT = 15.0
MAX_CLAIMS = 5


def status_of(db: Database, worker_id: str) -> str:
    with db.read() as reader:
        found = reader.row("SELECT status FROM agent_workers WHERE id = :id", {"id": worker_id})
    assert found is not None
    return str(found[0])


def test_a_silent_workers_jobs_are_taken_back_after_the_timeout_and_not_before(
    clocked_db: Database, fake_clock: FakeClock
) -> None:
    start_worker(clocked_db)
    job_id = enqueue(clocked_db)
    claim_one(clocked_db)
    fake_clock.advance(TIMEOUT)
    assert rescue(clocked_db, TIMEOUT, MAX_CLAIMS) == 0
    fake_clock.advance(timedelta(microseconds=1))
    assert rescue(clocked_db, TIMEOUT, MAX_CLAIMS) == 1
    assert status_of(clocked_db, "w1") == WorkerStatus.DEAD
    assert row(clocked_db, job_id)["status"] == JobStatus.QUEUED
    assert journal(clocked_db, job_id)[-1] == ("job.rescued", "RUNNING", "QUEUED")
    assert claim_one(clocked_db, "w2").attempt == 2  # the death cost an attempt
    assert rescue(clocked_db, TIMEOUT, MAX_CLAIMS) == 1  # w2 never introduced itself


def test_a_long_job_of_a_living_worker_is_never_started_again(
    clocked_db: Database, fake_clock: FakeClock
) -> None:
    start_worker(clocked_db)
    job_id = enqueue(clocked_db)
    key = claim_one(clocked_db).key
    for _ in range(1000):  # an hour and more
        fake_clock.advance(5.0)
        assert heartbeat(clocked_db, "w1", [key], WorkerStatus.RUNNING).lost == frozenset()
        assert rescue(clocked_db, TIMEOUT, MAX_CLAIMS) == 0
    assert claim(clocked_db, "w2", 1) == []
    assert finish(clocked_db, [end(key)]) == {job_id}


def test_a_worker_known_to_be_dead_is_buried_at_once(db: Database) -> None:
    start_worker(db, "w1")
    start_worker(db, "w2")
    enqueue_many(db, 2)
    claim_one(db, "w1")
    healthy = claim_one(db, "w2").key
    assert rescue(db, TIMEOUT, MAX_CLAIMS, ["w1"]) == 1
    assert (status_of(db, "w1"), status_of(db, "w2")) == ("DEAD", "RUNNING")
    assert row(db, healthy.job_id)["status"] == JobStatus.RUNNING


def test_a_job_that_kills_its_workers_is_parked(db: Database) -> None:
    job_id = enqueue(db, max_attempts=100)
    for number in range(3):
        start_worker(db, f"w{number}")
        claim_one(db, f"w{number}")
        rescue(db, TIMEOUT, 3, [f"w{number}"])
    stored = row(db, job_id)
    assert stored["status"] == JobStatus.PARKED
    assert "poison" in stored["park_reason"]
    assert claim(db, "w9", 1) == []
    assert journal(db, job_id)[-1] == ("job.parked", "RUNNING", "PARKED")


def test_an_orderly_end_clears_the_suspicion(db: Database) -> None:
    job_id = enqueue(db, max_attempts=100)
    for number in range(6):
        start_worker(db, f"w{number}")
        key = claim_one(db, f"w{number}").key
        if number % 2:
            rescue(db, TIMEOUT, 2, [f"w{number}"])
        else:
            finish(db, [end(key, JobVerb.RETRY_LATER)])
    assert row(db, job_id)["status"] == JobStatus.QUEUED


def test_a_job_of_a_worker_that_is_in_no_book_is_taken_back(db: Database) -> None:
    enqueue(db)
    claim_one(db, "never-introduced")
    assert rescue(db, TIMEOUT, MAX_CLAIMS) == 1


def test_two_rescuers_take_a_job_back_once(db: Database, database_url: str) -> None:
    ids = enqueue_many(db, 20)
    start_worker(db)
    claim(db, "w1", 20)
    other = Database(database_url)
    with ThreadPoolExecutor(4) as pool:
        taken = list(
            pool.map(lambda n: rescue((db, other)[n % 2], TIMEOUT, MAX_CLAIMS, ["w1"]), range(4))
        )
    other.close()
    assert sum(taken) == 20
    for job_id in ids:
        assert [a for a, _, _ in journal(db, job_id)].count("job.rescued") == 1
    with db.read() as reader:
        assert reader.rows("SELECT count(*) FROM audit_logs WHERE action = 'worker.died'") == [(1,)]


def test_a_heartbeat_tells_which_runs_are_lost(db: Database) -> None:
    start_worker(db)
    enqueue_many(db, 3)
    kept, canceled, taken = (c.key for c in claim(db, "w1", 3))
    db.write(lambda tx: job_writes.control(tx, canceled.job_id, JobVerb.CANCEL, ADA))
    finish(db, [end(taken, JobVerb.RELEASE)])
    claim_one(db, "w1")  # the same worker again, under a new token
    orders = heartbeat(db, "w1", [kept, canceled, taken], WorkerStatus.RUNNING)
    assert orders.lost == {canceled.job_id, taken.job_id}
    assert not orders.dead


def test_a_worker_taken_for_dead_is_told_so(clocked_db: Database, fake_clock: FakeClock) -> None:
    start_worker(clocked_db)
    enqueue(clocked_db)
    key = claim_one(clocked_db).key
    fake_clock.advance(60)
    rescue(clocked_db, TIMEOUT, MAX_CLAIMS)
    orders = heartbeat(clocked_db, "w1", [key], WorkerStatus.RUNNING)
    assert orders.dead
    assert orders.lost == {key.job_id}
    assert finish(clocked_db, [end(key)]) == set()  # the zombie's outcome counts for nothing
    assert not start_worker(clocked_db).dead
    assert status_of(clocked_db, "w1") == WorkerStatus.RUNNING


def test_a_heartbeat_carries_what_people_want(db: Database) -> None:
    start_worker(db)
    db.write(lambda tx: worker_writes.set_desired(tx, "stop", worker_id="w1", actor=ADA))
    db.write(
        lambda tx: worker_writes.configure(
            tx, "w1", max_concurrent_jobs=9, poll_interval=0.25, actor=ADA
        )
    )
    orders = heartbeat(db, "w1", [], WorkerStatus.DRAINING)
    assert (orders.desired, orders.max_concurrent_jobs, orders.poll_interval) == ("stop", 9, 0.25)


def test_a_sweep_over_a_healthy_house_writes_nothing(db: Database) -> None:
    start_worker(db)
    enqueue(db)
    claim_one(db)
    told: list[object] = []
    db.watch(told.append)
    assert rescue(db, TIMEOUT, MAX_CLAIMS) == 0
    assert told == []
