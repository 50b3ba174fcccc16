from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from agent_console.domain.access import Actor, Role
from agent_console.domain.checkpoints import CheckpointStatus, CheckpointVerb, Verdict
from agent_console.domain.errors import Conflict, Invalid, Unavailable
from agent_console.domain.rulings import MAX_AT_ONCE, Fate, Item, Ruling, summary
from agent_console.services import review_many
from agent_console.store import decisions
from tests.services.conftest import Desk

APPROVE = Verdict(verb=CheckpointVerb.APPROVE)
REJECT = Verdict(verb=CheckpointVerb.REJECT, reason="none of these")


def many(desk: Desk, actor: Actor, ids: list[str], verdict: Verdict = APPROVE, **more: Any) -> Any:
    items = [Item(checkpoint_id=one) for one in ids]
    return desk.services.review.decide_many(actor, items, verdict, **more)


def fates(rulings: list[Ruling]) -> list[Fate]:
    return [one.fate for one in rulings]


def test_all_are_approved_and_go_on(desk: Desk) -> None:
    asker, ray = desk.actor(Role.OPERATOR), desk.actor(Role.REVIEWER)
    made = [desk.waiting(asker, {"n": n}) for n in range(3)]
    done = many(desk, ray, [one for _, one in made], replace(APPROVE, feedback="as agreed"))
    assert (fates(done.rulings), done.replayed) == ([Fate.DECIDED] * 3, False)
    for job_id, checkpoint_id in made:
        stored = desk.services.review.get(ray, checkpoint_id).checkpoint
        assert (stored.status, stored.feedback) == (CheckpointStatus.APPROVED, "as agreed")
        assert stored.decided_by == ray.id
        assert desk.status(asker, job_id) == "QUEUED"
    assert summary(done.rulings, "approved") == "3 approved"


def test_a_payload_that_is_not_the_one_shown_is_refused_alone(desk: Desk) -> None:
    ray = desk.actor(Role.REVIEWER)
    asker = desk.actor(Role.OPERATOR)
    _, seen = desk.waiting(asker, {"n": 1})
    _, other = desk.waiting(asker, {"n": 2})
    digest = desk.services.review.get(ray, seen).checkpoint.payload_digest
    items = [Item(checkpoint_id=one, payload_digest=digest) for one in (other, seen)]
    done = desk.services.review.decide_many(ray, items, APPROVE)
    assert fates(done.rulings) == [Fate.PAYLOAD_CHANGED, Fate.DECIDED]
    refused = done.rulings[0]
    assert refused.open
    assert refused.payload_digest != digest
    assert summary(done.rulings, "approved") == "1 approved, 1 changed since it was shown"
    assert desk.services.review.pending_count(ray) == 1


def test_what_is_the_deciders_own_is_left_to_somebody_else(desk: Desk) -> None:
    admin, ray = desk.actor(Role.ADMIN), desk.actor(Role.REVIEWER)
    _, own = desk.waiting(admin)
    _, other = desk.waiting(desk.actor(Role.OPERATOR))
    done = many(desk, admin, [own, other], REJECT)
    assert fates(done.rulings) == [Fate.FORBIDDEN, Fate.DECIDED]
    assert "somebody else has to" in done.rulings[0].message
    assert fates(many(desk, ray, [own]).rulings) == [Fate.DECIDED]


def test_alone_one_may_and_it_is_journaled_as_such(desk: Desk) -> None:
    admin = desk.actor(Role.ADMIN)
    own = [desk.waiting(admin)[1] for _ in range(2)]
    assert fates(many(desk, admin, own).rulings) == [Fate.DECIDED] * 2
    for one in own:
        history = desk.services.review.get(admin, one).history
        (approved,) = [entry for entry in history if entry.action == "checkpoint.approved"]
        assert approved.data["selfApproval"] is True


