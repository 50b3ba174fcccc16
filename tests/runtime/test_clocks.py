"""Clocks that jump, and schedulers that stall: nobody dies of it, nothing happens twice."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from apscheduler.schedulers.background import BackgroundScheduler

from agent_console import JobContext, handler
from agent_console.domain.clock import SystemClock
from agent_console.domain.jobs import JobStatus
from agent_console.domain.records import WorkerStatus
from agent_console.runtime.scheduler import Scheduler
from agent_console.store.database import Database, StoreOptions
from agent_console.store.deadlines import expire_due
from agent_console.store.finishes import finish
from agent_console.store.liveness import heartbeat, rescue
from agent_console.store.runs import suspend
from agent_console.testing import enqueue
from tests.runtime.desk import Desk
from tests.runtime.hosts import PATIENCE, Changes, hosted
from tests.support.databases import PostgresServer
from tests.support.runs import checkpoint, claim_one, end, start_worker

HOUR = timedelta(hours=1)
LEFT = "SELECT 1 FROM ai_jobs WHERE status <> 'COMPLETED' AND job_type = 'test'"


@pytest.mark.parametrize("off", [HOUR, -HOUR], ids=["an hour ahead", "an hour behind"])
def test_a_process_with_a_wrong_clock_harms_nobody_on_postgresql(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch, off: timedelta
) -> None:
    real = SystemClock.now

    def wrong(self: SystemClock) -> datetime:
        return real(self) + off

    with ExitStack() as stack:
        url = stack.enter_context(postgres.database())
        right = Database(url, StoreOptions())
        stack.callback(right.close)
        start_worker(right, "w1")
        monkeypatch.setattr(SystemClock, "now", wrong)
        # The same console now has a wrong clock; the one that counts is the database's.
        job_id = enqueue(right, "noop")
        key = claim_one(right, "w1").key
        assert key.job_id == job_id
        assert rescue(right, 15.0, 5) == 0
        heartbeat(right, "w1", [key], WorkerStatus.RUNNING)
        assert rescue(right, 15.0, 5) == 0
        suspend(right, key, checkpoint(expires_in=timedelta(minutes=30)))
        assert expire_due(right) == 0
        with right.read() as reader:
            beat, now = reader.rows("SELECT heartbeat_at, {now} FROM agent_workers")[0]
        assert abs(now - beat) < 60_000_000


@pytest.mark.parametrize("off", [HOUR, -HOUR], ids=["an hour ahead", "an hour behind"])
def test_a_jump_of_the_databases_clock_costs_no_living_worker_its_job(
    desk: Desk, off: timedelta
) -> None:
    start_worker(desk.db, "w1")
    desk.enqueue()
    key = claim_one(desk.db, "w1").key
    desk.clock.set(desk.clock.now() + off)
    # The worker's own sweep may come before its next heartbeat; another's comes after.
    assert rescue(desk.db, 15.0, 5, own="w1") == 0
    heartbeat(desk.db, "w1", [key], WorkerStatus.RUNNING)
    assert rescue(desk.db, 15.0, 5) == 0
    assert finish(desk.db, [end(key)]) == {key.job_id}
    desk.clock.advance(15.1)
    start_worker(desk.db, "w2")
    desk.enqueue()
    claim_one(desk.db, "w2")
    desk.clock.advance(15.1)
    assert rescue(desk.db, 15.0, 5) == 1  # and who is silent from then on is found dead


def test_a_timeout_counts_seconds_and_not_the_hands_of_a_clock(desk: Desk) -> None:
    @handler("test", timeout=60)
    def work(ctx: JobContext) -> str:
        desk.clock.set(desk.clock.now() + HOUR)
        ctx.log("an hour later, it seems")
        desk.clock.set(desk.clock.now() - 2 * HOUR)
        return ctx.step("one", lambda: "in time")

    desk.add(work)
    job_id = desk.enqueue()
    desk.run()
    assert desk.job(job_id).status is JobStatus.COMPLETED


def test_four_schedulers_on_one_database_do_everything_once(
    db: Database, database_url: str, tmp_path: Path
) -> None:
    runs: list[str] = []
    asked: list[str] = []

    @handler("test")
    def work(ctx: JobContext) -> None:
        runs.append(ctx.job.id)

    start_worker(db, "old")
    for _ in range(4):
        enqueue(db, "asks")
        asked.append(suspend(db, claim_one(db, "old").key, checkpoint(expires_in=timedelta(0))))
    heartbeat(db, "old", [], WorkerStatus.STOPPED)
    changes = Changes(db)
    with ExitStack() as stack:
        for number in range(4):
            own = Database(database_url, StoreOptions(pool_max=5))
            stack.callback(own.close)
            stack.enter_context(hosted(own, tmp_path / str(number), work, poll_interval=0.1))
        jobs = [enqueue(db) for _ in range(40)]

        def settled() -> bool:
            with db.read() as reader:
                left = reader.row(LEFT)
                pending = reader.row("SELECT 1 FROM agent_checkpoints WHERE status = 'PENDING'")
            return left is None and pending is None

        assert changes.until(settled)
    assert sorted(runs) == sorted(jobs)
    with db.read() as reader:
        expired = reader.rows(
            "SELECT checkpoint_id FROM audit_logs WHERE action = 'checkpoint.expired'"
        )
    assert sorted(row[0] for row in expired) == sorted(asked)


def test_a_scheduler_that_stalled_catches_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its thread comes back five intervals late, as after a suspended machine."""
    calls: list[str] = []
    stalled, called = threading.Event(), threading.Event()
    real = BackgroundScheduler._process_jobs

    def process(self: BackgroundScheduler) -> float | None:
        if not stalled.is_set() and calls:
            stalled.set()
            threading.Event().wait(0.6)
            calls.append("back")
        wait: float | None = real(self)
        return wait

    def poll() -> None:
        calls.append("poll")
        if "back" in calls:
            called.set()

    monkeypatch.setattr(BackgroundScheduler, "_process_jobs", process)
    scheduler = Scheduler()
    scheduler.start(poll, 0.1)
    try:
        assert called.wait(PATIENCE)
    finally:
        scheduler.stop()
    after = calls[calls.index("back") + 1 :]
    assert 1 <= len(after) <= 2  # one for all that were missed, perhaps the next in its turn
