from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from agent_console.domain.access import Actor, Role
from agent_console.domain.checkpoints import CheckpointStatus, CheckpointVerb, Verdict
from agent_console.domain.errors import Conflict, NotFound
from agent_console.domain.review_claims import LEASE
from agent_console.domain.rulings import Fate, Item
from tests.services.conftest import Desk
from tests.support.runs import journal

APPROVE = Verdict(verb=CheckpointVerb.APPROVE)


@pytest.fixture
def ana(desk: Desk) -> Actor:
    return desk.actor(Role.REVIEWER, "Ana")


@pytest.fixture
def ben(desk: Desk) -> Actor:
    return desk.actor(Role.REVIEWER, "Ben")


@pytest.fixture
def waiting(desk: Desk) -> tuple[str, str]:
    return desk.waiting(desk.actor(Role.OPERATOR), {"x": 1})


def test_a_claim_keeps_others_from_deciding_until_its_end(
    desk: Desk, ana: Actor, ben: Actor, waiting: tuple[str, str]
) -> None:
    claims, review = desk.services.claims, desk.services.review
    _, checkpoint_id = waiting
    taken = claims.claim(ana, checkpoint_id)
    assert taken.until - taken.claimed_at == LEASE
    mine, theirs = review.get(ana, checkpoint_id), review.get(ben, checkpoint_id)
    assert (mine.claim, mine.claim_own, mine.may_decide, mine.may_claim) == (
        taken,
        True,
        True,
        True,
    )
    assert (theirs.claim_own, theirs.may_decide, theirs.may_claim) == (False, False, True)
    assert "Ana has claimed this" in theirs.refusal
    with pytest.raises(Conflict, match="Ana has claimed") as refused:
        review.decide(ben, checkpoint_id, APPROVE)
    assert refused.value.context["claimedBy"] == "Ana"
    desk.clock.advance(LEASE.total_seconds())
    assert review.get(ben, checkpoint_id).claim is None
    assert review.decide(ben, checkpoint_id, APPROVE).status is CheckpointStatus.APPROVED


def test_a_claim_is_renewed_given_back_and_taken_over_and_journaled(
    desk: Desk, ana: Actor, ben: Actor, waiting: tuple[str, str]
) -> None:
    claims = desk.services.claims
    job_id, checkpoint_id = waiting
    first = claims.claim(ana, checkpoint_id)
    desk.clock.advance(60)
    again = claims.claim(ana, checkpoint_id)
    assert (again.claimed_at, again.until) == (first.claimed_at, first.until + timedelta(minutes=1))
    with pytest.raises(Conflict, match="Ana has claimed"):
        claims.claim(ben, checkpoint_id)
    claims.release(ben, checkpoint_id)  # not theirs: nothing happens
    assert claims.of(ben, [checkpoint_id])[checkpoint_id].user_name == "Ana"
    assert claims.claim(ben, checkpoint_id, take_over=True).user_name == "Ben"
    claims.release(ben, checkpoint_id)
    claims.release(ben, checkpoint_id)
    assert claims.of(ben, [checkpoint_id]) == {}
    actions = [
        action for action, _, _ in journal(desk.db, job_id) if "claim" in action or "rel" in action
    ]
    assert actions == ["checkpoint.claimed", "checkpoint.claimed", "checkpoint.released"]


def test_nothing_is_claimed_that_needs_no_decision(
    desk: Desk, ana: Actor, ben: Actor, waiting: tuple[str, str]
) -> None:
    claims = desk.services.claims
    _, checkpoint_id = waiting
    with pytest.raises(NotFound):
        claims.claim(ana, "chk_none")
    with pytest.raises(NotFound):
        claims.release(ana, "chk_none")
    claims.claim(ana, checkpoint_id)
    desk.services.review.decide(ana, checkpoint_id, APPROVE)
    with pytest.raises(Conflict) as refused:
        claims.claim(ben, checkpoint_id)
    assert refused.value.context["currentStatus"] == "APPROVED"


def test_of_many_who_claim_at_once_one_gets_it(desk: Desk, waiting: tuple[str, str]) -> None:
    _, checkpoint_id = waiting
    people = [desk.actor(Role.REVIEWER, f"r{n}") for n in range(8)]

    def claim(actor: Actor) -> str:
        try:
            return desk.services.claims.claim(actor, checkpoint_id).user_name
        except Conflict as conflict:
            return f"after {conflict.context['claimedBy']}"

    with ThreadPoolExecutor(len(people)) as pool:
        said = list(pool.map(claim, people))
    winners = [one for one in said if not one.startswith("after ")]
    assert len(winners) == 1
    assert sorted(said) == sorted([winners[0], *[f"after {winners[0]}"] * 7])


def test_of_many_decided_together_a_claimed_one_stays(desk: Desk, ana: Actor, ben: Actor) -> None:
    olga = desk.actor(Role.OPERATOR)
    free, taken = (desk.waiting(olga, {"n": n})[1] for n in range(2))
    desk.services.claims.claim(ana, taken)
    items = [Item(checkpoint_id=one) for one in (free, taken)]
    done = desk.services.review.decide_many(ben, items, APPROVE)
    assert [one.fate for one in done.rulings] == [Fate.DECIDED, Fate.CLAIMED]
    assert "Ana has claimed" in done.rulings[1].message
    assert desk.services.review.decide_many(ana, items[1:], APPROVE).rulings[0].decided
