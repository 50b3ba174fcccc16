"""Requesting changes at the one door to decisions: who may, when, and what is kept of it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from agent_console.domain.access import Actor, Permission, Role
from agent_console.domain.checkpoints import CheckpointStatus, CheckpointVerb, Verdict
from agent_console.domain.errors import Conflict, Forbidden, Invalid
from agent_console.store.runs import suspend
from tests.services.conftest import Desk
from tests.support.runs import checkpoint, claim_one

CHANGES = Verdict(verb=CheckpointVerb.REQUEST_CHANGES, feedback="Shorter, please.")
SENT_BACK = CheckpointStatus.CHANGES_REQUESTED


def next_round(desk: Desk, position: int, data: Any = None) -> str:
    """Bring the job that was sent back to its next proposal."""
    return suspend(desk.db, claim_one(desk.db).key, checkpoint(position, data, rounds=2))


@pytest.fixture
def ray(desk: Desk) -> Actor:
    return desk.actor(Role.REVIEWER)


def test_a_request_keeps_its_feedback_and_wakes_the_job(desk: Desk, ray: Actor) -> None:
    asker = desk.actor(Role.OPERATOR)
    job_id, checkpoint_id = desk.waiting(asker, {"n": 1}, rounds=2)
    desk.clock.advance(30)
    done = desk.services.review.decide(ray, checkpoint_id, CHANGES)
    assert (done.status, done.feedback, done.rejection_reason) == (
        SENT_BACK,
        "Shorter, please.",
        None,
    )
    assert desk.status(asker, job_id) == "QUEUED"
    with desk.db.read() as reader:
        (entry,) = reader.dicts(
            "SELECT * FROM audit_logs WHERE action = 'checkpoint.changes_requested'"
        )
    assert (entry["actor_id"], entry["verdict"]) == (ray.id, "request_changes")
    assert json.loads(entry["data"]) == {
        "payloadDigest": done.payload_digest,
        "waitedSeconds": 30,
        "risk": "NONE",
        "feedback": "Shorter, please.",
    }


def test_the_chain_and_the_difference_are_on_the_card(desk: Desk, ray: Actor) -> None:
    _, first = desk.waiting(desk.actor(Role.OPERATOR), {"text": "a\nb"}, rounds=2)
    alone = desk.services.review.get(ray, first)
    assert (alone.chain, alone.since_last, alone.changes_refusal) == ([], [], "")
    desk.services.review.decide(ray, first, CHANGES)
    second = next_round(desk, 1, {"text": "a\nc"})
    shown = desk.services.review.get(ray, second)
    assert (shown.checkpoint.round, shown.checkpoint.previous_id) == (2, first)
    assert [(one.id, one.round, one.status, one.said) for one in shown.chain] == [
        (first, 1, SENT_BACK, "Shorter, please."),
        (second, 2, CheckpointStatus.PENDING, ""),
    ]
    assert shown.chain[0].decided_by_name == "reviewer"
    (change,) = shown.since_last
    assert (change["before"], change["after"]) == ("text:\n  a\n  b\n", "text:\n  a\n  c\n")
    assert desk.services.review.get(ray, first).chain == shown.chain
    assert desk.services.review.get(ray, first).since_last == []


def test_the_last_round_and_a_single_one_take_no_changes(desk: Desk, ray: Actor) -> None:
    asker = desk.actor(Role.OPERATOR)
    _, single = desk.waiting(asker)
    with pytest.raises(Conflict, match="does not propose in rounds") as refused:
        desk.services.review.decide(ray, single, CHANGES)
    assert refused.value.context["currentStatus"] == "PENDING"
    desk.services.review.decide(ray, single, Verdict(verb=CheckpointVerb.APPROVE))
    claim_one(desk.db)
    _, first = desk.waiting(asker, rounds=2)
    desk.services.review.decide(ray, first, CHANGES)
    last = next_round(desk, 1)
    assert "the last one" in desk.services.review.get(ray, last).changes_refusal
    with pytest.raises(Conflict, match="round 2 of 2, the last one") as refused:
        desk.services.review.decide(ray, last, CHANGES)
    assert (refused.value.context["round"], refused.value.context["rounds"]) == (2, 2)
    reject = Verdict(verb=CheckpointVerb.REJECT, reason="no")
    assert desk.services.review.decide(ray, last, reject).status is CheckpointStatus.REJECTED


@pytest.mark.parametrize(
    ("verdict", "field"),
    [
        (replace(CHANGES, feedback=None), "feedback"),
        (replace(CHANGES, feedback=" \n"), "feedback"),
        (replace(CHANGES, feedback="x" * 16_001), "feedback"),
        (replace(CHANGES, reason="no"), "reason"),
        (replace(CHANGES, edited_data={"n": 2}), "editedData"),
        (replace(CHANGES, response=1), "response"),
    ],
)
def test_a_request_says_what_should_change_and_nothing_else(
    desk: Desk, ray: Actor, verdict: Verdict, field: str
) -> None:
    _, checkpoint_id = desk.waiting(desk.actor(Role.OPERATOR), rounds=2)
    with pytest.raises(Invalid) as refused:
        desk.services.review.decide(ray, checkpoint_id, verdict)
    assert [one.field for one in refused.value.fields] == [field]
    assert desk.services.review.get(ray, checkpoint_id).checkpoint.status == "PENDING"


def test_it_is_bound_to_what_was_on_the_screen(desk: Desk, ray: Actor) -> None:
    _, checkpoint_id = desk.waiting(desk.actor(Role.OPERATOR), rounds=2)
    with pytest.raises(Conflict, match="not what is stored now"):
        desk.services.review.decide(ray, checkpoint_id, replace(CHANGES, payload_digest="0" * 64))


def test_the_same_request_twice_is_one(desk: Desk, ray: Actor) -> None:
    _, checkpoint_id = desk.waiting(desk.actor(Role.OPERATOR), rounds=2)
    review = desk.services.review
    first = review.decide_once(ray, checkpoint_id, CHANGES, idempotency_key="once")
    again = review.decide_once(ray, checkpoint_id, CHANGES, idempotency_key="once")
    assert (first.replayed, again.replayed) == (False, True)
    other = replace(CHANGES, feedback="Longer!")
    with pytest.raises(Conflict):
        review.decide_once(ray, checkpoint_id, other, idempotency_key="once")


@pytest.mark.parametrize("role", list(Role))
def test_who_may_decide_may_request_changes_and_nobody_else(desk: Desk, role: Role) -> None:
    actor = desk.actor(role, "somebody")
    _, checkpoint_id = desk.waiting(desk.actor(Role.OPERATOR, "asker"), rounds=2)
    shown = desk.services.review.get(actor, checkpoint_id)
    if actor.may(Permission.CHECKPOINTS_DECIDE):
        assert (shown.may_decide, shown.changes_refusal) == (True, "")
        assert desk.services.review.decide(actor, checkpoint_id, CHANGES).status is SENT_BACK
        return
    assert shown.changes_refusal == shown.refusal != ""
    with pytest.raises(Forbidden):
        desk.services.review.decide(actor, checkpoint_id, CHANGES)
    assert desk.services.review.get(actor, checkpoint_id).checkpoint.status == "PENDING"


def test_nobody_sends_back_alone_what_they_asked_for(desk: Desk, ray: Actor) -> None:
    admin = desk.actor(Role.ADMIN)
    _, checkpoint_id = desk.waiting(admin, rounds=2)
    assert "yourself" in desk.services.review.get(admin, checkpoint_id).changes_refusal
    with pytest.raises(Forbidden, match="yourself"):
        desk.services.review.decide(admin, checkpoint_id, CHANGES)
    assert desk.services.review.decide(ray, checkpoint_id, CHANGES).status is SENT_BACK


def test_lists_say_which_round_it_is(desk: Desk, ray: Actor) -> None:
    from agent_console.domain.queries import CheckpointQuery

    desk.waiting(desk.actor(Role.OPERATOR), rounds=4)
    (pending,) = desk.services.review.page(ray, CheckpointQuery(status="PENDING")).items
    (every,) = desk.services.review.page(ray, CheckpointQuery()).items
    assert (pending.round, pending.rounds) == (every.round, every.rounds) == (1, 4)
