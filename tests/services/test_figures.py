"""Figures of now and their course, on both databases, by a clock that the test moves."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agent_console.domain.access import Actor, Permission, Role
from agent_console.domain.checkpoints import CheckpointVerb, Verdict
from agent_console.domain.errors import Forbidden, Invalid
from agent_console.domain.jobs import JobVerb
from agent_console.domain.records import WorkerStatus
from agent_console.store import tallies
from agent_console.store.finishes import finish
from agent_console.store.liveness import heartbeat
from agent_console.store.reads import series
from agent_console.store.retention import prune_slots
from agent_console.store.tally_deltas import settle
from agent_console.store.tally_slots import KEPT, MINUTE, QUARTER
from tests.services.conftest import Desk
from tests.support.runs import claim_one, end, start_worker

HOUR = 3600


def run_one(
    desk: Desk, asker: Actor, verb: JobVerb = JobVerb.COMPLETE, seconds: float = 2.0
) -> None:
    desk.job(asker)
    claimed = claim_one(desk.db)
    desk.clock.advance(seconds)
    finish(desk.db, [end(claimed.key, verb)])


@pytest.fixture
def asker(desk: Desk) -> Actor:
    return desk.actor(Role.OPERATOR)


def test_the_figures_of_now(desk: Desk, asker: Actor) -> None:
    viewer = desk.actor(Role.VIEWER)
    nothing = desk.services.figures.live(viewer)
    assert (nothing.task_count, nothing.success_rate, nothing.mean_duration) == (0, None, None)
    start_worker(desk.db)
    heartbeat(desk.db, "w1", [], WorkerStatus.RUNNING)
    for verb in (JobVerb.COMPLETE, JobVerb.COMPLETE, JobVerb.COMPLETE, JobVerb.FAIL):
        run_one(desk, asker, verb)
    desk.waiting(asker)
    desk.clock.advance(90)
    heartbeat(desk.db, "w1", [], WorkerStatus.RUNNING)
    desk.job(asker)
    live = desk.services.figures.live(viewer)
    assert (live.task_count, live.waiting_in_queue, live.pending_checkpoints) == (6, 1, 1)
    assert live.success_rate == 0.75
    assert live.mean_duration == pytest.approx(2.0)
    assert live.p95_duration is not None
    assert 1.0 < live.p95_duration <= 5.0
    assert live.oldest_wait == pytest.approx(90)
    assert live.active_workers == 1
    desk.clock.advance(2 * HOUR)
    later = desk.services.figures.live(viewer)
    assert (later.success_rate, later.active_workers, later.task_count) == (None, 0, 6)


def test_the_course_puts_everything_into_its_slot(desk: Desk, asker: Actor) -> None:
    viewer, reviewer = desk.actor(Role.VIEWER), desk.actor(Role.REVIEWER)
    run_one(desk, asker)
    desk.clock.advance(10 * 60)
    run_one(desk, asker, JobVerb.FAIL)
    _, checkpoint_id = desk.waiting(asker)
    desk.clock.advance(30)
    desk.services.review.decide(reviewer, checkpoint_id, Verdict(verb=CheckpointVerb.APPROVE))
    found = desk.services.figures.overview(viewer, "1h")
    assert (found.width, len(found.points)) == (60, 60)
    assert [p.at - found.points[0].at for p in found.points[:2]] == [
        timedelta(),
        timedelta(minutes=1),
    ]
    assert sum(p.completed for p in found.points) == 1
    assert sum(p.failed for p in found.points) == 1
    assert sum(p.enqueued for p in found.points) == 3
    assert sum(p.decided for p in found.points) == 1
    (ran,) = [p for p in found.points if p.completed]
    assert ran.duration_p50 is not None
    (waited,) = [p for p in found.points if p.wait_p50 is not None]
    assert 10 < (waited.wait_p50 or 0) <= 60
    assert found.points.index(waited) > found.points.index(ran)
    for span, count in (("6h", 60), ("24h", 48), ("7d", 56)):
        wider = desk.services.figures.overview(viewer, span)
        assert len(wider.points) == count
        assert sum(p.completed for p in wider.points) == 1


def test_an_unknown_span_and_a_stranger_are_refused(desk: Desk) -> None:
    with pytest.raises(Invalid, match="1h"):
        desk.services.figures.overview(desk.actor(Role.VIEWER), "1y")
    narrow = Actor(kind="token", name="t", permissions=frozenset({Permission.JOBS_READ}))
    for call in (desk.services.figures.live, desk.services.figures.overview):
        with pytest.raises(Forbidden):
            call(narrow)


def test_slots_that_no_chart_reaches_are_deleted(desk: Desk, asker: Actor) -> None:
    run_one(desk, asker)
    settle(desk.db)
    assert prune_slots(desk.db) == 0
    desk.clock.advance(KEPT[MINUTE] + 120)
    assert prune_slots(desk.db) > 0
    with desk.db.read() as reader:
        widths = reader.rows("SELECT DISTINCT width FROM tally_slots")
        quarter = series.read(reader, width=QUARTER, count=96)
    assert widths == [(QUARTER,)]
    assert quarter.total(tallies.JOBS_TOTAL, "COMPLETED") == 1
    desk.clock.advance(KEPT[QUARTER] + 1800)
    prune_slots(desk.db)
    with desk.db.read() as reader:
        assert reader.row("SELECT count(*) FROM tally_slots") == (0,)
        # The tallies themselves are never pruned.
        assert reader.row(
            f"SELECT sum(value) FROM {tallies.TOTALS} WHERE labels = 'COMPLETED'"
        ) == (2,)