def test_a_repetition_gets_the_first_answer(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review_many, "TOGETHER", 2)
    asker, ray = desk.actor(Role.OPERATOR), desk.actor(Role.REVIEWER)
    ids = [desk.waiting(asker)[1] for _ in range(3)]
    desk.services.review.decide(ray, ids[1], REJECT)
    first = many(desk, ray, [*ids, "chk_x"], idempotency_key="k")
    assert fates(first.rulings) == [
        Fate.DECIDED,
        Fate.ALREADY_DECIDED,
        Fate.DECIDED,
        Fate.NOT_FOUND,
    ]
    desk.clock.advance(5)
    again = many(desk, ray, [*ids, "chk_x"], idempotency_key="k")
    assert (again.rulings, again.replayed) == (first.rulings, True)
    with pytest.raises(Conflict, match="different request"):
        many(desk, ray, ids, idempotency_key="k")


def test_a_database_that_goes_away_half_way_loses_no_answer(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(review_many, "TOGETHER", 2)
    asker, ray = desk.actor(Role.OPERATOR), desk.actor(Role.REVIEWER)
    ids = [desk.waiting(asker)[1] for _ in range(3)]
    real = decisions.decide_many

    def breaks(*args: Any, **kwargs: Any) -> Any:
        if len(args[1]) == 1:
            raise Unavailable
        return real(*args, **kwargs)

    monkeypatch.setattr(decisions, "decide_many", breaks)
    done = many(desk, ray, ids, idempotency_key="k")
    assert fates(done.rulings) == [Fate.DECIDED, Fate.DECIDED, Fate.UNKNOWN]
    assert (done.rulings[2].open, summary(done.rulings, "approved")) == (
        True,
        "2 approved, 1 not reached",
    )
    monkeypatch.undo()
    monkeypatch.setattr(review_many, "TOGETHER", 2)
    again = many(desk, ray, ids, idempotency_key="k")
    assert (fates(again.rulings), again.replayed) == ([Fate.DECIDED] * 3, False)


@pytest.mark.parametrize(
    ("ids", "verdict", "field"),
    [
        ([], APPROVE, "checkpoints"),
        (["chk_x"] * (MAX_AT_ONCE + 1), APPROVE, "checkpoints"),
        (["chk_a", "chk_b", "chk_a"], APPROVE, "checkpoints.2.id"),
        (["chk_a", "x" * 201], APPROVE, "checkpoints.1.id"),
        (["chk_a"], replace(REJECT, reason=" "), "reason"),
        (["chk_a"], replace(APPROVE, feedback="\x00"), "feedback"),
        (["chk_a"], replace(APPROVE, edited_data={"n": 1}), "editedData"),
        (["chk_a"], replace(APPROVE, response=1), "response"),
        (["chk_a"], Verdict(verb=CheckpointVerb.REQUEST_CHANGES, feedback="more"), "action"),
    ],
)
def test_what_cannot_be_decided_together_is_named(
    desk: Desk, ids: list[str], verdict: Verdict, field: str
) -> None:
    ray = desk.actor(Role.REVIEWER)
    with pytest.raises(Invalid) as refused:
        many(desk, ray, ids, verdict)
    assert [one.field for one in refused.value.fields] == [field]


def test_as_many_as_allowed_are_decided_in_a_few_transactions(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray = desk.actor(Role.REVIEWER)
    sizes: list[int] = []
    real = decisions.decide_many

    def counting(*args: Any, **kwargs: Any) -> Any:
        sizes.append(len(args[1]))
        return real(*args, **kwargs)

    monkeypatch.setattr(decisions, "decide_many", counting)
    done = many(desk, ray, [f"chk_{n}" for n in range(MAX_AT_ONCE)])
    assert set(fates(done.rulings)) == {Fate.NOT_FOUND}
    assert sizes == [review_many.TOGETHER] * (MAX_AT_ONCE // review_many.TOGETHER)


@pytest.mark.parametrize("policy", ["never", "always"])
def test_the_policy_holds_for_each(make_desk: Callable[..., Desk], policy: str) -> None:
    desk = make_desk(self_approval=policy)
    admin = desk.actor(Role.ADMIN)
    desk.actor(Role.REVIEWER)
    own = [desk.waiting(admin)[1] for _ in range(2)]
    expected = Fate.FORBIDDEN if policy == "never" else Fate.DECIDED
    assert fates(many(desk, admin, own).rulings) == [expected] * 2
