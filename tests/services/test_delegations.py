"""The right to decide, lent to somebody else for a period."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from agent_console.domain.access import Actor, Role, local_operator
from agent_console.domain.checkpoints import CheckpointStatus, CheckpointVerb, Verdict
from agent_console.domain.errors import Conflict, Forbidden, Invalid, NotFound
from agent_console.domain.review_policies import Person, Reviewers, Terms
from tests.services.conftest import Desk

APPROVE = Verdict(verb=CheckpointVerb.APPROVE)
ROOT = local_operator("root")
DAY = timedelta(days=1)


@pytest.fixture
def people(desk: Desk) -> tuple[Actor, Actor, Actor]:
    """Ana and Ray, whom the policy asks, and Eve, whom it does not."""
    ana, ray, eve = (desk.actor(Role.REVIEWER, name) for name in ("Ana", "Ray", "Eve"))
    named = tuple(Person(id=str(one.id)) for one in (ana, ray))
    save(desk, deciders=Reviewers(roles=(), people=named))
    return ana, ray, eve


def save(desk: Desk, **terms: Any) -> None:
    desk.services.policies.save(ROOT, "noop", Terms(**terms))


def test_who_stands_in_decides_while_the_period_lasts(
    desk: Desk, people: tuple[Actor, Actor, Actor]
) -> None:
    ana, _, eve = people
    review, now = desk.services.review, desk.clock.now()
    first, second, third = (desk.waiting(ROOT, {"n": n})[1] for n in range(3))
    made = desk.services.delegations.create(
        ana, "eve@example.com", now + 2 * DAY, starts_at=now + DAY
    )
    assert (made.from_name, made.to_name, made.created_by_name) == ("Ana", "Eve", "Ana")
    with pytest.raises(Forbidden):
        review.decide(eve, first, APPROVE)
    desk.clock.advance(DAY)
    for checkpoint_id in (first, second):
        desk.db.write(
            lambda tx, one=checkpoint_id: tx.execute(  # type: ignore[misc]
                "UPDATE agent_checkpoints SET expires_at = NULL WHERE id = :id", {"id": one}
            )
        )
    assert review.get(eve, first).may_decide
    assert desk.services.claims.claim(eve, first).user_name == "Eve"
    decided = review.decide(eve, first, APPROVE)
    assert decided.decided_by == eve.id
    with desk.db.read() as reader:
        (row,) = reader.rows("SELECT data FROM audit_logs WHERE action = 'checkpoint.approved'")
    assert f'"forId":"{ana.id}","forName":"Ana"' in row[0]
    assert [one.id for one in desk.services.delegations.page(eve)] == [made.id]
    desk.clock.advance(DAY)
    assert desk.services.delegations.page(eve) == []
    assert not review.get(eve, second).may_decide
    assert not review.get(eve, third).may_decide


def test_a_right_counts_once_whoever_uses_it(
    desk: Desk, people: tuple[Actor, Actor, Actor]
) -> None:
    ana, ray, eve = people
    named = tuple(Person(id=str(one.id)) for one in (ana, ray))
    save(desk, deciders=Reviewers(roles=(), people=named), required_approvals=2)
    desk.services.delegations.create(ana, str(eve.id), desk.clock.now() + DAY)
    review = desk.services.review
    _, checkpoint_id = desk.waiting(ROOT)
    review.decide(eve, checkpoint_id, APPROVE)
    with pytest.raises(Conflict, match="already"):
        review.decide(ana, checkpoint_id, APPROVE)
    assert len(review.get(ray, checkpoint_id).votes) == 1
    desk.services.access.set_disabled(ROOT, str(ana.id), True)
    assert review.get(ray, checkpoint_id).votes == []  # it was her right
    desk.services.access.set_disabled(ROOT, str(ana.id), False)
    assert review.decide(ray, checkpoint_id, APPROVE).status is CheckpointStatus.APPROVED


def test_nobody_lends_what_they_have_not(desk: Desk, people: tuple[Actor, Actor, Actor]) -> None:
    ana, ray, eve = people
    delegations, until = desk.services.delegations, desk.clock.now() + DAY
    delegations.create(eve, str(ray.id), until)
    save(desk, deciders=Reviewers(roles=(), people=(Person(id=str(ana.id)),)))
    _, checkpoint_id = desk.waiting(ROOT)
    assert not desk.services.review.get(ray, checkpoint_id).may_decide
    delegations.create(ana, str(eve.id), until)
    assert desk.services.review.get(eve, checkpoint_id).may_decide
    admin = desk.actor(Role.ADMIN, "Ada")
    save(desk, deciders=Reviewers(roles=(), people=(Person(id=str(admin.id)),)))
    delegations.create(admin, str(eve.id), until)
    _, own = desk.waiting(admin)
    assert not desk.services.review.get(eve, own).may_decide  # who asked cannot decide it either


def test_only_ones_own_right_is_lent_and_taken_back(
    desk: Desk, people: tuple[Actor, Actor, Actor]
) -> None:
    ana, ray, eve = people
    delegations, now = desk.services.delegations, desk.clock.now()
    with pytest.raises(Forbidden):
        delegations.create(eve, str(eve.id), now + DAY, owner=str(ana.id))
    made = delegations.create(ROOT, "eve@example.com", now + DAY, owner="ana@example.com")
    with pytest.raises(Forbidden):
        delegations.revoke(ray, made.id)
    assert delegations.revoke(ana, made.id).revoked_at is not None
    with pytest.raises(NotFound):
        delegations.revoke(ana, made.id)
    _, checkpoint_id = desk.waiting(ROOT)
    assert not desk.services.review.get(eve, checkpoint_id).may_decide


@pytest.mark.parametrize(
    ("to", "days", "field"),
    [
        ("nobody@example.com", 1, "to"),
        ("viewer@example.com", 1, "to"),
        ("Ana@example.com", 1, "to"),
        ("eve@example.com", 0, "endsAt"),
        ("eve@example.com", 91, "endsAt"),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_field(
    desk: Desk, people: tuple[Actor, Actor, Actor], to: str, days: int, field: str
) -> None:
    desk.actor(Role.VIEWER)
    with pytest.raises(Invalid) as refused:
        desk.services.delegations.create(people[0], to, desk.clock.now() + days * DAY)
    assert [one.field for one in refused.value.fields] == [field]
