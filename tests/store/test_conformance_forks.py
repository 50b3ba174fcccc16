"""Cuts and forks of records: the same on both databases."""

from __future__ import annotations

from typing import Any

from agent_console.domain.jobs import JobVerb, NewJob
from agent_console.domain.parking import ParkCode
from agent_console.domain.review_policies import Automatic, Terms
from agent_console.store import forks, job_writes, parking, review_policies, rewinds
from agent_console.store.claims import claim
from agent_console.store.database import Database
from agent_console.store.finishes import finish
from agent_console.store.ids import new_id
from agent_console.store.liveness import rescue
from agent_console.store.policy_approvals import put_up
from agent_console.store.rechecks import Approval
from agent_console.store.record_cuts import cut
from agent_console.store.run_records import load_record
from agent_console.store.runs import record_step, save_artifact, suspend
from agent_console.store.transactions import Queries
from tests.support.factories import ADA, enqueue
from tests.support.runs import (
    artifact,
    checkpoint,
    claim_one,
    decide,
    end,
    journal,
    row,
    start_worker,
    step,
)


def rows(db: Database, sql: str, **params: Any) -> list[dict[str, Any]]:
    with db.read() as reader:
        return reader.dicts(sql, params)


def approved(db: Database) -> str:
    """Return a job with a step, an artifact, an approval, and a step upon it; it is FAILED."""
    start_worker(db)
    job_id = enqueue(db)
    key = claim_one(db).key
    record_step(db, key, step(0, "done"))
    save_artifact(db, key, artifact(1))
    decide(db, suspend(db, key, checkpoint(2, {"n": 1}), []))
    again = claim_one(db).key
    record_step(db, again, step(3, "acted", name="act"))
    finish(db, [end(again, JobVerb.FAIL)])
    return job_id


def fork(db: Database, job_id: str, position: int, stands: Any = None) -> str:
    made_id = new_id("job")

    def work(tx: Any) -> None:
        original = rewinds.locked(tx, job_id)
        planned = forks.plan(
            tx, original, forks.Point(position=position, edited=False, stands=stands)
        )
        made = job_writes.enqueue(
            tx, made_id, NewJob(job_type="noop"), max_attempts=3, actor=ADA, key=None
        )
        forks.copy_record(tx, original, made.job, planned, ADA)

    db.write(work)
    return made_id


def refused(_: Queries, approval: Approval) -> str:
    return f"{approval.decided_by_name} may not."


def test_a_cut_frees_positions_and_keeps_history(db: Database) -> None:
    job_id = approved(db)
    db.write(lambda tx: cut(tx, job_id, 1))
    assert [one.position for one in load_record(db, job_id).steps] == [0]
    assert rows(db, "SELECT position FROM agent_checkpoints") == [{"position": -2}]
    assert rows(db, "SELECT position FROM work_artifacts") == [{"position": -1}]
    db.write(lambda tx: cut(tx, job_id, 0))
    assert load_record(db, job_id).steps == []


def test_a_fork_has_the_record_to_the_letter(db: Database) -> None:
    job_id = approved(db)
    made = fork(db, job_id, 4)
    theirs, ours = load_record(db, job_id), load_record(db, made)
    assert [(s.position, s.kind, s.result) for s in ours.steps] == [
        (s.position, s.kind, s.result) for s in theirs.steps
    ]
    assert ours.decisions[2].payload_digest == theirs.decisions[2].payload_digest
    assert ours.decisions[2].checkpoint_id != theirs.decisions[2].checkpoint_id
    copied = rows(db, "SELECT id, forked_from FROM work_artifacts WHERE job_id = :id", id=made)
    assert copied[0]["forked_from"] == load_record(db, job_id).steps[1].result
    with db.read() as reader:
        assert [line.id for line in forks.of_job(reader, job_id)] == [made]


def test_the_first_claim_of_a_fork_loads_its_record_and_checks_its_approvals(db: Database) -> None:
    made = fork(db, approved(db), 4)
    claimed = claim_one(db)
    assert (claimed.key.job_id, claimed.fresh, claimed.attempt) == (made, False, 1)
    assert journal(db, made)[-1] == ("job.started", "PENDING", "RUNNING")


