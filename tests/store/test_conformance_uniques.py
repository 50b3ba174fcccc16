"""Unique jobs under real threads: of sixteen that ask at once, one is made."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from agent_console.domain.errors import Conflict
from agent_console.domain.jobs import JobStatus, JobVerb, NewJob
from agent_console.domain.uniqueness import OnConflict, Unique
from agent_console.store import job_writes
from agent_console.store.claims import claim
from agent_console.store.database import Database
from agent_console.store.finishes import finish
from agent_console.store.ids import new_id
from agent_console.store.job_writes import Made, RequestKey
from tests.support.factories import ADA
from tests.support.runs import end, journal, row, start_worker

THREADS = 16


@pytest.fixture
def databases(db: Database, database_url: str) -> Iterator[list[Database]]:
    """Several processes' worth of connections to one database."""
    made = [db, *(Database(database_url) for _ in range(3))]
    yield made
    for other in made[1:]:
        other.close()


def ask(db: Database, policy: str = "reject", key: RequestKey | None = None, **more: Any) -> Made:
    unique = Unique(key="order 7", on_conflict=OnConflict(policy), **more)
    new, job_id = NewJob(job_type="noop", unique=unique), new_id("job")
    return db.write(
        lambda tx: job_writes.enqueue(tx, job_id, new, max_attempts=3, actor=ADA, key=key)
    )


def control(db: Database, job_id: str, verb: JobVerb) -> None:
    db.write(lambda tx: job_writes.control(tx, job_id, verb, ADA))


def at_once(databases: list[Database], call: Callable[[Database], Made]) -> list[Any]:
    """Return what sixteen threads are answered: what was made, or the conflict."""
    barrier = threading.Barrier(THREADS)

    def one(number: int) -> Made | Conflict:
        barrier.wait()
        try:
            return call(databases[number % len(databases)])
        except Conflict as conflict:
            return conflict

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(one, range(THREADS)))


def live(db: Database) -> list[str]:
    with db.read() as reader:
        rows = reader.rows("SELECT id FROM ai_jobs WHERE status = 'PENDING' ORDER BY id")
    return [str(found[0]) for found in rows]


def test_of_sixteen_at_once_one_is_made_and_the_others_are_told_which(
    databases: list[Database],
) -> None:
    answers = at_once(databases, ask)
    made = [one.job.id for one in answers if isinstance(one, Made)]
    refused = [one for one in answers if isinstance(one, Conflict)]
    assert made == live(databases[0])
    assert len(made) == 1
    assert [one.context["jobId"] for one in refused] == made * 15
    assert {one.context["currentStatus"] for one in refused} == {"PENDING"}


def test_of_sixteen_at_once_all_are_given_the_one_that_was_made(databases: list[Database]) -> None:
    answers = at_once(databases, lambda db: ask(db, "existing"))
    assert [one.job.id for one in answers] == live(databases[0]) * 16
    assert sorted(one.existing for one in answers) == [False, *[True] * 15]


def test_of_sixteen_at_once_the_last_replaces_all_before(databases: list[Database]) -> None:
    answers = at_once(databases, lambda db: ask(db, "replace"))
    (left,) = live(databases[0])
    made = {one.job.id for one in answers}
    assert len(made) == 16
    for gone in made - {left}:
        assert [action for action, _, _ in journal(databases[0], gone)] == [
            "job.created",
            "job.canceled",
        ]


def test_a_running_job_is_replaced_and_can_write_no_more(db: Database) -> None:
    start_worker(db)
    first = ask(db)
    (claimed,) = claim(db, "w1", 1)
    second = ask(db, "replace")
    finish(db, [end(claimed.key)])
    assert row(db, first.job.id)["status"] == "CANCELED"
    assert row(db, second.job.id)["status"] == "PENDING"
    with db.read() as reader:
        found = reader.rows(
            "SELECT action, data FROM audit_logs WHERE job_id IN (:a, :b)"
            " AND action <> 'job.started' AND data <> '{}' ORDER BY seq",
            {"a": first.job.id, "b": second.job.id},
        )
    assert found == [
        ("job.canceled", f'{{"replacedBy":"{second.job.id}"}}'),
        ("job.created", f'{{"replaced":["{first.job.id}"]}}'),
    ]


