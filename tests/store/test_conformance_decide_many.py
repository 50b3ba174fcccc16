"""Many checkpoints decided at once: each as if it were alone, whatever becomes of the others."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from agent_console.domain.checkpoints import CheckpointStatus, CheckpointVerb, Verdict
from agent_console.domain.errors import Conflict, Forbidden
from agent_console.domain.events import Event
from agent_console.domain.jobs import JobStatus, JobVerb, Json
from agent_console.domain.rulings import Fate
from agent_console.store import decisions, job_writes
from agent_console.store.cases import Case
from agent_console.store.claims import claim
from agent_console.store.database import Database
from agent_console.store.deadlines import expire_due
from agent_console.store.tallies import CHECKPOINTS_TOTAL, TOTALS
from agent_console.store.transactions import Tx
from agent_console.testing import FakeClock
from tests.support.factories import ADA, RAY
from tests.support.runs import decide, decide_many, journal, row, waiting_many

HOUR = timedelta(hours=1)
REJECT = CheckpointVerb.REJECT
APPROVE = Verdict(verb=CheckpointVerb.APPROVE)


def job_of(db: Database, checkpoint_id: str) -> str:
    return str(_column(db, checkpoint_id, "job_id"))


def status_of(db: Database, checkpoint_id: str) -> str:
    return str(_column(db, checkpoint_id, "status"))


def _column(db: Database, checkpoint_id: str, name: str) -> Any:
    with db.read() as reader:
        (found,) = reader.dicts(
            "SELECT * FROM agent_checkpoints WHERE id = :id", {"id": checkpoint_id}
        )
    return found[name]


def total(db: Database, status: str) -> float:
    with db.read() as reader:
        found = reader.row(
            f"SELECT sum(value) FROM {TOTALS} WHERE name = :name AND labels = :labels",
            {"name": CHECKPOINTS_TOTAL, "labels": status},
        )
    return float(found[0] or 0) if found else 0.0


def test_each_is_decided_journaled_counted_and_resumed(db: Database) -> None:
    asked = waiting_many(db, 5)
    heard: list[Event] = []
    db.subscribe(heard.extend)
    rulings = decide_many(db, asked, REJECT, reason="no", feedback="all alike")
    assert [one.checkpoint_id for one in rulings] == asked
    assert {(one.fate, one.status, one.message) for one in rulings} == {
        (Fate.DECIDED, CheckpointStatus.REJECTED, "")
    }
    for one in rulings:
        assert (one.decided_by_name, one.decided_at is not None) == ("Ray", True)
        job_id = str(one.job_id)
        assert row(db, job_id)["status"] == JobStatus.QUEUED
        assert journal(db, job_id)[-2:] == [
            ("checkpoint.rejected", "PENDING", "REJECTED"),
            ("job.woken", "WAITING", "QUEUED"),
        ]
        assert _column(db, one.checkpoint_id, "rejection_reason") == "no"
        assert _column(db, one.checkpoint_id, "feedback") == "all alike"
        assert _column(db, one.checkpoint_id, "decision_digest") == one.payload_digest
    assert Counter(event.action for event in heard) == {"checkpoint.rejected": 5, "job.woken": 5}
    assert total(db, "REJECTED") == 5
    resumed = claim(db, "w2", 9)
    assert {one.attempt for one in resumed} == {1}
    assert len(resumed) == 5


def test_what_is_refused_keeps_no_other_back(clocked_db: Database, fake_clock: FakeClock) -> None:
    db = clocked_db
    (overdue,) = waiting_many(db, 1, HOUR)
    taken, canceled, paused, own, open_ = waiting_many(db, 5, HOUR * 2)
    decide(db, taken, actor=ADA)
    db.write(lambda tx: job_writes.control(tx, job_of(db, canceled), JobVerb.CANCEL, ADA))
    db.write(lambda tx: job_writes.control(tx, job_of(db, paused), JobVerb.PAUSE, ADA))
    fake_clock.advance(HOUR)

    def check(_tx: Tx, case: Case) -> dict[str, Json]:
        if case.id == own:
            raise Forbidden("your own")
        return {}

    asked = [overdue, taken, "chk_x", canceled, paused, own, open_]
    verdicts = dict.fromkeys(asked, APPROVE)
    rulings, _ = db.write(
        lambda tx: decisions.decide_many(tx, verdicts, actor=RAY, key=None, check=check)
    )
    assert [(one.checkpoint_id, one.fate) for one in rulings] == [
        (overdue, Fate.EXPIRED),
        (taken, Fate.ALREADY_DECIDED),
        ("chk_x", Fate.NOT_FOUND),
        (canceled, Fate.NOT_OPEN),
        (paused, Fate.DECIDED),
        (own, Fate.FORBIDDEN),
        (open_, Fate.DECIDED),
    ]
    told = {one.checkpoint_id: one for one in rulings}
    assert (told[taken].decided_by_name, told[taken].status) == ("Ada", "APPROVED")
    assert "Ada was faster" in told[taken].message
    assert "expired at" in told[overdue].message
    assert told[overdue].status is CheckpointStatus.EXPIRED
    assert (told[own].status, told[own].open) == (CheckpointStatus.PENDING, True)
    jobs = [row(db, job_of(db, one))["status"] for one in (overdue, paused, own, open_)]
    assert jobs == [JobStatus.QUEUED, JobStatus.PAUSED, JobStatus.WAITING, JobStatus.QUEUED]
    again = {one.checkpoint_id: one.fate for one in decide_many(db, [overdue, open_])}
    assert again == {overdue: Fate.EXPIRED, open_: Fate.ALREADY_DECIDED}


def test_a_microsecond_before_their_deadline_they_can_be_decided(
    clocked_db: Database, fake_clock: FakeClock
) -> None:
    asked = waiting_many(clocked_db, 3, HOUR)
    fake_clock.advance(HOUR - timedelta(microseconds=1))
    assert {one.fate for one in decide_many(clocked_db, asked)} == {Fate.DECIDED}


@pytest.mark.parametrize("singles", [1, 6])
def test_with_single_deciders_at_the_same_time_each_has_one_winner(
    db: Database, database_url: str, singles: int
) -> None:
    asked = waiting_many(db, 40)
    other = Database(database_url)
    barrier = threading.Barrier(singles + 2)
    losers: list[str] = []

    def together(order: list[str]) -> list[str]:
        barrier.wait()
        return [one.checkpoint_id for one in decide_many(db, order) if one.decided]

    def alone(number: int) -> list[str]:
        barrier.wait()
        return [one for one in asked[number::singles] if rejected_by_ada(one)]

    def rejected_by_ada(one: str) -> bool:
        try:
            decide(other, one, REJECT, actor=ADA, reason="no")
        except Conflict as lost:
            losers.append(str(lost.context["decidedBy"]))
            return False
        return True

    with ThreadPoolExecutor(singles + 2) as pool:
        many = [pool.submit(together, order) for order in (asked, asked[::-1])]
        few = [pool.submit(alone, number) for number in range(singles)]
        approved = [one for each in many for one in each.result()]
        rejected = [one for each in few for one in each.result()]
    other.close()
    assert sorted(approved + rejected) == sorted(asked)
    assert losers == ["Ray"] * len(approved)
    for one in asked:
        assert status_of(db, one) == ("APPROVED" if one in approved else "REJECTED")
        actions = [action for action, _, _ in journal(db, job_of(db, one))]
        assert actions.count("job.woken") == 1
        assert sum(a in {"checkpoint.approved", "checkpoint.rejected"} for a in actions) == 1
    assert (total(db, "APPROVED"), total(db, "REJECTED")) == (len(approved), len(rejected))


def test_cancellations_and_a_sweep_meet_it_without_harm(
    clocked_db: Database, database_url: str, fake_clock: FakeClock
) -> None:
    asked = [*waiting_many(clocked_db, 20, HOUR), *waiting_many(clocked_db, 20, HOUR * 2)]
    jobs = {one: job_of(clocked_db, one) for one in asked}
    other = Database(database_url, clock=fake_clock)
    barrier = threading.Barrier(3)

    def approve() -> dict[str, Fate]:
        barrier.wait()
        return {one.checkpoint_id: one.fate for one in decide_many(clocked_db, asked)}

    def cancel() -> None:
        barrier.wait()
        for one in asked[::-2]:
            other.write(lambda tx, job=jobs[one]: job_writes.control(tx, job, JobVerb.CANCEL, ADA))

    def sweep() -> None:
        barrier.wait()
        fake_clock.advance(HOUR)
        expire_due(other)

    with ThreadPoolExecutor(3) as pool:
        futures = [pool.submit(call) for call in (approve, cancel, sweep)]
        fates = futures[0].result()
        for future in futures[1:]:
            future.result()
    other.close()
    for one in asked:
        status = status_of(clocked_db, one)
        assert (fates[one] is Fate.DECIDED) == (status == "APPROVED")
        actions = [action for action, _, _ in journal(clocked_db, jobs[one])]
        assert sum(a.startswith("checkpoint.") for a in actions) == 2  # asked, and ended once
    ends = {row(clocked_db, job)["status"] for job in jobs.values()}
    assert ends <= {JobStatus.QUEUED, JobStatus.CANCELED}