def test_a_copied_decision_that_was_tampered_with_is_asked_again(db: Database) -> None:
    made = fork(db, approved(db), 3)
    db.write(
        lambda tx: tx.execute(
            "UPDATE agent_checkpoints SET payload = replace(payload, '1', '2') WHERE job_id = :id",
            {"id": made},
        )
    )
    assert claim(db, "w1", 1) == []
    assert row(db, made)["status"] == "WAITING"
    assert journal(db, made)[-1] == ("job.returned", "PENDING", "WAITING")


def test_what_was_copied_was_not_done_by_the_fork(db: Database) -> None:
    """The policy is asked although a step follows, and what followed is not relied upon."""
    made = fork(db, approved(db), 4)
    assert claim(db, "w1", 1, stands=refused) == []
    assert row(db, made)["status"] == "WAITING"
    assert [one.position for one in load_record(db, made).steps] == [0, 1, 2]
    assert row(db, made)["forked_position"] == 3


def test_once_the_fork_has_acted_upon_it_an_approval_is_history(db: Database) -> None:
    made = fork(db, approved(db), 4)
    key = claim_one(db).key
    record_step(db, key, step(4, "own", name="own"))
    finish(db, [end(key, JobVerb.RETRY_LATER)])
    assert [one.key.job_id for one in claim(db, "w1", 1, stands=refused)] == [made]


def test_a_decision_that_does_not_stand_for_whoever_forks_ends_what_is_reused(
    db: Database,
) -> None:
    job_id = approved(db)
    with db.read() as reader:
        original = rewinds.found(reader, job_id)
        planned = forks.plan(
            reader, original, forks.Point(position=4, edited=False, stands=refused)
        )
    assert (planned.position, planned.reason) == (2, "Ray may not.")
    assert [one.reason for one in planned.asked_again] == ["Ray may not."]


def unknown(db: Database, job_type: str) -> str:
    """Return a job that is parked because nobody knows its type."""
    job_id = enqueue(db, job_type)
    key = claim_one(db).key
    finish(
        db,
        [end(key, JobVerb.PARK, park_reason="No handler.", park_code=ParkCode.NO_HANDLER)],
    )
    return job_id


def test_jobs_of_an_unknown_type_go_on_when_somebody_knows_it(db: Database) -> None:
    start_worker(db)  # which knows noop
    other = unknown(db, "other")
    known = unknown(db, "noop")
    assert parking.sweep(db) == 1
    assert [row(db, one)["status"] for one in (other, known)] == ["PARKED", "QUEUED"]
    assert journal(db, known)[-1] == ("job.resumed", "PARKED", "QUEUED")
    assert parking.sweep(db) == 0
    assert claim_one(db).attempt == 1  # nobody is charged for it


def test_a_worker_that_introduces_itself_frees_what_it_knows(db: Database) -> None:
    start_worker(db)
    job_id = unknown(db, "noop")
    start_worker(db, "w2")
    assert row(db, job_id)["status"] == "QUEUED"


def test_poison_says_so_as_data(db: Database) -> None:
    start_worker(db)
    job_id = enqueue(db)
    claim_one(db)
    assert rescue(db, 15.0, 1, ["w1"]) == 1
    found = row(db, job_id)
    assert (found["status"], found["park_code"], found["park_detail"]) == (
        "PARKED",
        "poison",
        '{"claims":1}',
    )


def test_a_copy_was_approved_by_no_rule_of_its_own(db: Database) -> None:
    terms = Terms(automatic=Automatic(up_to="LOW"))
    db.write(lambda tx: review_policies.save(tx, "noop", "", terms, base_version=None, actor=ADA))
    job_id = enqueue(db)
    key = claim_one(db).key
    assert put_up(db, key, checkpoint(0)).approved
    record_step(db, key, step(1, "acted"))
    finish(db, [end(key, JobVerb.FAIL)])
    copy = fork(db, job_id, 1)
    found = rows(db, "SELECT job_id, rule_id IS NULL AS none FROM agent_checkpoints")
    assert {row["job_id"]: bool(row["none"]) for row in found} == {job_id: False, copy: True}
