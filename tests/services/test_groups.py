"""Groups of reviewers: who is in one is asked, who is taken out is not, at once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agent_console.domain.access import Actor, Role, local_operator
from agent_console.domain.checkpoints import CheckpointStatus, CheckpointVerb, Verdict
from agent_console.domain.errors import Conflict, Forbidden, Invalid, NotFound
from agent_console.domain.review_policies import (
    AtDeadline,
    Deadline,
    Group,
    Reviewers,
    ReviewPolicy,
    Terms,
)
from agent_console.domain.reviewer_groups import GroupChange, ReviewerGroup
from agent_console.services.review_policy import still_stands
from agent_console.store.claims import claim
from tests.services.conftest import Desk

ROOT = local_operator("root")
APPROVE = Verdict(verb=CheckpointVerb.APPROVE)


@pytest.fixture
def ana(desk: Desk) -> Actor:
    return desk.actor(Role.REVIEWER, "Ana")


@pytest.fixture
def ray(desk: Desk) -> Actor:
    return desk.actor(Role.REVIEWER, "Ray")


@pytest.fixture
def security(desk: Desk, ana: Actor) -> ReviewerGroup:
    return desk.services.groups.create(ROOT, "Security", [str(ana.id)], note="Keys and doors")


def asks(*groups: str) -> Reviewers:
    return Reviewers(roles=(), groups=tuple(Group(id=one) for one in groups))


def save(desk: Desk, **terms: Any) -> ReviewPolicy:
    return desk.services.policies.save(ROOT, "noop", Terms(**terms))


def decide(desk: Desk, actor: Actor, checkpoint_id: str) -> CheckpointStatus:
    return desk.services.review.decide(actor, checkpoint_id, APPROVE).status


def change(desk: Desk, group: ReviewerGroup, **what: Any) -> ReviewerGroup:
    return desk.services.groups.change(ROOT, group.id, GroupChange(**what))


def test_members_of_a_group_are_asked_and_others_are_told_whom(
    desk: Desk, ana: Actor, ray: Actor, security: ReviewerGroup
) -> None:
    policy = save(desk, deciders=asks("security"))
    assert policy.terms.deciders.groups == (Group(security.id, "Security", (str(ana.id),)),)
    assert policy.terms.deciders.words == "group Security"
    _, asked = desk.waiting(ROOT)
    with pytest.raises(Forbidden, match="asks group Security"):
        decide(desk, ray, asked)
    assert not desk.services.review.get(ray, asked).may_decide
    assert desk.services.review.get(ana, asked).may_decide
    assert decide(desk, ana, asked) is CheckpointStatus.APPROVED


def test_who_comes_and_goes_gains_and_loses_the_right_at_once(
    desk: Desk, ana: Actor, ray: Actor, security: ReviewerGroup
) -> None:
    save(desk, deciders=asks(security.id))
    _, asked = desk.waiting(ROOT)
    changed = change(desk, security, add=("ray@example.com",), remove=("ANA@example.com ",))
    assert [one.id for one in changed.members] == [ray.id]
    with pytest.raises(Forbidden):
        decide(desk, ana, asked)
    assert decide(desk, ray, asked) is CheckpointStatus.APPROVED


def test_a_word_of_who_has_left_does_not_count(
    desk: Desk, ana: Actor, ray: Actor, security: ReviewerGroup
) -> None:
    eve = desk.actor(Role.REVIEWER, "Eve")
    change(desk, security, add=(str(ray.id), str(eve.id)))
    save(desk, deciders=asks(security.id), required_approvals=2)
    _, asked = desk.waiting(ROOT)
    assert decide(desk, ana, asked) is CheckpointStatus.PENDING
    change(desk, security, remove=(str(ana.id),))
    assert decide(desk, ray, asked) is CheckpointStatus.PENDING
    assert decide(desk, eve, asked) is CheckpointStatus.APPROVED


def test_an_approval_of_several_falls_with_a_member_who_left_before_the_job_went_on(
    desk: Desk, ana: Actor, ray: Actor, security: ReviewerGroup
) -> None:
    change(desk, security, add=(str(ray.id),))
    save(desk, deciders=asks(security.id), required_approvals=2)
    job_id, asked = desk.waiting(ROOT)
    decide(desk, ana, asked)
    decide(desk, ray, asked)
    change(desk, security, remove=(str(ana.id),))
    stands = lambda queries, approval: still_stands(queries, approval, "auto")  # noqa: E731
    assert claim(desk.db, "w1", 1, stands=stands) == []
    assert desk.status(ROOT, job_id) == "WAITING"


def test_an_escalation_can_ask_a_group(desk: Desk, ray: Actor, security: ReviewerGroup) -> None:
    to = Deadline(then=AtDeadline.ESCALATE, seconds=60, to=asks("Security"))
    policy = save(desk, deciders=Reviewers(roles=(Role.ADMIN,)), deadline=to)
    assert policy.terms.deadline.to.groups[0].id == security.id
    assert policy.names(security.id)
    assert ray.id not in policy.terms.deadline.to.ids


def test_a_group_lends_no_permission(desk: Desk, security: ReviewerGroup) -> None:
    viewer = desk.actor(Role.VIEWER)
    with pytest.raises(Invalid) as refused:
        change(desk, security, add=(str(viewer.id),))
    assert refused.value.fields[0].field == "add.0"
    gone = desk.actor(Role.REVIEWER, "Gone")
    change(desk, security, add=(str(gone.id),))
    desk.services.access.set_role(ROOT, str(gone.id), "viewer")
    save(desk, deciders=asks(security.id))
    _, asked = desk.waiting(ROOT)
    demoted = Actor(kind="user", id=gone.id, name="Gone", role=Role.VIEWER)
    with pytest.raises(Forbidden):
        decide(desk, demoted, asked)


def test_too_few_members_for_the_approvals_are_refused(desk: Desk, security: ReviewerGroup) -> None:
    with pytest.raises(Invalid) as refused:
        save(desk, deciders=asks(security.id), required_approvals=2)
    assert refused.value.fields[0].field == "requiredApprovals"
    with pytest.raises(Invalid) as unknown:
        save(desk, deciders=asks("nobody"))
    assert unknown.value.fields[0].field == "deciders.groups.0"


def test_names_are_taken_whatever_their_case(desk: Desk, security: ReviewerGroup) -> None:
    groups = desk.services.groups
    with pytest.raises(Conflict):
        groups.create(ROOT, "  SECURITY ")
    other = groups.create(ROOT, "Other")
    with pytest.raises(Conflict):
        change(desk, other, name="security")
    assert change(desk, security, name="SECURITY").name == "SECURITY"
    with pytest.raises(Invalid):
        groups.create(ROOT, "   ")
    assert [one.name for one in groups.page(ROOT)] == ["Other", "SECURITY"]


def test_a_renamed_group_is_asked_by_its_id(
    desk: Desk, ana: Actor, security: ReviewerGroup
) -> None:
    save(desk, deciders=asks(security.id))
    change(desk, security, name="Guards")
    _, asked = desk.waiting(ROOT)
    assert desk.services.review.get(ana, asked).policy.terms.deciders.words == "group Guards"
    assert decide(desk, ana, asked) is CheckpointStatus.APPROVED


def test_a_group_that_is_asked_is_not_deleted(desk: Desk, security: ReviewerGroup) -> None:
    save(desk, deciders=asks(security.id))
    with pytest.raises(Conflict, match="The review policy of noop asks it"):
        desk.services.groups.delete(ROOT, security.id)
    desk.services.policies.remove(ROOT, "noop")
    desk.services.groups.delete(ROOT, security.id)
    assert desk.services.groups.page(ROOT) == []
    with pytest.raises(NotFound):
        desk.services.groups.delete(ROOT, security.id)
    (_, first) = desk.services.policies.versions(ROOT, "noop")
    assert first.terms.deciders.words == "group Security", "history keeps its name"
    assert first.terms.deciders.ids == []


def test_the_journal_says_who_came_and_who_went(
    desk: Desk, ana: Actor, ray: Actor, security: ReviewerGroup
) -> None:
    change(desk, security, add=(str(ray.id),), remove=(str(ana.id),))
    with desk.db.read() as reader:
        rows = reader.rows(
            "SELECT action, data FROM audit_logs WHERE action LIKE 'reviewer_group.%' ORDER BY seq"
        )
    assert [(action, json.loads(data)) for action, data in rows] == [
        ("reviewer_group.created", {"name": "Security", "members": [ana.id]}),
        ("reviewer_group.changed", {"name": "Security", "added": [ray.id], "removed": [ana.id]}),
    ]
