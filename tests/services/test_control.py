from __future__ import annotations

from datetime import timedelta

import pytest

from agent_console.domain.access import Role
from agent_console.domain.checkpoints import CheckpointStatus, CheckpointVerb, Verdict
from agent_console.domain.errors import Conflict, Invalid, LostClaim, NotFound
from agent_console.domain.events import Event
from agent_console.domain.jobs import TRANSITIONS, JobError, JobStatus, JobVerb
from agent_console.services.jobs import ACTIONS, FAIL, FORK
from agent_console.store.finishes import finish
from agent_console.store.run_records import load_record
from agent_console.store.runs import record_step, save_artifact, suspend
from agent_console.store.transactions import Tx
from tests.services.conftest import Desk
from tests.support.runs import artifact, checkpoint, claim_one, end, row, step

REJECT = Verdict(verb=CheckpointVerb.REJECT, reason="no")
REJECTED = JobError("Rejected", "no")


def put(desk: Desk, job_id: str, status: JobStatus) -> None:
    """Set a status directly: transitions out of it are what is tested."""
    before = row(desk.db, job_id)["status"]

    def work(tx: Tx) -> None:
        tx.execute(
            "UPDATE ai_jobs SET status = :status, attempts = 3 WHERE id = :id",
            {"status": status.value, "id": job_id},
        )
        tx.record(Event(action="job.put", job_id=job_id, before=before, after=status.value))

    desk.db.write(work)


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_follows_the_table_and_says_so_beforehand(desk: Desk, action: str) -> None:
    actor = desk.actor(Role.OPERATOR)
    for status in JobStatus:
        job_id = desk.job(actor)
        put(desk, job_id, status)
        allowed = desk.services.jobs.get(actor, job_id).allowed[action]  # type: ignore[index]
        target = TRANSITIONS.get((status, JobVerb(action)))
        if target is None:
            with pytest.raises(Conflict) as refused:
                desk.services.jobs.control(actor, job_id, action)  # type: ignore[arg-type]
            assert refused.value.context["currentStatus"] == status.value
            assert allowed == refused.value.message
            assert desk.status(actor, job_id) == status.value
        else:
            assert allowed == ""
            changed = desk.services.jobs.control(actor, job_id, action)  # type: ignore[arg-type]
            assert changed.status is target


def test_a_reader_is_told_what_permission_is_missing(desk: Desk) -> None:
    job_id = desk.job(desk.actor(Role.OPERATOR))
    shown = desk.services.jobs.get(desk.actor(Role.VIEWER), job_id)
    missing = dict.fromkeys((*ACTIONS, FAIL), "jobs:control") | {FORK: "jobs:create"}
    assert set(shown.allowed) == set(missing)
    assert all(missing[name] in reason for name, reason in shown.allowed.items())


def test_what_is_unknown_is_refused(desk: Desk) -> None:
    actor = desk.actor(Role.OPERATOR)
    with pytest.raises(NotFound):
        desk.services.jobs.control(actor, "job_x", "cancel")
    with pytest.raises(Invalid, match="execute, cancel, retry"):
        desk.services.jobs.control(actor, desk.job(actor), "explode")  # type: ignore[arg-type]


@pytest.mark.parametrize("action", ["cancel", "pause"])
def test_a_run_that_was_stopped_can_write_no_more(desk: Desk, action: str) -> None:
    actor = desk.actor(Role.OPERATOR)
    job_id = desk.job(actor)
    key = claim_one(desk.db).key
    desk.services.jobs.control(actor, job_id, action)  # type: ignore[arg-type]
    with pytest.raises(LostClaim):
        record_step(desk.db, key, step(0, 1))
    assert finish(desk.db, [end(key)]) == set()


def test_a_paused_run_goes_on_with_the_attempt_it_had(desk: Desk) -> None:
    actor = desk.actor(Role.OPERATOR)
    job_id = desk.job(actor)
    assert claim_one(desk.db).attempt == 1
    desk.services.jobs.control(actor, job_id, "pause")
    desk.services.jobs.control(actor, job_id, "resume")
    assert claim_one(desk.db).attempt == 1


def test_resuming_with_an_open_question_waits_for_its_answer(desk: Desk) -> None:
    actor = desk.actor(Role.OPERATOR)
    job_id, checkpoint_id = desk.waiting(actor)
    for action in ("resume", "execute"):
        desk.services.jobs.control(actor, job_id, "pause")
        job = desk.services.jobs.control(actor, job_id, action)
        assert job.status is JobStatus.WAITING
    stored = desk.services.review.get(actor, checkpoint_id).checkpoint
    assert stored.status is CheckpointStatus.PENDING


