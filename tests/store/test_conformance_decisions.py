from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from agent_console.domain.checkpoints import CheckpointStatus, CheckpointVerb
from agent_console.domain.errors import Conflict, NotFound
from agent_console.domain.jobs import JobStatus, JobVerb
from agent_console.store import job_writes
from agent_console.store.database import Database
from agent_console.store.deadlines import expire_due
from agent_console.store.run_records import load_record
from agent_console.store.runs import suspend
from agent_console.testing import FakeClock
from tests.support.factories import ADA, RAY, enqueue
from tests.support.runs import checkpoint, claim_one, decide, journal, row

HOUR = timedelta(hours=1)
TICK = timedelta(microseconds=1)
APPROVE, REJECT = CheckpointVerb.APPROVE, CheckpointVerb.REJECT


def asked(db: Database, expires_in: timedelta | None = HOUR) -> tuple[str, str]:
    """Return job and checkpoint of a job that waits."""
    job_id = enqueue(db)
    return job_id, suspend(db, claim_one(db).key, checkpoint(expires_in=expires_in))


def status_of(db: Database, checkpoint_id: str) -> str:
    with db.read() as reader:
        found = reader.row(
            "SELECT status FROM agent_checkpoints WHERE id = :id", {"id": checkpoint_id}
        )
    assert found is not None
    return str(found[0])


def test_a_decision_job_and_journal_change_together(db: Database) -> None:
    job_id, checkpoint_id = asked(db)
    decided = decide(db, checkpoint_id)
    assert decided.status is CheckpointStatus.APPROVED
    assert (decided.decided_by, decided.decided_by_name) == ("usr_ray", "Ray")
    assert decided.decided_at is not None
    assert row(db, job_id)["status"] == JobStatus.QUEUED
    assert journal(db, job_id)[-2:] == [
        ("checkpoint.approved", "PENDING", "APPROVED"),
        ("job.woken", "WAITING", "QUEUED"),
    ]


def test_the_second_decision_is_told_who_won_and_when(db: Database) -> None:
    job_id, checkpoint_id = asked(db)
    decide(db, checkpoint_id, APPROVE, actor=RAY)
    entries = journal(db, job_id)
    with pytest.raises(Conflict) as refused:
        decide(db, checkpoint_id, REJECT, actor=ADA, reason="no")
    assert refused.value.context["currentStatus"] == "APPROVED"
    assert refused.value.context["decidedBy"] == "Ray"
    assert str(refused.value.context["decidedAt"]).endswith("Z")
    assert journal(db, job_id) == entries


