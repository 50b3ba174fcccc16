"""An approval must still stand under the policy of the moment in which its job is leased."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from agent_console.domain.access import Actor, Role, local_operator
from agent_console.domain.checkpoints import CheckpointStatus, CheckpointVerb, Verdict
from agent_console.domain.jobs import JobStatus
from agent_console.services.review_policy import SelfApproval, still_stands
from agent_console.store.claims import claim
from agent_console.store.engine_values import Claimed
from agent_console.store.runs import record_step
from tests.services.conftest import Desk
from tests.support.runs import journal, step

APPROVE = Verdict(verb=CheckpointVerb.APPROVE)
ROOT = local_operator("root")


def lease(desk: Desk, policy: SelfApproval = "auto") -> list[Claimed]:
    return claim(desk.db, "w1", 1, stands=partial(still_stands, policy=policy))


def disable(desk: Desk, who: Actor) -> None:
    desk.services.access.set_disabled(ROOT, str(who.id), True)


def demote(desk: Desk, who: Actor) -> None:
    desk.services.access.set_role(ROOT, str(who.id), Role.VIEWER)


@pytest.mark.parametrize("strip", [disable, demote])
def test_who_may_not_decide_any_more_has_not_decided(
    desk: Desk, strip: Callable[[Desk, Actor], None]
) -> None:
    asker, ray, eve = (
        desk.actor(Role.OPERATOR),
        desk.actor(Role.REVIEWER, "Ray"),
        desk.actor(Role.ADMIN, "Eve"),
    )
    job_id, checkpoint_id = desk.waiting(asker, {"x": 1})
    desk.services.review.decide(ray, checkpoint_id, APPROVE)
    strip(desk, ray)
    assert lease(desk) == []
    detail = desk.services.review.get(eve, checkpoint_id)
    assert detail.checkpoint.status is CheckpointStatus.PENDING
    assert "Ray approved this, but may not decide any more" in str(detail.checkpoint.feedback)
    assert desk.status(eve, job_id) == JobStatus.WAITING
    assert journal(desk.db, job_id)[-2:] == [
        ("checkpoint.reopened", "APPROVED", "PENDING"),
        ("job.returned", "QUEUED", "WAITING"),
    ]
    desk.services.review.decide(eve, checkpoint_id, APPROVE)
    assert [one.resuming for one in lease(desk)] == [True]


def test_an_own_approval_needs_another_once_somebody_else_may_decide(desk: Desk) -> None:
    ada = desk.actor(Role.ADMIN, "Ada")
    _, checkpoint_id = desk.waiting(ada)
    desk.services.review.decide(ada, checkpoint_id, APPROVE)
    eve = desk.actor(Role.ADMIN, "Eve")
    assert lease(desk) == []
    desk.services.review.decide(eve, checkpoint_id, APPROVE)
    assert len(lease(desk)) == 1


def test_an_own_approval_stands_where_the_policy_allows_it(desk: Desk) -> None:
    ada = desk.actor(Role.ADMIN, "Ada")
    _, checkpoint_id = desk.waiting(ada)
    desk.services.review.decide(ada, checkpoint_id, APPROVE)
    desk.actor(Role.ADMIN, "Eve")
    assert len(lease(desk, "always")) == 1


def test_a_command_on_the_server_stands_without_an_account(desk: Desk) -> None:
    _, checkpoint_id = desk.waiting(desk.actor(Role.OPERATOR))
    desk.services.review.decide(ROOT, checkpoint_id, APPROVE)
    assert len(lease(desk, "never")) == 1


@pytest.mark.rows_by_hand
def test_an_approval_that_was_acted_on_is_not_taken_back(desk: Desk) -> None:
    asker, ray = desk.actor(Role.OPERATOR), desk.actor(Role.REVIEWER)
    job_id, checkpoint_id = desk.waiting(asker)
    desk.services.review.decide(ray, checkpoint_id, APPROVE)
    (resumed,) = lease(desk)
    record_step(desk.db, resumed.key, step(1, "done"))
    disable(desk, ray)
    with desk.db.read() as reader:
        assert reader.row("SELECT count(*) FROM job_steps") == (2,)
    desk.db.write(
        lambda tx: tx.execute("UPDATE ai_jobs SET status = 'QUEUED' WHERE id = :id", {"id": job_id})
    )
    assert [one.key.job_id for one in lease(desk)] == [job_id]


def test_an_approval_dated_after_its_deadline_is_none(desk: Desk) -> None:
    asker, ray = desk.actor(Role.OPERATOR), desk.actor(Role.REVIEWER)
    _, checkpoint_id = desk.waiting(asker)
    desk.services.review.decide(ray, checkpoint_id, APPROVE)
    desk.db.write(lambda tx: tx.execute("UPDATE agent_checkpoints SET expires_at = approved_at"))
    assert lease(desk) == []
    assert "deadline" in str(desk.services.review.get(ray, checkpoint_id).checkpoint.feedback)
