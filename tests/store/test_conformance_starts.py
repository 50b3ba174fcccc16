"""A job that begins where it is made is stored as a claim would have left it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

import pytest

from agent_console.domain.clock import to_micros
from agent_console.domain.jobs import JobStatus, JobVerb
from agent_console.domain.limits import Caps
from agent_console.store import job_type_writes, job_writes
from agent_console.store.database import Database
from agent_console.store.finishes import finish
from agent_console.store.ids import new_id
from agent_console.store.job_writes import Made
from agent_console.store.transactions import Tx
from agent_console.testing import FakeClock, new_job
from tests.support.factories import ADA, begin
from tests.support.limits import declare, service
from tests.support.runs import claim_one, end, row

PATIENCE = 10.0  # seconds
FACTS: dict[str, Any] = {
    "task_description": "Échø 漢",
    "priority": 7,
    "project_id": "p1",
    "task_configuration": {"a": 1},
    "approval_strategy": "auto_approve_low_risk",
    "metadata": {"k": [1]},
}


def made(db: Database, job_type: str = "echo", worker_id: str | None = "w1", **new: Any) -> Made:
    job_id = new_id("job")
    return db.write(
        lambda tx: job_writes.enqueue(
            tx,
            job_id,
            new_job(job_type, {"n": 2**70}, **new),
            max_attempts=4,
            actor=ADA,
            key=None,
            traceparent="00-1-2-01",
            worker_id=worker_id,
        )
    )


def told(db: Database, job_id: str) -> list[tuple[object, ...]]:
    with db.read() as reader:
        return reader.rows(
            'SELECT action, "before", "after", actor_kind, actor_id, data FROM audit_logs'
            " WHERE job_id = :id ORDER BY seq",
            {"id": job_id},
        )


def apart(stored: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in stored.items() if name != "id"}


def test_nothing_tells_it_from_one_that_was_claimed(
    clocked_db: Database, fake_clock: FakeClock
) -> None:
    plain = made(clocked_db, worker_id=None, **FACTS)
    claimed = claim_one(clocked_db)
    begun = made(clocked_db, **FACTS)
    assert plain.begun is None
    assert begun.begun is not None
    assert apart(row(clocked_db, begun.job.id)) == apart(row(clocked_db, plain.job.id))
    assert told(clocked_db, begun.job.id) == told(clocked_db, plain.job.id)
    assert [entry[2] for entry in told(clocked_db, begun.job.id)] == ["PENDING", "RUNNING"]
    key = begun.begun.key
    assert begun.begun == claimed._replace(key=key)
    assert key == (begun.job.id, 1, "w1")
    assert row(clocked_db, begun.job.id)["started_at"] == to_micros(fake_clock.now())


def test_who_asked_is_told_of_the_job_as_it_was_made(clocked_db: Database) -> None:
    plain, begun = made(clocked_db, worker_id=None, **FACTS), made(clocked_db, **FACTS)
    assert begun.job.status is JobStatus.PENDING
    assert asdict(begun.job) | {"id": ""} == asdict(plain.job) | {"id": ""}


def test_it_ends_as_any_run_does(db: Database) -> None:
    begun = made(db).begun
    assert begun is not None
    assert finish(db, [end(begun.key)]) == {begun.key.job_id}
    assert row(db, begun.key.job_id)["status"] == JobStatus.COMPLETED


def test_a_cancellation_fences_it(db: Database) -> None:
    begun = made(db).begun
    assert begun is not None
    db.write(lambda tx: job_writes.control(tx, begun.key.job_id, JobVerb.CANCEL, ADA))
    assert finish(db, [end(begun.key)]) == set()


@pytest.mark.parametrize("paused", [False, True])
def test_a_job_of_a_limited_or_paused_type_has_to_be_let_in(db: Database, paused: bool) -> None:
    if paused:
        db.write(lambda tx: job_type_writes.pause(tx, "echo", "", ADA))
    else:
        declare(db, "echo", Caps(running=2))
    held = made(db)
    assert held.begun is None
    assert row(db, held.job.id)["status"] == JobStatus.PENDING
    assert row(db, held.job.id)["gate"] == 1
    assert [entry[0] for entry in told(db, held.job.id)] == ["job.created"]


def test_a_pause_waits_for_a_job_that_begins_as_it_is_made(db: Database, database_url: str) -> None:
    """No lock on a row can stand for a row that nobody sees yet."""
    other = Database(database_url)
    stored, go = threading.Event(), threading.Event()

    def work(tx: Tx) -> Made:
        made = job_writes.enqueue(
            tx, "job_1", new_job("noop"), max_attempts=3, actor=ADA, key=None, worker_id="w1"
        )
        stored.set()
        go.wait(PATIENCE)
        return made

    with ThreadPoolExecutor(2) as pool:
        making = pool.submit(other.write, work)
        assert stored.wait(PATIENCE)
        pausing = pool.submit(service(db).pause, ADA, "noop")
        with pytest.raises(TimeoutError):
            pausing.result(0.3)
        go.set()
        assert making.result().begun is not None
        pausing.result()
    other.close()
    assert begin(db, "w1") is None
