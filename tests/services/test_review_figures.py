from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from agent_console.domain.access import Actor, Role, local_operator
from agent_console.domain.checkpoints import CheckpointVerb, Verdict
from agent_console.domain.errors import Invalid
from agent_console.domain.review_figures import Outcome, Stage
from agent_console.store.claims import claim
from agent_console.store.deadlines import expire_due
from agent_console.store.retention import prune_slots
from agent_console.store.review_sums import DAY, KEPT, QUARTER
from agent_console.store.runs import suspend
from tests.services.conftest import Desk
from tests.support.runs import checkpoint, claim_one

APPROVE = Verdict(verb=CheckpointVerb.APPROVE)


@pytest.fixture
def ana(desk: Desk) -> Actor:
    return desk.actor(Role.REVIEWER, "Ana")


@pytest.fixture
def olga(desk: Desk) -> Actor:
    return desk.actor(Role.OPERATOR, "Olga")


def waiting(desk: Desk, asker: Actor, **facts: Any) -> str:
    """Bring a job of ``asker`` to a checkpoint with ``facts`` and return that."""
    desk.job(asker)
    asked = replace(checkpoint(0, {"n": 1}), **facts)
    return suspend(desk.db, claim_one(desk.db).key, asked, [])


def decide_after(
    desk: Desk,
    reviewer: Actor,
    asked: str,
    *,
    seen: float | None,
    then: float,
    hold: float = 0.0,
    **said: object,
) -> None:
    """Look at a checkpoint after ``seen`` seconds and decide it ``then`` seconds later."""
    if seen is not None:
        desk.clock.advance(seen)
        desk.services.presence.look(reviewer, asked)
    desk.clock.advance(then)
    verdict = Verdict(**{"verb": CheckpointVerb.APPROVE, **said})  # type: ignore[arg-type]
    desk.services.review.decide(reviewer, asked, verdict, hold=hold)


def test_the_stages_of_a_review_are_measured_by_type_and_risk(
    desk: Desk, ana: Actor, olga: Actor
) -> None:
    asked = waiting(desk, olga, risk="HIGH")
    desk.services.presence.look(olga, asked)  # who asked has seen it at once
    desk.clock.advance(20)
    decide_after(desk, ana, asked, seen=40, then=100)
    desk.clock.advance(3)
    assert len(claim(desk.db, "wrk_1", 5)) == 1
    _, unseen = desk.waiting(olga)
    decide_after(desk, ana, unseen, seen=None, then=5)
    found = desk.services.review_figures.read(ana)
    times = found.by_risk["HIGH"].times
    assert {stage: (one.count, one.total) for stage, one in times.items()} == {
        Stage.SEEN: (1, 0.0),
        Stage.DECIDED: (1, 160.0),
        Stage.RESUMED: (1, 3.0),
    }
    assert times[Stage.DECIDED].buckets == {"300.0": 1}
    assert found.by_risk["NONE"].times[Stage.SEEN].count == 0
    assert found.total.outcomes[Outcome.APPROVED] == 2
    assert set(found.by_job_type) == {"noop"}
    assert desk.services.review_figures.read(ana, job_type="write").total.ended == 0


def test_a_run_that_begins_again_has_not_waited_for_its_approval(
    desk: Desk, ana: Actor, olga: Actor
) -> None:
    job_id, asked = desk.waiting(olga)
    decide_after(desk, ana, asked, seen=1, then=1)
    assert len(claim(desk.db, "wrk_1", 1)) == 1
    admin = desk.actor(Role.ADMIN)
    desk.clock.advance(100)
    desk.services.jobs.control(admin, job_id, "cancel")
    desk.services.jobs.control(admin, job_id, "retry")
    desk.clock.advance(100)
    assert len(claim(desk.db, "wrk_1", 1)) == 1
    resumed = desk.services.review_figures.read(ana).total.times[Stage.RESUMED]
    assert (resumed.count, resumed.total) == (1, 0.0)