def test_of_a_hundred_conflicting_decisions_one_wins(db: Database, database_url: str) -> None:
    job_id, checkpoint_id = asked(db)
    databases = [db, Database(database_url)]
    barrier = threading.Barrier(20)

    def one(number: int) -> str:
        if number < 20:
            barrier.wait()
        try:
            verb = (APPROVE, REJECT)[number % 2]
            return decide(databases[number % 4 // 2], checkpoint_id, verb, reason="r").status
        except Conflict as error:
            return f"{error.status} {error.context['decidedBy']}"

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(one, range(100)))
    databases[1].close()
    assert answers.count("409 Ray") == 99
    assert status_of(db, checkpoint_id) in answers
    verdicts = [a for a, before, _ in journal(db, job_id) if before == "PENDING" and "check" in a]
    assert len(verdicts) == 1


@pytest.mark.parametrize(("before_deadline", "wins"), [(TICK, True), (TICK * 0, False)])
def test_the_deadline_is_the_first_instant_that_is_too_late(
    clocked_db: Database, fake_clock: FakeClock, before_deadline: timedelta, wins: bool
) -> None:
    job_id, checkpoint_id = asked(clocked_db)
    fake_clock.advance(HOUR - before_deadline)
    if wins:
        assert expire_due(clocked_db) == 0
        decide(clocked_db, checkpoint_id)
        assert status_of(clocked_db, checkpoint_id) == "APPROVED"
    else:
        with pytest.raises(Conflict) as refused:
            decide(clocked_db, checkpoint_id)
        assert refused.value.context["currentStatus"] == "EXPIRED"
        assert status_of(clocked_db, checkpoint_id) == "EXPIRED"
    assert row(clocked_db, job_id)["status"] == JobStatus.QUEUED  # woken either way


def test_the_sweep_expires_what_is_due_and_wakes_the_job(
    clocked_db: Database, fake_clock: FakeClock
) -> None:
    job_id, due = asked(clocked_db)
    _, later = asked(clocked_db, HOUR + TICK)
    _, never = asked(clocked_db, None)
    fake_clock.advance(HOUR)
    assert expire_due(clocked_db) == 1
    assert expire_due(clocked_db) == 0
    found = [status_of(clocked_db, each) for each in (due, later, never)]
    assert found == ["EXPIRED", "PENDING", "PENDING"]
    assert load_record(clocked_db, job_id).decisions[0].status is CheckpointStatus.EXPIRED
    assert claim_one(clocked_db).key.job_id == job_id


def test_decisions_and_the_sweep_race_to_one_outcome(
    clocked_db: Database, database_url: str, fake_clock: FakeClock
) -> None:
    made = [asked(clocked_db) for _ in range(20)]
    fake_clock.advance(HOUR - TICK)
    other = Database(database_url, clock=fake_clock)
    barrier = threading.Barrier(3)

    def approve_all() -> int:
        barrier.wait()
        won = 0
        for _, checkpoint_id in made:
            try:
                decide(clocked_db, checkpoint_id)
                won += 1
            except Conflict:
                continue
        return won

    def sweep() -> int:
        barrier.wait()
        fake_clock.advance(TICK)
        return sum(expire_due(other, 3) for _ in range(10))

    with ThreadPoolExecutor(2) as pool:
        approving, sweeping = pool.submit(approve_all), pool.submit(sweep)
        barrier.wait()
        approved, _ = approving.result(), sweeping.result()
    other.close()
    statuses = [status_of(clocked_db, checkpoint_id) for _, checkpoint_id in made]
    assert statuses.count("APPROVED") == approved
    assert statuses.count("EXPIRED") == 20 - approved
    for job_id, _ in made:
        assert row(clocked_db, job_id)["status"] == JobStatus.QUEUED
        assert [a for a, before, _ in journal(clocked_db, job_id) if before == "WAITING"] != []


def test_a_checkpoint_of_a_canceled_job_is_canceled_with_it(db: Database) -> None:
    job_id, checkpoint_id = asked(db)
    db.write(lambda tx: job_writes.control(tx, job_id, JobVerb.CANCEL, ADA))
    assert status_of(db, checkpoint_id) == "CANCELED"
    with pytest.raises(Conflict) as refused:
        decide(db, checkpoint_id)
    assert refused.value.context["currentStatus"] == "CANCELED"
    assert row(db, job_id)["status"] == JobStatus.CANCELED


def test_cancellations_and_decisions_race_to_a_legal_end(db: Database, database_url: str) -> None:
    made = [asked(db) for _ in range(20)]
    other = Database(database_url)

    def cancel(pair: tuple[str, str]) -> None:
        other.write(lambda tx: job_writes.control(tx, pair[0], JobVerb.CANCEL, ADA))

    def approve(pair: tuple[str, str]) -> bool:
        try:
            decide(db, pair[1])
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        approvals = [pool.submit(approve, pair) for pair in made]
        cancels = [pool.submit(cancel, pair) for pair in made]
        won = [future.result() for future in approvals]
        for future in cancels:
            future.result()  # a cancellation is never refused
    other.close()
    for (job_id, checkpoint_id), approved in zip(made, won, strict=True):
        assert row(db, job_id)["status"] == JobStatus.CANCELED
        assert status_of(db, checkpoint_id) == ("APPROVED" if approved else "CANCELED")


def test_a_decision_for_a_paused_job_is_kept_until_it_is_resumed(db: Database) -> None:
    job_id, checkpoint_id = asked(db)
    db.write(lambda tx: job_writes.control(tx, job_id, JobVerb.PAUSE, ADA))
    decide(db, checkpoint_id)
    assert row(db, job_id)["status"] == JobStatus.PAUSED
    db.write(lambda tx: job_writes.control(tx, job_id, JobVerb.RESUME, ADA))
    assert claim_one(db).attempt == 1


def test_what_does_not_exist_cannot_be_decided(db: Database) -> None:
    with pytest.raises(NotFound, match="chk_nothing"):
        decide(db, "chk_nothing")
