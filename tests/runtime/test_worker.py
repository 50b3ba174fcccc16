"""The worker with its threads: order, capacity, prefetch, drain, outages, lost claims."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from agent_console import AsyncJobContext, JobContext, RetryPolicy, handler
from agent_console.domain.access import SYSTEM
from agent_console.domain.errors import Unavailable
from agent_console.domain.jobs import Job, JobStatus, JobVerb
from agent_console.domain.records import WorkerStatus
from agent_console.runtime import async_context, claimer, finisher
from agent_console.runtime.executor import Executor
from agent_console.runtime.slots import Slots
from agent_console.store import job_writes
from agent_console.store.database import Database
from agent_console.store.engine_values import Claimed
from agent_console.testing import enqueue
from tests.runtime.hosts import PATIENCE, Changes, hosted


def job(db: Database, job_id: str) -> Job:
    return db.write(lambda tx: job_writes.job(tx, job_id))


def status(db: Database, job_id: str) -> JobStatus:
    return job(db, job_id).status


def count(db: Database, where: str) -> int:
    with db.read() as reader:
        row = reader.row(f"SELECT count(*) FROM ai_jobs WHERE {where}")
    return int(row[0]) if row else 0


def test_jobs_run_by_priority_then_age_with_one_slot(
    db: Database, tmp_path: Path, changes: Changes
) -> None:
    order: list[str] = []

    @handler("test")
    def work(ctx: JobContext) -> None:
        order.append(ctx.job.description)

    for name, priority in (("old", 5), ("young", 5), ("urgent", 9)):
        enqueue(db, task_description=name, priority=priority)
    with hosted(db, tmp_path, work, max_concurrent_jobs=1):
        assert changes.until(lambda: count(db, "status = 'COMPLETED'") == 3)
    assert order == ["urgent", "old", "young"]


def test_a_job_that_arrives_starts_at_once_and_never_more_than_allowed(
    db: Database, tmp_path: Path, changes: Changes
) -> None:
    running: list[int] = []
    now = threading.Semaphore(0)
    go, lock = threading.Event(), threading.Lock()
    active = 0

    @handler("test")
    def work(_ctx: JobContext) -> None:
        nonlocal active
        with lock:
            active += 1
            running.append(active)
        now.release()
        go.wait(PATIENCE)
        with lock:
            active -= 1

    # With a poll this rare only a wake-up can start them in time.
    with hosted(db, tmp_path, work, max_concurrent_jobs=2, poll_interval=300) as host:
        assert changes.until(lambda: host.stats()["isRunning"] is True)
        for _ in range(4):
            enqueue(db)
        assert now.acquire(timeout=PATIENCE)
        assert now.acquire(timeout=PATIENCE)
        assert host.stats()["activeJobs"] == 2
        go.set()
        assert changes.until(lambda: count(db, "status = 'COMPLETED'") == 4)
    assert max(running) == 2


def test_many_short_jobs_are_all_done_once(db: Database, tmp_path: Path, changes: Changes) -> None:
    seen: list[str] = []

    @handler("test")
    def work(ctx: JobContext) -> None:
        seen.append(ctx.job.id)

    ids = {enqueue(db) for _ in range(300)}
    with hosted(db, tmp_path, work):
        assert changes.until(lambda: count(db, "status = 'COMPLETED'") == 300)
    assert len(seen) == 300
    assert set(seen) == ids


def test_jobs_claimed_ahead_go_back_when_the_slots_turn_out_to_be_busy(
    db: Database, tmp_path: Path, changes: Changes
) -> None:
    release = threading.Event()

    @handler("test")
    def work(ctx: JobContext) -> None:
        if ctx.job.description == "long":
            release.wait(PATIENCE)

    for number in range(200):
        enqueue(db, priority=9, task_description=f"short {number}")
    enqueue(db, task_description="long")
    for number in range(12):
        enqueue(db, priority=1, task_description=f"late {number}")
    with hosted(db, tmp_path, work, max_concurrent_jobs=1):
        # Whatever was claimed ahead of the long job is offered to others after a second.
        assert changes.until(lambda: count(db, "status = 'RUNNING' AND attempts = 1") == 1)
        assert changes.until(
            lambda: (
                count(db, "status = 'RUNNING'") == 1
                and count(db, "task_description = 'long' AND status = 'RUNNING'") == 1
            )
        )
        release.set()
        assert changes.until(lambda: count(db, "status = 'COMPLETED'") == 213)
    assert count(db, "attempts <> 1") == 0, "being given back charges no attempt"


def test_a_job_canceled_while_it_waits_for_its_turn_is_not_begun(
    db: Database, tmp_path: Path, changes: Changes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claimer, "STALE", 60.0)  # what is claimed ahead stays
    release = threading.Event()
    begun: list[str] = []

    @handler("test")
    def work(ctx: JobContext) -> None:
        begun.append(ctx.job.description)
        if ctx.job.description == "long":
            release.wait(PATIENCE)

    for number in range(200):
        enqueue(db, priority=9, task_description=f"short {number}")
    enqueue(db, task_description="long")
    late = [enqueue(db, priority=1, task_description=f"late {n}") for n in range(12)]
    with hosted(db, tmp_path, work, max_concurrent_jobs=1) as host:
        assert changes.until(lambda: "long" in begun)
        assert changes.until(lambda: count(db, "status = 'RUNNING'") > 1)
        number = next(n for n, id_ in enumerate(late) if status(db, id_) is JobStatus.RUNNING)
        db.write(lambda tx: job_writes.control(tx, late[number], JobVerb.CANCEL, SYSTEM))
        worker = host._worker
        assert worker is not None
        assert changes.until(lambda: len(worker._lost) == 1)
        release.set()
        assert changes.until(lambda: count(db, "status = 'COMPLETED'") == 212)
        assert worker._lost == set()
    assert f"late {number}" not in begun


def test_a_drain_gives_jobs_back_without_charging_an_attempt(db: Database, tmp_path: Path) -> None:
    started = threading.Semaphore(0)
    cleaned: list[str] = []

    @handler("test")
    def work(ctx: JobContext) -> None:
        started.release()
        try:
            while True:
                ctx.step("tick", threading.Event().wait, 0.005)
        finally:
            cleaned.append(ctx.job.id)

    ids = [enqueue(db) for _ in range(2)]
    with hosted(db, tmp_path, work) as host:
        assert started.acquire(timeout=PATIENCE)
        assert started.acquire(timeout=PATIENCE)
        host.stop(0.05)
        assert not host.stats()["isRunning"]
    assert sorted(cleaned) == sorted(ids)
    for job_id in ids:
        assert status(db, job_id) is JobStatus.QUEUED
    assert count(db, "resuming = 1") == 2, "the next claim charges nothing"


def test_a_handler_that_ignores_the_drain_loses_its_job_and_can_write_nothing(
    db: Database, tmp_path: Path
) -> None:
    started, release, ended = threading.Event(), threading.Event(), threading.Event()

    @handler("test")
    def work(ctx: JobContext) -> None:
        started.set()
        release.wait(PATIENCE)
        try:
            ctx.step("late", lambda: 1)
        finally:
            ended.set()

    job_id = enqueue(db)
    with hosted(db, tmp_path, work) as host:
        assert started.wait(PATIENCE)
        host.stop(0)
        assert status(db, job_id) is JobStatus.QUEUED
        release.set()
        assert ended.wait(PATIENCE)
    with db.read() as reader:
        assert reader.rows("SELECT * FROM job_steps") == []


@pytest.mark.slow
def test_a_long_healthy_job_is_not_started_twice(
    db: Database, tmp_path: Path, changes: Changes
) -> None:
    starts: list[str] = []
    release = threading.Event()

    @handler("test")
    def work(ctx: JobContext) -> None:
        starts.append(ctx.job.id)
        release.wait(PATIENCE)

    job_id = enqueue(db)
    with (
        hosted(db, tmp_path, work, worker_timeout=3) as first,
        hosted(db, tmp_path, work, worker_timeout=3) as second,
    ):
        assert changes.until(lambda: starts != [])
        beats = {first.worker_id: 0, second.worker_id: 0}

        def longer_than_the_timeout() -> bool:
            with db.read() as reader:
                rows = reader.rows("SELECT heartbeat_at - started_at FROM agent_workers")
            return len(rows) == len(beats) and min(age for (age,) in rows) > 4_000_000

        assert changes.until(longer_than_the_timeout)
        release.set()
        assert changes.until(lambda: status(db, job_id) is JobStatus.COMPLETED)
    assert starts == [job_id]


def test_a_running_job_hears_of_its_cancellation_between_heartbeats(
    db: Database, tmp_path: Path
) -> None:
    started, told = threading.Event(), threading.Event()

    @handler("test")
    def work(ctx: JobContext) -> None:
        started.set()
        for _ in range(int(PATIENCE * 100)):
            if ctx.canceled:
                told.set()
                return
            threading.Event().wait(0.01)

    job_id = enqueue(db)
    with hosted(db, tmp_path, work, worker_timeout=600):
        assert started.wait(PATIENCE)
        db.write(lambda tx: job_writes.control(tx, job_id, JobVerb.CANCEL, SYSTEM))
        assert told.wait(2.0), "a heartbeat comes every five seconds only"
    assert status(db, job_id) is JobStatus.CANCELED


def test_a_handler_that_hangs_past_its_timeout_is_failed_and_its_slot_freed(
    db: Database, tmp_path: Path, changes: Changes
) -> None:
    release = threading.Event()

    @handler("stuck", timeout=0.2, retry=RetryPolicy(max_attempts=1))
    def stuck(_ctx: JobContext) -> None:
        release.wait(PATIENCE)

    @handler("next")
    def following(_ctx: JobContext) -> str:
        return "ran"

    hung = enqueue(db, "stuck", max_attempts=1)
    after = enqueue(db, "next", priority=1)
    with hosted(db, tmp_path, stuck, following, max_concurrent_jobs=1):
        assert changes.until(lambda: status(db, after) is JobStatus.COMPLETED)
        release.set()
    failed = job(db, hung)
    assert failed.status is JobStatus.FAILED
    assert failed.error is not None
    assert failed.error.type == "TimedOut"


def _down_for(times: int, real: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``real`` behind a database that is unavailable the first ``times`` times."""
    left = [times]

    def call(*args: Any, **kwargs: Any) -> Any:
        if left[0] > 0:
            left[0] -= 1
            raise Unavailable
        return real(*args, **kwargs)

    return call