def test_a_paused_schedule_is_kept(desk: Desk) -> None:
    actor = desk.actor(Role.OPERATOR)
    tomorrow = desk.clock.now() + timedelta(days=1)
    job_id = desk.job(actor, run_at=tomorrow)
    desk.services.jobs.control(actor, job_id, "pause")
    assert desk.services.jobs.control(actor, job_id, "resume").run_at == tomorrow


def test_a_retry_gives_one_more_attempt_and_keeps_the_steps(desk: Desk) -> None:
    actor = desk.actor(Role.OPERATOR)
    job_id = desk.job(actor, max_attempts=1)
    key = claim_one(desk.db).key
    record_step(desk.db, key, step(0, "done"))
    finish(desk.db, [end(key, JobVerb.FAIL, error=JobError("ValueError", "broken"))])
    job = desk.services.jobs.control(actor, job_id, "retry")
    assert (job.status, job.error, job.completed_at) == (JobStatus.QUEUED, None, None)
    assert (job.attempts, job.max_attempts) == (1, 2)
    assert claim_one(desk.db).attempt == 2
    assert [s.result for s in load_record(desk.db, job_id).steps] == ["done"]


def test_a_retry_after_a_rejection_asks_again_and_keeps_the_old_answer(desk: Desk) -> None:
    asker, ray = desk.actor(Role.OPERATOR), desk.actor(Role.REVIEWER)
    job_id = desk.job(asker)
    key = claim_one(desk.db).key
    record_step(desk.db, key, step(0, "kept"))
    for _ in range(3):
        asked = suspend(desk.db, key, checkpoint(1), [])
        desk.services.review.decide(ray, asked, REJECT)
        key = claim_one(desk.db).key
        # Cleaning up after the refusal is recorded too, and belongs to the refused try.
        record_step(desk.db, key, step(2, "cleaned up"))
        save_artifact(desk.db, key, artifact(3))
        finish(desk.db, [end(key, JobVerb.FAIL, error=REJECTED)])
        desk.services.jobs.control(asker, job_id, "retry")
        record = load_record(desk.db, job_id)
        assert [s.result for s in record.steps] == ["kept"]
        assert record.decisions == {}
        key = claim_one(desk.db).key
    history = desk.services.review.for_job(asker, job_id)
    assert [c.status for c in history] == [CheckpointStatus.REJECTED] * 3
    assert sorted(c.position for c in history) == [-3, -2, -1]
    assert len(desk.services.artifacts.page(asker, job_id=job_id).items) == 3


def test_a_retry_keeps_a_rejection_that_the_handler_has_dealt_with(desk: Desk) -> None:
    asker, ray = desk.actor(Role.OPERATOR), desk.actor(Role.REVIEWER)
    job_id, asked = desk.waiting(asker)
    desk.services.review.decide(ray, asked, REJECT)
    key = claim_one(desk.db).key
    record_step(desk.db, key, step(1, "the other way"))
    finish(desk.db, [end(key, JobVerb.FAIL, error=JobError("OSError", "network"))])
    desk.services.jobs.control(asker, job_id, "retry")
    record = load_record(desk.db, job_id)
    assert [s.kind for s in record.steps] == ["approve", "step"]
    assert record.decisions[0].status is CheckpointStatus.REJECTED


def test_a_retry_of_a_canceled_job_asks_again(desk: Desk) -> None:
    actor = desk.actor(Role.OPERATOR)
    job_id, asked = desk.waiting(actor)
    desk.services.jobs.control(actor, job_id, "cancel")
    desk.services.jobs.control(actor, job_id, "retry")
    assert load_record(desk.db, job_id).steps == []
    again = suspend(desk.db, claim_one(desk.db).key, checkpoint(0), [])
    statuses = {c.id: c.status for c in desk.services.review.for_job(actor, job_id)}
    assert statuses == {asked: CheckpointStatus.CANCELED, again: CheckpointStatus.PENDING}


def test_numbers_of_finished_jobs_follow_every_change(desk: Desk) -> None:
    actor = desk.actor(Role.OPERATOR)
    job_id = desk.job(actor)
    desk.services.jobs.control(actor, job_id, "cancel")
    assert desk.services.jobs.counts(actor)[JobStatus.CANCELED] == 1
    desk.services.jobs.control(actor, job_id, "retry")
    numbers = desk.services.jobs.counts(actor)
    assert (numbers[JobStatus.CANCELED], numbers[JobStatus.QUEUED]) == (0, 1)
    assert sum(numbers.values()) == 1
    assert row(desk.db, job_id)["completed_at"] is None
