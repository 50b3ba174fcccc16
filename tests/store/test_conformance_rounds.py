"""The store counts rounds by itself, and links each to the one that was sent back."""

from __future__ import annotations

import json

import pytest

from agent_console.domain.checkpoints import Checkpoint, CheckpointStatus, CheckpointVerb
from agent_console.domain.errors import Conflict
from agent_console.domain.jobs import JobError, JobStatus, JobVerb
from agent_console.store import job_writes
from agent_console.store.database import Database
from agent_console.store.finishes import finish
from agent_console.store.metric_reads import read_figures
from agent_console.store.policy_approvals import put_up
from agent_console.store.reads import checkpoints as reads
from agent_console.store.run_records import load_record
from agent_console.store.runs import suspend
from agent_console.store.tallies import CHECKPOINTS_TOTAL
from tests.support.factories import ADA, enqueue
from tests.support.runs import checkpoint, claim_one, decide, end, journal, row

CHANGES, APPROVE = CheckpointVerb.REQUEST_CHANGES, CheckpointVerb.APPROVE


def ask(db: Database, position: int, rounds: int | None = 3) -> str:
    """Bring the one job to its next question."""
    return suspend(db, claim_one(db).key, checkpoint(position, {"n": position}, rounds=rounds))


def stored(db: Database, checkpoint_id: str) -> Checkpoint:
    with db.read() as reader:
        found = reads.get(reader, checkpoint_id)
    assert found is not None
    return found


def place(db: Database, checkpoint_id: str) -> tuple[int, int | None, str | None]:
    found = stored(db, checkpoint_id)
    return found.round, found.rounds, found.previous_id


def test_changes_that_are_requested_wake_the_job_and_are_journaled(db: Database) -> None:
    job_id = enqueue(db)
    first = ask(db, 0)
    done = decide(db, first, CHANGES, feedback="shorter")
    assert done.status is CheckpointStatus.CHANGES_REQUESTED
    assert (done.feedback, done.rejection_reason, done.decided_by_name) == ("shorter", None, "Ray")
    assert row(db, job_id)["status"] == JobStatus.QUEUED
    assert journal(db, job_id)[-2:] == [
        ("checkpoint.changes_requested", "PENDING", "CHANGES_REQUESTED"),
        ("job.woken", "WAITING", "QUEUED"),
    ]
    with db.read() as reader:
        (entry,) = reader.dicts(
            "SELECT data, verdict FROM audit_logs WHERE action = 'checkpoint.changes_requested'"
        )
    assert entry["verdict"] == "request_changes"
    assert json.loads(entry["data"])["feedback"] == "shorter"
    decision = load_record(db, job_id).decisions[0]
    assert (decision.status, decision.round, decision.rounds) == ("CHANGES_REQUESTED", 1, 3)


def test_they_are_tallied(db: Database) -> None:
    enqueue(db)
    decide(db, ask(db, 0), CHANGES, feedback="shorter")
    assert read_figures(db).sums[CHECKPOINTS_TOTAL] == {"PENDING": 1.0, "CHANGES_REQUESTED": 1.0}


def test_rounds_are_counted_and_linked(db: Database) -> None:
    enqueue(db)
    first = ask(db, 0)
    decide(db, first, CHANGES, feedback="shorter")
    second = ask(db, 1)
    decide(db, second, CHANGES, feedback="shorter still")
    third = ask(db, 2)
    assert place(db, first) == (1, 3, None)
    assert place(db, second) == (2, 3, first)
    assert place(db, third) == (3, 3, second)
    with db.read() as reader:
        found = reads.rounds_of(reader, stored(db, third).job_id)
    assert [(one.id, one.said, previous) for one, previous in found] == [
        (first, "shorter", None),
        (second, "shorter still", first),
        (third, "", second),
    ]


def test_what_was_approved_begins_anew(db: Database) -> None:
    enqueue(db)
    decide(db, ask(db, 0), APPROVE)
    assert place(db, ask(db, 1)) == (1, 3, None)


def test_questions_outside_of_rounds_come_between_and_count_for_nothing(db: Database) -> None:
    enqueue(db)
    first = ask(db, 0)
    decide(db, first, CHANGES, feedback="shorter")
    aside = ask(db, 1, rounds=None)
    assert place(db, aside) == (1, None, None)
    decide(db, aside, APPROVE)
    assert place(db, ask(db, 2)) == (2, 3, first)


def test_a_round_that_a_policy_approves_is_counted_as_well(db: Database) -> None:
    enqueue(db)
    first = ask(db, 0)
    decide(db, first, CHANGES, feedback="shorter")
    asked = checkpoint(1, rounds=3)
    second = put_up(db, claim_one(db).key, asked, "auto_approve_low_risk").id
    assert place(db, second) == (2, 3, first)


def test_of_two_verdicts_the_first_counts(db: Database) -> None:
    enqueue(db)
    first = ask(db, 0)
    decide(db, first, CHANGES, feedback="shorter")
    with pytest.raises(Conflict) as refused:
        decide(db, first, APPROVE, actor=ADA)
    assert refused.value.context["currentStatus"] == "CHANGES_REQUESTED"
    assert refused.value.context["decidedBy"] == "Ray"


@pytest.mark.parametrize(
    ("error", "kept"), [("ChangesRequested", False), ("ConnectionError", True)]
)
def test_a_retry_asks_again_only_if_nobody_made_the_changes(
    db: Database, error: str, kept: bool
) -> None:
    job_id = enqueue(db)
    first = ask(db, 0)
    decide(db, first, CHANGES, feedback="shorter")
    failed = end(claim_one(db).key, JobVerb.FAIL, error=JobError(error, "shorter"))
    finish(db, [failed])
    db.write(lambda tx: job_writes.control(tx, job_id, JobVerb.RETRY, ADA))
    assert (0 in load_record(db, job_id).decisions) is kept
    again = ask(db, 1 if kept else 0)
    assert place(db, again) == ((2, 3, first) if kept else (1, 3, None))
