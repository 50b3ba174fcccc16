"""Questions in both databases: any answer to the letter, one of many, bound to what was asked."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from agent_console.domain.checkpoints import CheckpointStatus, CheckpointVerb
from agent_console.domain.errors import Conflict
from agent_console.domain.jobs import JobStatus
from agent_console.domain.payload import canonical, digest, loads
from agent_console.store.claims import claim
from agent_console.store.database import Database
from agent_console.store.deadlines import expire_due
from agent_console.store.run_records import load_record
from agent_console.store.runs import suspend
from agent_console.testing import FakeClock
from tests.store.test_conformance_votes import (
    HOUR,
    PEOPLE,
    TICK,
    count_votes,
    policy,
    staff,
    stored,
)
from tests.support.factories import enqueue
from tests.support.runs import checkpoint, claim_one, decide, journal, row

ANSWER = CheckpointVerb.ANSWER
TICKS = {
    "type": "array",
    "items": {"type": "string", "enum": ["mail", "übermorgen", "1 < 2"]},
    "uniqueItems": True,
}
FORM = {
    "type": "object",
    "properties": {"to": {"type": "string"}, "nights": {"type": "integer"}},
    "required": ["to"],
}
ONE_OF = {"type": "string", "enum": ["red", "green"]}


def question(
    db: Database, schema: Any = ONE_OF, default: Any = None, expires_in: timedelta = HOUR
) -> tuple[str, str]:
    """Return job and checkpoint of a job that waits for an answer."""
    job_id = enqueue(db)
    asked = checkpoint(answer=schema, default=default, expires_in=expires_in)
    return job_id, suspend(db, claim_one(db).key, asked)


@pytest.mark.parametrize(
    ("schema", "answer"),
    [
        (ONE_OF, "red"),
        (TICKS, ["1 < 2", "übermorgen"]),
        (TICKS, []),
        (FORM, {"to": "Zürich\u2028\"'", "nights": 2}),
        ({"type": "number"}, 0.1),
        ({"type": "integer"}, 2**53 - 1),
        ({"type": "boolean"}, False),
        ({"type": "string"}, ""),
    ],
    ids=["option", "ticks", "none-ticked", "form", "number", "large", "false", "empty"],
)
def test_schema_and_answer_come_back_to_the_letter_and_the_job_goes_on(
    db: Database, schema: Any, answer: Any
) -> None:
    job_id, asked = question(db, schema)
    kept = stored(db, asked)
    assert loads(kept["answer_schema"]) == schema
    assert kept["payload_digest"] == digest(kept["payload"])
    decided = decide(db, asked, ANSWER, response=answer)
    assert (decided.status, decided.response) == (CheckpointStatus.APPROVED, answer)
    assert type(decided.response) is type(answer)
    assert stored(db, asked)["response"] == canonical(answer)
    (known,) = load_record(db, job_id).decisions.values()
    assert (known.status, known.response) == (CheckpointStatus.APPROVED, canonical(answer))
    assert claim_one(db).key.job_id == job_id


@pytest.mark.parametrize(
    ("change", "to"),
    [
        ("response", '"green"'),
        ("response", None),
        ("payload", canonical({"action": "write", "data": "something else"})),
        ("decision_digest", digest("of another decision")),
    ],
)
def test_what_was_answered_is_bound_to_what_was_asked(
    db: Database, change: str, to: str | None
) -> None:
    staff(db)
    policy(db, required_approvals=2)
    job_id, asked = question(db)
    for person in PEOPLE[:2]:
        decide(db, asked, ANSWER, response="red", actor=person)
    db.write(
        lambda tx: tx.execute(
            f"UPDATE agent_checkpoints SET {change} = :to WHERE id = :id",
            {"to": to, "id": asked},
        )
    )
    assert claim(db, "w1", 1) == []
    assert row(db, job_id)["status"] == JobStatus.WAITING
    again = stored(db, asked)
    assert (again["status"], again["response"]) == ("PENDING", None)
    assert count_votes(db, asked) == 0, "who agreed has agreed to something else"


def test_of_answers_from_everywhere_the_first_that_two_give_is_the_answer(
    db: Database, database_url: str
) -> None:
    staff(db)
    policy(db, required_approvals=2)
    questions = [question(db) for _ in range(4)]
    databases = [db, Database(database_url)]
    barrier = threading.Barrier(len(PEOPLE))

    def one(number: int) -> Counter[str]:
        told: Counter[str] = Counter()
        barrier.wait()
        for _, asked in questions:
            said = ("red", "green")[number // 2 % 2]
            try:
                done = decide(
                    databases[number % 2], asked, ANSWER, response=said, actor=PEOPLE[number]
                )
                told[done.status] += 1
            except Conflict:
                told["late"] += 1
        return told

    with ThreadPoolExecutor(len(PEOPLE)) as pool:
        told = sum(pool.map(one, range(len(PEOPLE))), Counter[str]())
    databases[1].close()
    assert told["APPROVED"] == len(questions)
    # One vote on the answer that won, at most one on the other, before somebody agreed.
    assert len(questions) <= told["PENDING"] <= 2 * len(questions)
    for job_id, asked in questions:
        found = stored(db, asked)
        with db.read() as reader:
            ((entry,),) = reader.rows(
                "SELECT data FROM audit_logs WHERE action = 'checkpoint.approved'"
                " AND checkpoint_id = :id",
                {"id": asked},
            )
        facts = loads(entry)
        assert isinstance(facts, dict)
        assert canonical(facts["answer"]) == found["response"]
        assert facts["answerDigest"] == digest(found["response"])
        agreed = facts["agreed"]
        assert isinstance(agreed, list)
        assert len({*agreed, found["approved_by_name"]}) == 2
        assert [action for action, _, _ in journal(db, job_id)].count("job.woken") == 1
        assert claim(db, "w1", 1), "both votes hold"


def test_answers_and_the_default_at_the_deadline_race_to_one_end(
    clocked_db: Database, database_url: str, fake_clock: FakeClock
) -> None:
    db = clocked_db
    questions = [question(db, default="green") for _ in range(20)]
    fake_clock.advance(HOUR - TICK)
    other = Database(database_url, clock=fake_clock)
    barrier = threading.Barrier(3)
    faster = set()

    def answer() -> set[str]:
        barrier.wait()
        won = set()
        for _, asked in questions:
            try:
                decide(db, asked, ANSWER, response="red")
                won.add(asked)
            except Conflict as late:
                faster.add(late.context["decidedBy"])
        return won

    def sweep() -> None:
        barrier.wait()
        fake_clock.advance(TICK)
        while any(stored(other, asked)["status"] == "PENDING" for _, asked in questions):
            expire_due(other, 3)

    with ThreadPoolExecutor(2) as pool:
        answering, sweeping = pool.submit(answer), pool.submit(sweep)
        barrier.wait()
        won = answering.result()
        sweeping.result()
    other.close()
    assert faster <= {"policy"}
    for job_id, asked in questions:
        found = stored(db, asked)
        by, said = ("Ray", '"red"') if asked in won else ("policy", '"green"')
        assert (found["status"], found["approved_by_name"], found["response"]) == (
            "APPROVED",
            by,
            said,
        )
        actions = Counter(action for action, _, _ in journal(db, job_id))
        assert (actions["checkpoint.approved"], actions["job.woken"]) == (1, 1)
    assert len(claim(db, "w1", len(questions))) == len(questions), "defaults are bound as well"