def test_a_key_is_free_again_when_its_job_has_ended(db: Database) -> None:
    start_worker(db)
    first = ask(db)
    (claimed,) = claim(db, "w1", 1)
    with pytest.raises(Conflict, match=f"{first.job.id} .* is RUNNING"):
        ask(db)
    finish(db, [end(claimed.key)])
    assert ask(db).job.id != first.job.id


def test_statuses_say_what_blocks(db: Database) -> None:
    start_worker(db)
    waiting = {"while_in": (JobStatus.PENDING, JobStatus.QUEUED)}
    first = ask(db, **waiting)
    claim(db, "w1", 1)
    second = ask(db, **waiting)  # one runs, one waits
    with pytest.raises(Conflict, match=second.job.id):
        ask(db, **waiting)
    # The key knows both, whichever took it last.
    with pytest.raises(Conflict, match=first.job.id):
        ask(db, while_in=(JobStatus.RUNNING,))


def test_a_job_that_ever_completed_can_block_for_good(db: Database) -> None:
    start_worker(db)
    once = {"while_in": tuple(JobStatus)}
    ask(db, **once)
    (claimed,) = claim(db, "w1", 1)
    finish(db, [end(claimed.key)])
    with pytest.raises(Conflict, match="is COMPLETED"):
        ask(db, **once)


def test_other_types_and_other_keys_do_not_meet(db: Database) -> None:
    ask(db)
    new = NewJob(job_type="other", unique=Unique(key="order 7"))
    for unique_job in (new, NewJob(job_type="noop", unique=Unique(key="order 8"))):
        job_id = new_id("job")
        made = db.write(
            lambda tx, i=job_id, n=unique_job: job_writes.enqueue(
                tx, i, n, max_attempts=3, actor=ADA, key=None
            )
        )
        assert made.job.id == job_id


def test_an_old_job_cannot_be_retried_while_another_has_its_key(db: Database) -> None:
    old = ask(db)
    control(db, old.job.id, JobVerb.CANCEL)
    new = ask(db)
    before = row(db, old.job.id)
    with pytest.raises(Conflict, match=f"Job {new.job.id} .* has the unique key 'order 7'"):
        control(db, old.job.id, JobVerb.RETRY)
    assert row(db, old.job.id) == before
    control(db, new.job.id, JobVerb.CANCEL)
    control(db, old.job.id, JobVerb.RETRY)
    with pytest.raises(Conflict, match=old.job.id):
        ask(db)


def test_retries_and_requests_at_once_leave_one_job(databases: list[Database]) -> None:
    db = databases[0]
    old = ask(db)
    control(db, old.job.id, JobVerb.CANCEL)
    turn = iter(range(THREADS))

    def one(database: Database) -> Made:
        if next(turn) % 2:
            return ask(database)
        control(database, old.job.id, JobVerb.RETRY)
        return old

    answers = at_once(databases, one)
    with db.read() as reader:
        found = reader.rows("SELECT id FROM ai_jobs WHERE status IN ('PENDING', 'QUEUED')")
    assert len(found) == 1
    assert sum(isinstance(answer, Made) for answer in answers) == 1


def test_a_repetition_is_answered_as_the_first_time(db: Database) -> None:
    first = ask(db, key=RequestKey(scope="ada enqueue", key="a", digest="d"))
    found = ask(db, "existing", key=RequestKey(scope="ada enqueue", key="b", digest="d"))
    control(db, first.job.id, JobVerb.CANCEL)
    again = ask(db, key=RequestKey(scope="ada enqueue", key="a", digest="d"))
    found_again = ask(db, "existing", key=RequestKey(scope="ada enqueue", key="b", digest="d"))
    assert (found.existing, found.job.id) == (True, first.job.id)
    assert (again.job.id, again.replayed, again.existing) == (first.job.id, True, False)
    assert found_again.job.id == first.job.id
    assert (found_again.replayed, found_again.existing) == (True, True)


def test_a_refused_request_keeps_nothing(db: Database) -> None:
    ask(db)
    key = RequestKey(scope="ada enqueue", key="a", digest="d")
    with pytest.raises(Conflict):
        ask(db, key=key)
    with db.read() as reader:
        assert reader.rows("SELECT count(*) FROM idempotency_keys") == [(0,)]
        assert reader.rows("SELECT count(*) FROM ai_jobs") == [(1,)]
