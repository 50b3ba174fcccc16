"""The public test helpers: a clock that stands still, and a drain."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from agent_console import JobContext, handler, testing
from agent_console.domain.jobs import JobStatus
from agent_console.testing import FakeClock, drain, new_job
from tests.runtime.desk import Desk


def test_the_fake_clock_moves_only_when_told_to() -> None:
    clock = FakeClock(datetime(2026, 1, 1, tzinfo=UTC))
    assert clock.now() == clock.now()
    clock.advance(90)
    clock.advance(timedelta(minutes=1))
    assert clock.now() == datetime(2026, 1, 1, 0, 2, 30, tzinfo=UTC)
    assert clock.monotonic() == 150.0
    with pytest.raises(ValueError, match="forward"):
        clock.advance(-1)


def test_a_wall_clock_that_jumps_leaves_durations_alone() -> None:
    clock = FakeClock()
    clock.set(datetime(2020, 1, 1, tzinfo=UTC))
    assert clock.now().year == 2020
    assert clock.monotonic() == 0.0


def test_drain_runs_what_is_due_and_counts_the_runs(desk: Desk) -> None:
    @handler("test")
    def work(_ctx: JobContext) -> int:
        return 1

    desk.add(work)
    now, later = desk.enqueue(), desk.enqueue(run_at=desk.clock.now() + timedelta(hours=1))
    assert drain(desk, desk.registry, clock=desk.clock) == 1, "a console will do for a database"
    assert desk.job(now).status is JobStatus.COMPLETED
    assert desk.job(later).status is JobStatus.PENDING


def test_drain_gives_up_on_a_job_that_comes_back_for_ever(desk: Desk) -> None:
    @handler("test")
    def work(_ctx: JobContext) -> int:
        desk.enqueue()
        return 1

    desk.add(work)
    desk.enqueue()
    with pytest.raises(RuntimeError, match="5 runs"):
        desk.run(limit=5)


def test_factories_make_jobs_with_defaults() -> None:
    made = new_job(priority=7)
    assert (made.job_type, made.priority, made.input_data) == ("test", 7, {})
    assert made.task_description


def test_unknown_helpers_are_named() -> None:
    with pytest.raises(AttributeError, match="no_such_helper"):
        testing.no_such_helper  # noqa: B018 - the access is the test