def test_an_outage_loses_nothing(
    db: Database, tmp_path: Path, changes: Changes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claimer, "claim", _down_for(2, claimer.claim))
    monkeypatch.setattr(finisher, "finish", _down_for(3, finisher.finish))
    ran: list[str] = []

    @handler("test")
    def work(ctx: JobContext) -> str:
        ran.append(ctx.job.id)
        return "kept"

    job_id = enqueue(db)
    with hosted(db, tmp_path, work):
        assert changes.until(lambda: status(db, job_id) is JobStatus.COMPLETED)
    assert ran == [job_id]
    assert job(db, job_id).output_data == "kept"


def test_a_claim_whose_answer_is_lost_is_given_back_and_run(
    db: Database, tmp_path: Path, changes: Changes, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, answers = claimer.claim, iter([False])

    def claims_and_loses_the_answer(*args: Any, **options: Any) -> Any:
        claimed = real(*args, **options)
        if claimed and not next(answers, True):
            raise Unavailable
        return claimed

    monkeypatch.setattr(claimer, "claim", claims_and_loses_the_answer)

    @handler("test")
    def work(_ctx: JobContext) -> str:
        return "ran"

    job_id = enqueue(db)
    with hosted(db, tmp_path, work):
        assert changes.until(lambda: status(db, job_id) is JobStatus.COMPLETED)
    assert job(db, job_id).attempts == 1


def test_async_handlers_share_a_loop_and_record_like_the_others(
    db: Database, tmp_path: Path, changes: Changes
) -> None:
    threads: set[str] = set()

    async def double(n: int) -> int:
        threads.add(threading.current_thread().name)
        return 2 * n

    @handler("test")
    async def work(ctx: AsyncJobContext) -> object:
        threads.add(threading.current_thread().name)
        ctx.log("working")
        await ctx.info("a note")
        four = await ctx.step("double", double, 2)
        length = await ctx.step("measure", len, "abc")
        return [four, length]

    ids = [enqueue(db) for _ in range(5)]
    with hosted(db, tmp_path, work):
        assert changes.until(lambda: count(db, "status = 'COMPLETED'") == 5)
    assert [job(db, job_id).output_data for job_id in ids] == [[4, 3]] * 5
    assert threads == {"async-handlers"}


def test_an_async_handler_is_canceled_at_its_timeout(
    db: Database, tmp_path: Path, changes: Changes
) -> None:
    import asyncio

    @handler("test", timeout=0.2)
    async def work(_ctx: AsyncJobContext) -> None:
        await asyncio.Event().wait()

    job_id = enqueue(db, max_attempts=1)
    with hosted(db, tmp_path, work):
        assert changes.until(lambda: status(db, job_id) is JobStatus.FAILED)
    error = job(db, job_id).error
    assert error is not None
    assert error.type == "TimedOut"


def test_lines_of_a_running_handler_are_written_while_it_runs(
    db: Database, tmp_path: Path, changes: Changes
) -> None:
    release = threading.Event()

    @handler("test")
    def work(ctx: JobContext) -> None:
        ctx.log("under way")
        ctx.progress(0.25, "a quarter")
        release.wait(PATIENCE)

    job_id = enqueue(db)

    def written() -> bool:
        with db.read() as reader:
            return reader.rows("SELECT message FROM agent_logs") == [("under way",)]

    with hosted(db, tmp_path, work):
        assert changes.until(written)
        assert changes.until(lambda: job(db, job_id).progress is not None)
        release.set()
        assert changes.until(lambda: status(db, job_id) is JobStatus.COMPLETED)


def test_a_worker_that_is_not_wanted_claims_nothing(
    db: Database, tmp_path: Path, changes: Changes
) -> None:
    @handler("test")
    def work(_ctx: JobContext) -> None:
        raise AssertionError("must not run")

    job_id = enqueue(db)

    def registered() -> bool:
        with db.read() as reader:
            return reader.rows("SELECT status FROM agent_workers") == [
                (WorkerStatus.STOPPED.value,)
            ]

    with hosted(db, tmp_path, work, desired=False) as host:
        assert changes.until(registered)
        assert host.stats()["isRunning"] is False
    assert status(db, job_id) is JobStatus.PENDING


def test_jobs_without_a_handler_do_not_hold_up_the_others(
    db: Database, tmp_path: Path, changes: Changes
) -> None:
    @handler("test")
    def work(_ctx: JobContext) -> None:
        pass

    for _ in range(9):
        enqueue(db, "nobody-s", priority=50)
    job_id = enqueue(db)
    with hosted(db, tmp_path, work, poll_interval=300):
        assert changes.until(lambda: status(db, job_id) is JobStatus.COMPLETED)
    assert count(db, "status = 'PARKED'") == 9


def test_a_slot_is_free_before_the_claimer_hears_of_it() -> None:
    held: list[int] = []
    told = threading.Semaphore(0)

    def freed() -> None:
        held.append(slots.held)
        told.release()

    slots = Slots(lambda _claimed: None, freed)
    slots.resize(1)
    slots.put([cast("Claimed", object())] * 2)
    assert told.acquire(timeout=PATIENCE)
    assert told.acquire(timeout=PATIENCE)
    slots.resize(0)
    assert held == [1, 0]


def test_a_job_the_engine_stumbles_over_is_parked(
    db: Database, tmp_path: Path, changes: Changes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumbles(*_args: object) -> None:
        raise RuntimeError("a bug in the engine")

    monkeypatch.setattr(Executor, "execute", stumbles)

    @handler("test")
    def work(_ctx: JobContext) -> None:
        pass

    job_id = enqueue(db)
    with hosted(db, tmp_path, work):
        assert changes.until(lambda: status(db, job_id) is JobStatus.PARKED)


def test_an_async_handler_cannot_end_the_others(
    db: Database, tmp_path: Path, changes: Changes
) -> None:
    leaving = threading.Event()

    @handler("leaves", retry=RetryPolicy(max_attempts=1))
    async def leaves(_ctx: AsyncJobContext) -> None:
        leaving.set()
        raise SystemExit(3)

    @handler("test")
    async def stays(ctx: AsyncJobContext) -> str:
        await ctx.step("wait", lambda: leaving.wait(PATIENCE))
        return await ctx.step("go on", lambda: "stayed")

    first = enqueue(db)
    second = enqueue(db, "leaves", max_attempts=1)
    with hosted(db, tmp_path, stays, leaves):
        assert changes.until(lambda: status(db, second) is JobStatus.FAILED)
        third = enqueue(db)
        assert changes.until(lambda: status(db, first) is JobStatus.COMPLETED)
        assert changes.until(lambda: status(db, third) is JobStatus.COMPLETED)


def test_an_async_handler_that_blocks_its_loop_does_not_keep_the_process(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(async_context, "CLOSING", 0.1)
    began, release = threading.Event(), threading.Event()

    @handler("test")
    async def blocks(_ctx: AsyncJobContext) -> None:
        began.set()
        release.wait(PATIENCE)

    job_id = enqueue(db)
    with hosted(db, tmp_path, blocks) as host:
        assert began.wait(PATIENCE)
        host.stop(0)
        assert not release.is_set()
        assert status(db, job_id) is JobStatus.QUEUED
    release.set()