def test_how_reviews_end_and_the_shares_of_it(desk: Desk, ana: Actor, olga: Actor) -> None:
    schema = '{"type": "object"}'
    for said in (
        {},
        {},
        {},
        {"edited_data": {"n": 2}},
        {"verb": CheckpointVerb.REJECT, "reason": "no"},
        {"verb": CheckpointVerb.REQUEST_CHANGES, "feedback": "other"},
    ):
        asked = waiting(desk, olga, edit_schema=schema, rounds=3)
        decide_after(desk, ana, asked, seen=None, then=1, hold=DAY, **said)
    desk.waiting(olga, expires_in=timedelta(seconds=5))
    desk.clock.advance(6)
    assert expire_due(desk.db) == 1
    total = desk.services.review_figures.read(ana).total
    assert {outcome.value: n for outcome, n in total.outcomes.items() if n} == {
        "approved": 3,
        "edited": 1,
        "rejected": 1,
        "changes_requested": 1,
        "expired": 1,
    }
    assert total.rates() == {
        "expired": 1 / 7,
        "edited": 1 / 4,
        "changes": 1 / 6,
        "self": 0.0,
        "policy": 0.0,
    }


def test_deciding_on_ones_own_is_counted_beside(desk: Desk, ana: Actor) -> None:
    root = local_operator("root")  # owns the database: whatever it asks for it may decide
    for asker, decider in ((root, root), (desk.actor(Role.OPERATOR), ana)):
        _, asked = desk.waiting(asker)
        desk.services.review.decide(decider, asked, APPROVE, hold=DAY)
    total = desk.services.review_figures.read(ana).total
    assert (total.outcomes[Outcome.SELF], total.rates()["self"]) == (1, 0.5)


def test_what_waits_is_told_by_its_age(desk: Desk, ana: Actor, olga: Actor) -> None:
    for _ in range(2):
        desk.waiting(olga)
    desk.clock.advance(2 * 3600)
    desk.waiting(olga)
    ages = {one.up_to: one.count for one in desk.services.review_figures.read(ana).pending}
    assert ages == {300: 1, 3_600: 0, 14_400: 2, 86_400: 0, None: 0}
    assert [
        one.count for one in desk.services.review_figures.read(ana, job_type="noop").pending
    ] == [1, 0, 2, 0, 0]
    assert not any(
        one.count for one in desk.services.review_figures.read(ana, job_type="write").pending
    )


def test_a_stretch_is_of_whole_slots_fine_or_of_days(desk: Desk, ana: Actor, olga: Actor) -> None:
    figures = desk.services.review_figures
    _, asked = desk.waiting(olga)
    decide_after(desk, ana, asked, seen=1, then=1)
    now = desk.clock.now()
    hour = figures.read(ana, since=now - timedelta(hours=1))
    assert (hour.width, len(hour.points)) == (QUARTER, 5)
    assert hour.since <= now - timedelta(hours=1) < now <= hour.until
    assert sum(point.reviews.ended for point in hour.points) == hour.total.ended == 1
    month = figures.read(ana, since=now - timedelta(days=30))
    assert (month.width, month.total.ended, month.points[-1].reviews.ended) == (DAY, 1, 1)
    assert figures.read(ana, until=now - timedelta(days=1)).total.ended == 0
    desk.clock.advance(9 * DAY)
    assert prune_slots(desk.db) > 0
    old = figures.read(ana, since=now - timedelta(hours=1), until=now + timedelta(hours=1))
    assert (old.width, old.total.ended) == (DAY, 1)
    desk.clock.advance(KEPT[DAY])
    assert prune_slots(desk.db) > 0
    with desk.db.read() as reader:
        assert reader.row("SELECT count(*) FROM review_slots") == (0,)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"since": datetime(2026, 1, 1)}, "since"),  # noqa: DTZ001 - that is what is refused
        ({"until": datetime(2026, 1, 1)}, "until"),  # noqa: DTZ001
        ({"job_type": "x" * 201}, "jobType"),
    ],
)
def test_what_cannot_be_answered_is_refused(
    desk: Desk, ana: Actor, asked: dict[str, object], field: str
) -> None:
    with pytest.raises(Invalid) as wrong:
        desk.services.review_figures.read(ana, **asked)  # type: ignore[arg-type]
    assert wrong.value.fields[0].field == field


def test_an_empty_or_endless_stretch_is_refused(desk: Desk, ana: Actor) -> None:
    now = desk.clock.now()
    for since in (now, now - timedelta(days=401)):
        with pytest.raises(Invalid, match="until"):
            desk.services.review_figures.read(ana, since=since, until=now)
