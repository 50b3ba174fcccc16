"""Several people decide at once: whatever meets, each checkpoint ends once, by enough of them."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from agent_console.domain.access import ROLE_PERMISSIONS, Actor, Role
from agent_console.domain.checkpoints import CheckpointStatus, CheckpointVerb
from agent_console.domain.errors import Conflict
from agent_console.domain.jobs import JobStatus
from agent_console.domain.payload import canonical, digest
from agent_console.domain.review_policies import AtDeadline, Deadline, ReviewPolicy, Terms
from agent_console.domain.rulings import Fate
from agent_console.store import review_policies, votes
from agent_console.store.database import Database
from agent_console.store.deadlines import expire_due
from agent_console.store.reminders import remind_due
from agent_console.testing import FakeClock
from tests.store.test_conformance_costs import sent  # noqa: F401 - a fixture
from tests.support.factories import ADA, RAY, employ
from tests.support.runs import decide, decide_many, journal, row, waiting_many

HOUR = timedelta(hours=1)
TICK = timedelta(microseconds=1)
PEOPLE = [
    Actor(
        kind="user",
        id=f"usr_{n}",
        name=f"Person {n}",
        role=Role.REVIEWER,
        permissions=ROLE_PERMISSIONS[Role.REVIEWER],
    )
    for n in range(8)
]


def policy(db: Database, **terms: Any) -> ReviewPolicy:
    made = Terms(**terms)
    return db.write(
        lambda tx: review_policies.save(tx, "noop", "", made, base_version=None, actor=ADA)
    )


def staff(db: Database) -> None:
    for one in (ADA, RAY, *PEOPLE):
        employ(db, one)


def stored(db: Database, checkpoint_id: str) -> dict[str, Any]:
    with db.read() as reader:
        (found,) = reader.dicts(
            "SELECT * FROM agent_checkpoints WHERE id = :id", {"id": checkpoint_id}
        )
    return found


def count_votes(db: Database, checkpoint_id: str) -> int:
    with db.read() as reader:
        return len(votes.of(reader, [checkpoint_id])[checkpoint_id])


@pytest.mark.parametrize("needed", [2, 3])
def test_of_many_last_votes_exactly_one_decides(
    db: Database, database_url: str, needed: int
) -> None:
    staff(db)
    policy(db, required_approvals=needed)
    asked = waiting_many(db, 6)
    databases = [db, Database(database_url)]
    barrier = threading.Barrier(len(PEOPLE))

    def one(number: int) -> Counter[str]:
        told: Counter[str] = Counter()
        barrier.wait()
        for checkpoint_id in asked:
            try:
                told[decide(databases[number % 2], checkpoint_id, actor=PEOPLE[number]).status] += 1
            except Conflict:
                told["late"] += 1
        return told

    with ThreadPoolExecutor(len(PEOPLE)) as pool:
        told = sum(pool.map(one, range(len(PEOPLE))), Counter[str]())
    databases[1].close()
    assert told == {
        "PENDING": len(asked) * (needed - 1),
        "APPROVED": len(asked),
        "late": len(asked) * (len(PEOPLE) - needed),
    }
    for checkpoint_id in asked:
        found = stored(db, checkpoint_id)
        assert found["status"] == "APPROVED"
        assert row(db, found["job_id"])["status"] == JobStatus.QUEUED
        actions = Counter(action for action, _, _ in journal(db, found["job_id"]))
        assert (actions["checkpoint.voted"], actions["checkpoint.approved"]) == (needed - 1, 1)
        assert actions["job.woken"] == 1


def test_the_same_person_twice_at_once_is_one_vote(db: Database, database_url: str) -> None:
    staff(db)
    policy(db, required_approvals=2)
    (checkpoint_id,) = waiting_many(db, 1)
    databases = [db, Database(database_url)]
    barrier = threading.Barrier(6)

    def one(number: int) -> str:
        barrier.wait()
        try:
            return decide(databases[number % 2], checkpoint_id, actor=RAY).status
        except Conflict as error:
            return "again" if "votes" in error.context else "?"

    with ThreadPoolExecutor(6) as pool:
        told = Counter(pool.map(one, range(6)))
    databases[1].close()
    assert told == {"PENDING": 1, "again": 5}
    assert count_votes(db, checkpoint_id) == 1


def test_last_votes_and_the_deadline_race_to_one_end(
    clocked_db: Database, database_url: str, fake_clock: FakeClock
) -> None:
    db = clocked_db
    staff(db)
    policy(db, required_approvals=2, deadline=Deadline(then=AtDeadline.REJECT))
    asked = waiting_many(db, 30, HOUR)
    decide_many(db, asked, actor=PEOPLE[0])
    fake_clock.advance(HOUR - TICK)
    other = Database(database_url, clock=fake_clock)
    barrier = threading.Barrier(3)

    faster = {"policy"}

    def approve() -> int:
        barrier.wait()
        won = 0
        for checkpoint_id in asked:
            try:
                won += decide(db, checkpoint_id).status is CheckpointStatus.APPROVED
            except Conflict as error:
                faster.add(str(error.context["decidedBy"]))
        return won

    def sweep() -> int:
        barrier.wait()
        fake_clock.advance(TICK)
        return sum(expire_due(other, 4) for _ in range(12))

    with ThreadPoolExecutor(2) as pool:
        approving, sweeping = pool.submit(approve), pool.submit(sweep)
        barrier.wait()
        won = approving.result()
        sweeping.result()
    other.close()
    assert faster == {"policy"}
    ends = Counter(stored(db, one)["status"] for one in asked)
    assert ends == Counter({"APPROVED": won, "REJECTED": len(asked) - won})
    for checkpoint_id in asked:
        job_id = stored(db, checkpoint_id)["job_id"]
        actions = [action for action, _, _ in journal(db, job_id)]
        assert sum(a in {"checkpoint.approved", "checkpoint.rejected"} for a in actions) == 1
        assert actions.count("job.woken") == 1


def test_a_vote_that_comes_at_the_deadline_is_not_kept(
    clocked_db: Database, fake_clock: FakeClock
) -> None:
    staff(clocked_db)
    policy(
        clocked_db,
        required_approvals=2,
        deadline=Deadline(then=AtDeadline.EXTEND, seconds=60),
    )
    (checkpoint_id,) = waiting_many(clocked_db, 1, HOUR)
    fake_clock.advance(HOUR)
    with pytest.raises(Conflict) as late:
        decide(clocked_db, checkpoint_id)
    assert "deadlineMoved" in late.value.context
    assert count_votes(clocked_db, checkpoint_id) == 0
    assert decide(clocked_db, checkpoint_id).status is CheckpointStatus.PENDING
    assert count_votes(clocked_db, checkpoint_id) == 1


def test_a_vote_on_another_content_does_not_count(db: Database) -> None:
    staff(db)
    policy(db, required_approvals=2)
    (checkpoint_id,) = waiting_many(db, 1)
    decide(db, checkpoint_id, actor=PEOPLE[0])
    changed = canonical({"action": "write", "data": "other", "changes": []})
    db.write(
        lambda tx: tx.execute(
            "UPDATE agent_checkpoints SET payload = :p, payload_digest = :d WHERE id = :id",
            {"p": changed, "d": digest(changed), "id": checkpoint_id},
        )
    )
    assert decide(db, checkpoint_id, actor=PEOPLE[1]).status is CheckpointStatus.PENDING
    assert decide(db, checkpoint_id, actor=PEOPLE[0]).status is CheckpointStatus.APPROVED


def test_two_first_policies_saved_at_once_are_one(db: Database, database_url: str) -> None:
    databases = [db, Database(database_url)]
    barrier = threading.Barrier(6)

    def one(number: int) -> str:
        barrier.wait()
        try:
            databases[number % 2].write(
                lambda tx: review_policies.save(
                    tx, "noop", "", Terms(note=str(number)), base_version=0, actor=ADA
                )
            )
        except Conflict:
            return "late"
        return "saved"

    with ThreadPoolExecutor(6) as pool:
        told = Counter(pool.map(one, range(6)))
    databases[1].close()
    assert told == {"saved": 1, "late": 5}
    with db.read() as reader:
        assert [one.version for one in review_policies.current(reader)] == [1]


VOTE = {"postgresql": 6, "sqlite": 8}
LAST_VOTE = {"postgresql": 7, "sqlite": 10}  # with the figures of reviews
DEADLINE = {"postgresql": 6, "sqlite": 9}


@pytest.mark.parametrize("many", [1, 100])
def test_votes_and_deadlines_cost_the_same_statements_however_many(
    clocked_db: Database,
    fake_clock: FakeClock,
    sent: list[str],  # noqa: F811
    many: int,
) -> None:
    db = clocked_db
    staff(db)
    policy(db, required_approvals=2, deadline=Deadline(then=AtDeadline.APPROVE))
    asked, overdue = waiting_many(db, many), waiting_many(db, many, HOUR)
    sent.clear()
    assert {one.fate for one in decide_many(db, asked, actor=PEOPLE[0])} == {Fate.VOTED}
    assert len(sent) <= VOTE[db.dialect], sent
    sent.clear()
    assert {one.fate for one in decide_many(db, asked, actor=PEOPLE[1])} == {Fate.DECIDED}
    assert len(sent) <= LAST_VOTE[db.dialect], sent
    fake_clock.advance(HOUR)
    sent.clear()
    assert expire_due(db) == many
    assert len(sent) <= DEADLINE[db.dialect], sent
    assert {stored(db, one)["status"] for one in overdue} == {"APPROVED"}


def test_many_reminders_go_page_by_page(
    clocked_db: Database, fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent_console.store.reminders.PAGE", 4)
    policy(clocked_db, remind_seconds=(60,))
    asked = waiting_many(clocked_db, 10, HOUR)
    fake_clock.advance(HOUR - timedelta(seconds=60))
    decide(clocked_db, asked[0], CheckpointVerb.APPROVE)
    assert [remind_due(clocked_db), remind_due(clocked_db)] == [9, 0]
