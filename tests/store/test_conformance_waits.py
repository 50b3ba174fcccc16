"""Sleeping jobs and answers from outside, on both databases, at the same moment."""

from __future__ import annotations

import threading

import pytest

from agent_console.domain.clock import MICROSECONDS
from agent_console.domain.errors import LostClaim
from agent_console.services.callbacks import CALLER, CallbackService, digest_of
from agent_console.store import callbacks, waits
from agent_console.store.claims import claim, next_due
from agent_console.store.database import Database
from agent_console.store.engine_values import RunKey
from agent_console.testing import FakeClock
from agent_console.testing import enqueue as enqueue_job
from tests.support.runs import claim_one, journal, row, start_worker, step

HOUR = 3600.0
ROUNDS = 25


def lie_down(db: Database, key: RunKey, *, callback: int | None = None, position: int = 0) -> None:
    waits.sleep(db, key, step(position, kind="wait"), HOUR, job_type="noop", callback=callback)


def asleep_for_an_answer(db: Database, token: str = "token") -> tuple[str, RunKey]:
    job_id = enqueue_job(db, "noop")
    key = claim_one(db).key
    waits.admit(db, key, 0, digest_of(token))
    return job_id, key


def test_a_sleep_leaves_the_slot_and_comes_back_uncharged(
    clocked_db: Database, fake_clock: FakeClock
) -> None:
    start_worker(clocked_db)
    job_id = enqueue_job(clocked_db, "noop")
    key = claim_one(clocked_db).key
    lie_down(clocked_db, key)
    found = row(clocked_db, job_id)
    assert (found["status"], found["worker_id"], found["claims"]) == ("QUEUED", None, 0)
    assert next_due(clocked_db) == HOUR
    assert claim(clocked_db, "w1", 1) == []
    fake_clock.advance(HOUR)
    again = claim_one(clocked_db)
    assert (again.attempt, again.resuming) == (1, True)
    assert journal(clocked_db, job_id)[2] == ("job.sleeping", "RUNNING", "QUEUED")


def test_a_run_that_lost_its_job_can_neither_sleep_nor_hand_out_tokens(
    clocked_db: Database,
) -> None:
    start_worker(clocked_db)
    job_id = enqueue_job(clocked_db, "noop")
    old = claim_one(clocked_db).key
    lie_down(clocked_db, old)
    for write in (
        lambda: lie_down(clocked_db, old, position=1),
        lambda: waits.sleep_on(clocked_db, old, 0, job_type="noop"),
        lambda: waits.settle(clocked_db, old, 0, "{}"),
        lambda: waits.admit(clocked_db, old, 1, "hash"),
    ):
        with pytest.raises(LostClaim):
            write()
    with clocked_db.read() as reader:
        assert len(reader.rows("SELECT 1 FROM job_steps WHERE job_id = :id", {"id": job_id})) == 1
        assert reader.rows("SELECT 1 FROM job_callbacks") == []


def test_an_answer_and_a_job_that_lies_down_never_miss_each_other(db: Database) -> None:
    """Whichever of the two is first, the job is due at once, and not in an hour."""
    start_worker(db)
    service = CallbackService(db)
    for number in range(ROUNDS):
        job_id, key = asleep_for_an_answer(db, f"token {number}")
        gate = threading.Barrier(2)
        failed: list[BaseException] = []

        def answer(job: str = job_id, n: int = number, at: threading.Barrier = gate) -> None:
            try:
                at.wait()
                service.receive(job, f"token {n}", {"n": n})
            except BaseException as error:  # noqa: BLE001 - shown by the assertion below
                failed.append(error)  # noqa: B023 - read before the next round

        outside = threading.Thread(target=answer)
        outside.start()
        gate.wait()
        lie_down(db, key, callback=0, position=1)
        outside.join()
        assert failed == []
        assert next_due(db) == 0, f"round {number}"
        assert claim_one(db).key.job_id == job_id
        assert waits.look(db, job_id, 0).answer == f'{{"n":{number}}}'


def test_of_many_answers_at_once_one_counts(db: Database) -> None:
    start_worker(db)
    job_id, key = asleep_for_an_answer(db)
    lie_down(db, key, callback=0, position=1)
    gate = threading.Barrier(8)
    verdicts: list[str] = []

    def answer(number: int) -> None:
        gate.wait()
        text = f'{{"n":{number}}}'
        try:
            db.write(lambda tx: callbacks.receive(tx, job_id, digest_of("token"), text, CALLER))
        except Exception as error:  # noqa: BLE001 - counted
            verdicts.append(type(error).__name__)
        else:
            verdicts.append(text)

    threads = [threading.Thread(target=answer, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(verdicts)[:7] == ["Conflict"] * 7
    assert waits.look(db, job_id, 0).answer == sorted(verdicts)[7]
    assert [action for action, _, _ in journal(db, job_id)].count("job.called_back") == 1


def test_an_answer_to_another_call_does_not_wake_the_job(clocked_db: Database) -> None:
    start_worker(clocked_db)
    job_id, key = asleep_for_an_answer(clocked_db)
    lie_down(clocked_db, key, callback=7, position=1)
    CallbackService(clocked_db).receive(job_id, "token", {"n": 1})
    due = row(clocked_db, job_id)["run_at"] - waits.look(clocked_db, job_id, None).now
    assert due == HOUR * MICROSECONDS
