"""Review policies through the services: the same word for single and bulk, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from agent_console.domain.access import Actor, Role, local_operator
from agent_console.domain.checkpoints import CheckpointStatus, CheckpointVerb, Verdict
from agent_console.domain.errors import Conflict, Forbidden, Invalid, NotFound
from agent_console.domain.forks import ForkRequest
from agent_console.domain.review_policies import (
    AtDeadline,
    Deadline,
    Person,
    Reviewers,
    ReviewPolicy,
    Terms,
)
from agent_console.domain.rulings import Fate, Item
from agent_console.services.review_policy import still_stands
from agent_console.store.claims import claim
from agent_console.store.deadlines import expire_due
from agent_console.store.finishes import finish
from agent_console.store.reads.journal import timeline
from agent_console.store.rechecks import Approval
from agent_console.store.reminders import remind_due
from agent_console.store.runs import suspend
from agent_console.store.transactions import Queries
from tests.services.conftest import Desk
from tests.support.runs import checkpoint, claim_one, end, journal

APPROVE = Verdict(verb=CheckpointVerb.APPROVE)
REJECT = Verdict(verb=CheckpointVerb.REJECT, reason="no")
ROOT = local_operator("root")
HOUR = timedelta(hours=1)


def named(*people: Actor) -> Reviewers:
    return Reviewers(roles=(), people=tuple(Person(id=str(one.id)) for one in people))


@pytest.fixture
def eve(desk: Desk) -> Actor:
    return desk.actor(Role.ADMIN, "Eve")


@pytest.fixture
def ana(desk: Desk) -> Actor:
    return desk.actor(Role.REVIEWER, "Ana")


@pytest.fixture
def ray(desk: Desk) -> Actor:
    return desk.actor(Role.REVIEWER, "Ray")


def save(desk: Desk, terms: Terms, job_type: str = "noop", **more: Any) -> ReviewPolicy:
    return desk.services.policies.save(ROOT, job_type, terms, **more)


def asked(desk: Desk, data: Any = None, **more: Any) -> tuple[str, str]:
    return desk.waiting(ROOT, data, **more)


def status(desk: Desk, actor: Actor, checkpoint_id: str) -> CheckpointStatus:
    return desk.services.review.get(actor, checkpoint_id).checkpoint.status


def facts(desk: Desk, job_id: str, action: str) -> dict[str, Any]:
    with desk.db.read() as reader:
        found = [one for one in timeline(reader, job_id) if one.action == action]
    return dict(found[-1].data)


def test_every_save_is_a_version_and_none_is_edited(desk: Desk, ana: Actor, eve: Actor) -> None:
    policies = desk.services.policies
    first = policies.save(eve, "noop", Terms(note="one"), base_version=0)
    second = policies.save(eve, "noop", Terms(required_approvals=2), base_version=1)
    assert (first.version, second.version, second.saved_by_name) == (1, 2, "Eve")
    found = policies.versions(ana, "noop")
    assert [(one.id, one.terms) for one in found] == [
        (second.id, second.terms),
        (first.id, first.terms),
    ]
    assert found[0].superseded_at is None
    assert found[1].superseded_at is not None
    with pytest.raises(Conflict) as late:
        policies.save(eve, "noop", Terms(), base_version=1)
    assert late.value.context["currentVersion"] == 2
    assert "Eve was faster" in late.value.message
    assert policies.get(ana, "noop").id == second.id
    assert policies.get(ana, "write").version == 0
    assert policies.remove(eve, "noop", base_version=2).version == 0
    assert [one.version for one in policies.versions(ana, "noop")] == [3, 2, 1]
    assert [(one.job_type, one.version) for one in policies.page(ana)] == [("*", 0)]
    with pytest.raises(NotFound):
        policies.remove(eve, "noop")
    with desk.db.read() as reader:
        rows = reader.rows(
            "SELECT action, job_type FROM audit_logs WHERE action LIKE 'review_policy.%'"
            " ORDER BY seq"
        )
    assert [tuple(row) for row in rows] == [
        ("review_policy.saved", "noop"),
        ("review_policy.saved", "noop"),
        ("review_policy.removed", "noop"),
    ]


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("requiredApprovals", {"required_approvals": 0}),
        ("requiredApprovals", {"required_approvals": 3}),  # there are two who could
        ("deciders", {"deciders": Reviewers(roles=())}),
        ("deciders.roles.0", {"deciders": Reviewers(roles=(Role.VIEWER,))}),
        ("deciders.people.0", {"deciders": Reviewers(people=(Person(id="nobody@example.com"),))}),
        ("selfApproval", {"self_approval": "perhaps"}),
        ("undoSeconds", {"undo_seconds": -1}),
        ("deadline.seconds", {"deadline": Deadline(then=AtDeadline.EXTEND, seconds=5)}),
        ("deadline.times", {"deadline": Deadline(then=AtDeadline.EXTEND, seconds=60, times=0)}),
        ("deadline.last", {"deadline": Deadline(last=AtDeadline.EXTEND)}),
        (
            "deadline.to",
            {"deadline": Deadline(then=AtDeadline.ESCALATE, seconds=60, to=Reviewers(roles=()))},
        ),
        ("remindSeconds.0", {"remind_seconds": (0,)}),
        ("remindSeconds", {"remind_seconds": (1, 2, 3, 4, 5, 6)}),
        ("note", {"note": "x" * 501}),
    ],
)
def test_terms_that_make_no_sense_are_refused_at_their_field(
    desk: Desk, ana: Actor, ray: Actor, field: str, change: dict[str, Any]
) -> None:
    assert ana != ray
    with pytest.raises(Invalid) as refused:
        save(desk, Terms(**change))
    assert [one.field for one in refused.value.fields] == [field]


def test_people_are_named_by_address_and_a_type_has_to_exist(desk: Desk, ana: Actor) -> None:
    terms = Terms(deciders=Reviewers(roles=(), people=(Person(id=" ana@Example.com"),)))
    saved = save(desk, terms)
    assert saved.terms.deciders.people == (Person(id=str(ana.id), name="Ana"),)
    assert desk.services.policies.people(ROOT) == [Person(id=str(ana.id), name="Ana")]
    for call in (
        lambda: save(desk, Terms(), "nothing"),
        lambda: desk.services.policies.get(ana, "nothing"),
    ):
        with pytest.raises(NotFound):
            call()
    with pytest.raises(Invalid):
        save(desk, Terms(), "*", action="write")


def test_who_is_not_asked_is_refused_with_the_reason(desk: Desk, ana: Actor, ray: Actor) -> None:
    saved = save(desk, Terms(deciders=named(ana)))
    job_id, checkpoint_id = asked(desk)
    seen = desk.services.review.get(ray, checkpoint_id)
    assert not seen.may_decide
    assert "asks Ana" in seen.refusal
    with pytest.raises(Forbidden, match="asks Ana") as refused:
        desk.services.review.decide(ray, checkpoint_id, APPROVE)
    assert refused.value.context["policyVersion"] == 1
    done = desk.services.review.decide_many(ray, [Item(checkpoint_id=checkpoint_id)], APPROVE)
    assert [one.fate for one in done.rulings] == [Fate.FORBIDDEN]
    with pytest.raises(Forbidden, match="asks Ana"):
        desk.services.claims.claim(ray, checkpoint_id)
    assert desk.services.claims.claim(ana, checkpoint_id).user_name == "Ana"
    decided = desk.services.review.decide(ana, checkpoint_id, APPROVE)
    assert decided.policy_id == saved.id
    assert facts(desk, job_id, "checkpoint.approved")["policy"] == {
        "id": saved.id,
        "jobType": "noop",
        "action": "",
        "version": 1,
    }
    save(desk, Terms())  # what was decided keeps the version that was applied
    assert desk.services.review.get(ray, checkpoint_id).policy.version == 1


def test_the_policy_of_an_action_wins(desk: Desk, ana: Actor, ray: Actor) -> None:
    save(desk, Terms(deciders=named(ray)), "*")
    save(desk, Terms(deciders=named(ana)), action="write")  # what the tests' payloads do
    _, checkpoint_id = asked(desk)
    assert not desk.services.review.get(ray, checkpoint_id).may_decide
    desk.services.policies.remove(ROOT, "noop", action="write")
    assert desk.services.review.get(ray, checkpoint_id).may_decide
    assert not desk.services.review.get(ana, checkpoint_id).may_decide


def test_two_of_two(desk: Desk, ana: Actor, ray: Actor) -> None:
    review = desk.services.review
    save(desk, Terms(required_approvals=2))
    job_id, checkpoint_id = asked(desk, {"x": 1})
    with pytest.raises(Invalid, match="several people"):
        review.decide(ana, checkpoint_id, replace(APPROVE, response={"n": 1}))
    first = review.decide_once(ana, checkpoint_id, APPROVE)
    assert first.checkpoint.status is CheckpointStatus.PENDING
    assert first.tally is not None
    assert first.tally.words == "1 of 2 approvals"
    assert desk.status(ana, job_id) == "WAITING"
    assert journal(desk.db, job_id)[-1] == ("checkpoint.voted", "PENDING", None)
    seen = review.get(ana, checkpoint_id)
    assert [one.user_name for one in seen.votes] == ["Ana"]
    assert seen.may_decide  # she may change her mind
    assert "said this already" in seen.approve_refusal
    with pytest.raises(Conflict, match="said this already"):
        review.decide(ana, checkpoint_id, APPROVE)
    assert review.get(ray, checkpoint_id).approve_refusal == ""
    last = review.decide_once(ray, checkpoint_id, APPROVE)
    assert (last.checkpoint.status, last.tally) == (CheckpointStatus.APPROVED, None)
    assert facts(desk, job_id, "checkpoint.approved")["agreed"] == ["Ana"]
    assert desk.status(ana, job_id) == "QUEUED"


def stands(queries: Queries, approval: Approval) -> str:
    return still_stands(queries, approval, policy="auto")


def test_whoever_agreed_must_still_be_able_to_when_the_job_goes_on(
    desk: Desk, ana: Actor, ray: Actor, eve: Actor
) -> None:
    review = desk.services.review
    save(desk, Terms(required_approvals=2))
    job_id, checkpoint_id = asked(desk)
    review.decide(ana, checkpoint_id, APPROVE)
    review.decide(ray, checkpoint_id, APPROVE)
    desk.services.access.set_disabled(ROOT, str(ana.id), True)
    assert claim(desk.db, "w1", 1, stands=stands) == []
    found = review.get(eve, checkpoint_id)
    assert found.checkpoint.status is CheckpointStatus.PENDING
    assert "of whom 1 may still decide" in str(found.checkpoint.feedback)
    assert found.votes == []  # all over again
    review.decide(ray, checkpoint_id, APPROVE)
    review.decide(eve, checkpoint_id, APPROVE)
    assert [one.key.job_id for one in claim(desk.db, "w1", 1, stands=stands)] == [job_id]


def test_a_fork_takes_over_what_several_agreed_to(desk: Desk, ana: Actor, ray: Actor) -> None:
    save(desk, Terms(required_approvals=2))
    job_id, checkpoint_id = asked(desk)
    for one in (ana, ray):
        desk.services.review.decide(one, checkpoint_id, APPROVE)
    (taken,) = claim(desk.db, "w1", 1, stands=stands)
    finish(desk.db, [end(taken.key)])
    operator = desk.actor(Role.OPERATOR)
    made = desk.services.forks.fork(operator, job_id, ForkRequest(from_position=1))
    assert made.job is not None
    (fork,) = claim(desk.db, "w1", 1, stands=stands)
    assert fork.key.job_id == made.job.id


def test_one_rejection_ends_it_unless_there_is_no_veto(desk: Desk, ana: Actor, ray: Actor) -> None:
    review = desk.services.review
    save(desk, Terms(required_approvals=2))
    (_, checkpoint_id), (_, other) = asked(desk), asked(desk)
    review.decide(ana, checkpoint_id, APPROVE)
    assert review.decide(ray, checkpoint_id, REJECT).status is CheckpointStatus.REJECTED
    save(desk, Terms(required_approvals=2, veto=False))
    assert review.decide(ana, other, REJECT).status is CheckpointStatus.PENDING
    assert review.decide(ray, other, APPROVE).status is CheckpointStatus.PENDING
    assert review.decide(ray, other, REJECT).status is CheckpointStatus.REJECTED


def test_an_edit_counts_only_with_the_same_edit(desk: Desk, ana: Actor, ray: Actor) -> None:
    review = desk.services.review
    save(desk, Terms(required_approvals=2))
    desk.job(ROOT)
    new = replace(checkpoint(0, {"n": 1}), edit_schema="{}")
    checkpoint_id = suspend(desk.db, claim_one(desk.db).key, new)
    edited = replace(APPROVE, edited_data={"n": 2})
    review.decide(ana, checkpoint_id, APPROVE)
    assert review.decide_once(ray, checkpoint_id, edited).tally is not None
    again = review.decide_once(ana, checkpoint_id, edited)
    assert again.checkpoint.status is CheckpointStatus.APPROVED
    assert again.checkpoint.edited_data == {"n": 2}


def test_a_vote_of_who_may_not_decide_any_more_does_not_count(
    desk: Desk, ana: Actor, ray: Actor, eve: Actor
) -> None:
    review = desk.services.review
    save(desk, Terms(required_approvals=2))
    _, checkpoint_id = asked(desk)
    review.decide(ana, checkpoint_id, APPROVE)
    desk.services.access.set_disabled(ROOT, str(ana.id), True)
    assert review.get(eve, checkpoint_id).votes == []
    assert review.decide(ray, checkpoint_id, APPROVE).status is CheckpointStatus.PENDING
    assert review.decide(eve, checkpoint_id, APPROVE).status is CheckpointStatus.APPROVED


def test_the_deciding_vote_is_undone_and_the_others_stay(
    desk: Desk, ana: Actor, ray: Actor, eve: Actor
) -> None:
    review = desk.services.review
    save(desk, Terms(required_approvals=2, undo_seconds=30))
    job_id, checkpoint_id = asked(desk)
    review.decide(ana, checkpoint_id, APPROVE)
    done = review.decide(ray, checkpoint_id, APPROVE)  # no door holds it: the policy does
    assert done.undo_until is not None
    assert done.decided_at is not None
    assert (done.undo_until - done.decided_at).total_seconds() == 30
    reopened = review.undo(ray, checkpoint_id)
    assert (reopened.status, reopened.policy_id) == (CheckpointStatus.PENDING, None)
    assert [one.user_name for one in review.get(ana, checkpoint_id).votes] == ["Ana"]
    assert review.undo(ana, checkpoint_id).status is CheckpointStatus.PENDING  # her vote
    assert review.get(ana, checkpoint_id).votes == []
    assert journal(desk.db, job_id)[-1][0] == "checkpoint.vote_withdrawn"
    assert review.decide(eve, checkpoint_id, APPROVE).status is CheckpointStatus.PENDING
    with pytest.raises(Conflict, match="Nothing is decided"):
        review.undo(ana, checkpoint_id)


def test_many_at_once_only_where_the_policy_allows_it(desk: Desk, ana: Actor) -> None:
    _, one_by_one = asked(desk, expires_in=None)
    save(desk, Terms(bulk_allowed=False))
    done = desk.services.review.decide_many(ana, [Item(checkpoint_id=one_by_one)], APPROVE)
    assert [one.fate for one in done.rulings] == [Fate.NOT_IN_BULK]
    assert "decided by itself" in done.rulings[0].message
    assert done.rulings[0].open
    assert desk.services.review.decide(ana, one_by_one, APPROVE).decided_by == ana.id


def test_votes_in_bulk_cost_as_many_answers(desk: Desk, ana: Actor, ray: Actor) -> None:
    save(desk, Terms(required_approvals=2))
    ids = [asked(desk, {"n": n})[1] for n in range(5)]
    items = [Item(checkpoint_id=one) for one in ids]
    first = desk.services.review.decide_many(ana, items, APPROVE)
    assert {(one.fate, one.message) for one in first.rulings} == {(Fate.VOTED, "1 of 2 approvals")}
    again = desk.services.review.decide_many(ana, items, APPROVE)
    assert {one.fate for one in again.rulings} == {Fate.VOTED_ALREADY}
    last = desk.services.review.decide_many(ray, items, APPROVE)
    assert {one.fate for one in last.rulings} == {Fate.DECIDED}
    assert {one.undo_until for one in last.rulings} == {None}


def test_the_policy_says_how_long_a_decision_of_many_is_held(desk: Desk, ana: Actor) -> None:
    save(desk, Terms(undo_seconds=0))
    save(desk, Terms(undo_seconds=9), action="write")
    items = [Item(checkpoint_id=asked(desk, {"n": n})[1]) for n in range(2)]
    done = desk.services.review.decide_many(ana, items, APPROVE, hold=5, idempotency_key="k")
    again = desk.services.review.decide_many(ana, items, APPROVE, hold=5, idempotency_key="k")
    assert again.replayed
    for one in (*done.rulings, *again.rulings):
        assert one.undo_until == desk.clock.now() + timedelta(seconds=9)
    ids = [one.checkpoint_id for one in items]
    assert sorted(desk.services.review.undo_many(ana, ids)) == sorted(ids)


@pytest.mark.parametrize(("rule", "may"), [("always", True), ("never", False), (None, False)])
def test_the_policy_has_the_last_word_on_self_approval(
    desk: Desk, ana: Actor, eve: Actor, rule: Any, may: bool
) -> None:
    assert ana != eve
    save(desk, Terms(self_approval=rule))
    job_id, checkpoint_id = desk.waiting(eve)
    assert desk.services.review.get(eve, checkpoint_id).may_decide is may
    if not may:
        with pytest.raises(Forbidden):
            desk.services.review.decide(eve, checkpoint_id, APPROVE)
        return
    desk.services.review.decide(eve, checkpoint_id, APPROVE)
    # The setting would not have allowed it; the version that was applied did.
    taken = claim(
        desk.db, "w1", 1, stands=lambda q, approval: still_stands(q, approval, policy="never")
    )
    assert [one.key.job_id for one in taken] == [job_id]


def test_alone_means_alone_among_those_who_are_asked(desk: Desk, ana: Actor, eve: Actor) -> None:
    save(desk, Terms(deciders=named(eve)))
    _, checkpoint_id = desk.waiting(eve)
    assert desk.services.review.get(eve, checkpoint_id).may_decide
    save(desk, Terms(deciders=named(eve, ana)))
    assert "another account may decide" in desk.services.review.get(eve, checkpoint_id).refusal


@pytest.mark.parametrize(
    ("then", "ends", "action"),
    [
        (AtDeadline.FAIL, CheckpointStatus.EXPIRED, "checkpoint.expired"),
        (AtDeadline.REJECT, CheckpointStatus.REJECTED, "checkpoint.rejected"),
        (AtDeadline.APPROVE, CheckpointStatus.APPROVED, "checkpoint.approved"),
    ],
)
def test_the_deadline_decides_by_policy(
    desk: Desk, ana: Actor, then: AtDeadline, ends: CheckpointStatus, action: str
) -> None:
    saved = save(desk, Terms(deadline=Deadline(then=then)))
    job_id, checkpoint_id = asked(desk, expires_in=HOUR)
    desk.clock.advance(HOUR)
    assert expire_due(desk.db) == 1
    found = desk.services.review.get(ana, checkpoint_id).checkpoint
    assert (found.status, found.policy_id) == (ends, saved.id)
    by = None if then is AtDeadline.FAIL else "policy"
    assert (found.decided_by, found.decided_by_name) == (by, by)
    assert ("" if then is not AtDeadline.REJECT else "in time") in str(found.rejection_reason)
    said = facts(desk, job_id, action)
    assert said["atDeadline"] == then.value
    assert said["policy"]["version"] == 1
    taken = claim(desk.db, "w1", 1, stands=lambda q, a: still_stands(q, a, policy="auto"))
    assert [one.key.job_id for one in taken] == [job_id]  # an approval then is not too late


def test_who_comes_at_the_deadline_is_told_what_the_policy_did(desk: Desk, ana: Actor) -> None:
    save(desk, Terms(deadline=Deadline(then=AtDeadline.REJECT)))
    _, checkpoint_id = asked(desk, expires_in=HOUR)
    desk.clock.advance(HOUR)
    with pytest.raises(Conflict, match="policy was faster: the checkpoint is REJECTED"):
        desk.services.review.decide(ana, checkpoint_id, APPROVE)
    assert status(desk, ana, checkpoint_id) is CheckpointStatus.REJECTED


def test_the_deadline_is_extended_so_often_and_then_ends(desk: Desk, ana: Actor) -> None:
    deadline = Deadline(then=AtDeadline.EXTEND, seconds=600, times=2, last=AtDeadline.REJECT)
    save(desk, Terms(deadline=deadline))
    job_id, checkpoint_id = asked(desk, expires_in=HOUR)
    desk.clock.advance(HOUR)
    for number in (1, 2):
        assert expire_due(desk.db) == 1
        assert expire_due(desk.db) == 0
        found = desk.services.review.get(ana, checkpoint_id).checkpoint
        assert (found.status, found.extensions) == (CheckpointStatus.PENDING, number)
        assert found.expires_at == desk.clock.now() + timedelta(minutes=10)
        assert journal(desk.db, job_id)[-1] == ("checkpoint.extended", "PENDING", None)
        assert desk.status(ana, job_id) == "WAITING"
        desk.clock.advance(timedelta(minutes=10))
    assert expire_due(desk.db) == 1
    assert status(desk, ana, checkpoint_id) is CheckpointStatus.REJECTED


def test_an_escalation_asks_others(desk: Desk, ana: Actor, eve: Actor) -> None:
    to = Reviewers(roles=(Role.ADMIN,))
    deadline = Deadline(then=AtDeadline.ESCALATE, seconds=3600, to=to)
    save(desk, Terms(deadline=deadline))
    job_id, checkpoint_id = asked(desk, expires_in=HOUR)
    desk.clock.advance(HOUR)
    with pytest.raises(Conflict, match="asks admins") as late:
        desk.services.review.decide(ana, checkpoint_id, APPROVE)  # no sweep was needed
    assert "deadlineMoved" in late.value.context
    said = facts(desk, job_id, "checkpoint.escalated")
    assert said["asks"] == "admins"
    assert "escalated" in desk.services.review.get(ana, checkpoint_id).refusal
    many = desk.services.review.decide_many(ana, [Item(checkpoint_id=checkpoint_id)], APPROVE)
    assert [one.fate for one in many.rulings] == [Fate.FORBIDDEN]
    assert desk.services.review.decide(eve, checkpoint_id, APPROVE).decided_by == eve.id


def test_reminders_are_journaled_once_each(desk: Desk, ana: Actor) -> None:
    assert remind_due(desk.db) == 0
    save(desk, Terms(deciders=named(ana), remind_seconds=(600, 3600)))
    job_id, _ = asked(desk, expires_in=2 * HOUR)
    asked(desk, expires_in=None)
    assert remind_due(desk.db) == 0
    desk.clock.advance(HOUR)
    assert [remind_due(desk.db), remind_due(desk.db)] == [1, 0]
    said = facts(desk, job_id, "checkpoint.reminded")
    assert (said["secondsBefore"], said["roles"], said["people"]) == (3600, [], [ana.id])
    desk.clock.advance(timedelta(minutes=55))
    assert [remind_due(desk.db), remind_due(desk.db)] == [1, 0]
    assert facts(desk, job_id, "checkpoint.reminded")["secondsBefore"] == 600
    desk.clock.advance(timedelta(minutes=5))
    assert remind_due(desk.db) == 0  # it is over
