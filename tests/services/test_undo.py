from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from agent_console.domain.access import SYSTEM, Actor, Role
from agent_console.domain.checkpoints import CheckpointStatus, CheckpointVerb, Verdict
from agent_console.domain.errors import Conflict, NotFound
from agent_console.domain.jobs import JobStatus
from agent_console.domain.rulings import Item
from agent_console.store.claims import claim
from tests.services.conftest import Desk
from tests.support.runs import journal, start_worker

HOLD = 5.0  # seconds
VERDICTS = (
    Verdict(verb=CheckpointVerb.APPROVE, feedback="fine", response={"n": 1}),
    Verdict(verb=CheckpointVerb.REJECT, reason="not like this"),
)


@pytest.fixture
def ray(desk: Desk) -> Actor:
    return desk.actor(Role.REVIEWER, "Ray")


@pytest.fixture
def waiting(desk: Desk) -> tuple[str, str]:
    return desk.waiting(desk.actor(Role.OPERATOR), {"x": 1})


def status(desk: Desk, job_id: str) -> JobStatus:
    return desk.services.jobs.find(SYSTEM, job_id).status


@pytest.mark.parametrize("verdict", VERDICTS, ids=lambda one: str(one.verb))
def test_what_was_decided_can_be_taken_back_while_the_job_waits(
    desk: Desk, ray: Actor, waiting: tuple[str, str], verdict: Verdict
) -> None:
    review = desk.services.review
    job_id, checkpoint_id = waiting
    before = review.get(ray, checkpoint_id).checkpoint
    done = review.decide(ray, checkpoint_id, verdict, hold=HOLD)
    assert done.decided_at is not None
    assert done.undo_until is not None
    assert (done.undo_until - done.decided_at).total_seconds() == HOLD
    start_worker(desk.db)
    assert claim(desk.db, "wrk_1", 1) == []  # nobody runs it meanwhile
    desk.clock.advance(HOLD - 1)
    reopened = review.undo(ray, checkpoint_id)
    assert reopened.status is CheckpointStatus.PENDING
    assert (reopened.decided_by, reopened.decided_at, reopened.feedback) == (None, None, None)
    assert (reopened.response, reopened.rejection_reason, reopened.undo_until) == (None, None, None)
    assert reopened.payload_digest == before.payload_digest
    assert reopened.expires_at == before.expires_at
    assert status(desk, job_id) is JobStatus.WAITING
    assert [action for action, _, _ in journal(desk.db, job_id)][-2:] == [
        "checkpoint.undone",
        "job.waiting",
    ]
    desk.clock.advance(2 * HOLD)
    assert claim(desk.db, "wrk_1", 1) == []
    assert review.decide(ray, checkpoint_id, VERDICTS[0]).undo_until is None
    assert [one.key.job_id for one in claim(desk.db, "wrk_1", 1)] == [job_id]


def test_it_is_too_late_once_the_time_is_over(
    desk: Desk, ray: Actor, waiting: tuple[str, str]
) -> None:
    review = desk.services.review
    job_id, checkpoint_id = waiting
    review.decide(ray, checkpoint_id, VERDICTS[0], hold=HOLD)
    desk.clock.advance(HOLD)  # the very instant at which it may be claimed
    with pytest.raises(Conflict, match="too late"):
        review.undo(ray, checkpoint_id)
    assert status(desk, job_id) is JobStatus.QUEUED
    start_worker(desk.db)
    assert len(claim(desk.db, "wrk_1", 1)) == 1


def test_only_who_decided_takes_it_back_and_only_what_was_held(
    desk: Desk, ray: Actor, waiting: tuple[str, str]
) -> None:
    review, ben = desk.services.review, desk.actor(Role.REVIEWER, "Ben")
    _, checkpoint_id = waiting
    with pytest.raises(NotFound):
        review.undo(ray, "chk_none")
    with pytest.raises(Conflict, match="Nothing is decided"):
        review.undo(ray, checkpoint_id)
    review.decide(ray, checkpoint_id, VERDICTS[0], hold=HOLD)
    with pytest.raises(Conflict, match="Ray decided this"):
        review.undo(ben, checkpoint_id)
    review.undo(ray, checkpoint_id)
    review.decide(ray, checkpoint_id, VERDICTS[0])
    with pytest.raises(Conflict, match="too late"):
        review.undo(ray, checkpoint_id)


def test_many_are_taken_back_together_and_a_paused_job_stays_paused(desk: Desk, ray: Actor) -> None:
    review, olga = desk.services.review, desk.actor(Role.OPERATOR)
    made = [desk.waiting(olga, {"n": n}) for n in range(3)]
    desk.services.jobs.control(olga, made[2][0], "pause")
    items = [Item(checkpoint_id=checkpoint_id) for _, checkpoint_id in made]
    done = review.decide_many(ray, items, VERDICTS[1], hold=HOLD)
    assert all(one.decided for one in done.rulings)
    ids = [checkpoint_id for _, checkpoint_id in made]
    assert sorted(review.undo_many(ray, [*ids, "chk_none"])) == sorted(ids)
    assert [status(desk, job_id) for job_id, _ in made] == ["WAITING", "WAITING", "PAUSED"]
    desk.services.jobs.control(olga, made[2][0], "resume")
    assert status(desk, made[2][0]) is JobStatus.WAITING


def test_a_claim_and_an_undo_of_the_same_moment_have_one_winner(
    desk: Desk, ray: Actor, waiting: tuple[str, str]
) -> None:
    review = desk.services.review
    _, checkpoint_id = waiting
    start_worker(desk.db)
    for late in (0.0, 0.1):  # before its end the undo wins, at its end the claim
        review.decide(ray, checkpoint_id, VERDICTS[0], hold=HOLD)
        desk.clock.advance(HOLD - 0.1 + late)
        with ThreadPoolExecutor(2) as pool:
            undone = pool.submit(review.undo_many, ray, [checkpoint_id])
            claimed = pool.submit(claim, desk.db, "wrk_1", 1)
        # A claim leaves out a row that somebody looks at; it comes round again.
        taken = claimed.result() or claim(desk.db, "wrk_1", 1)
        assert (len(undone.result()), len(taken)) == ((1, 0) if late == 0.0 else (0, 1))
