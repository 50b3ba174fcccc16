"""A process's worker follows its row, notices the dead, and keeps its threads alive."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from agent_console import JobContext, handler
from agent_console.domain.access import SYSTEM
from agent_console.domain.errors import Unavailable
from agent_console.domain.jobs import JobStatus
from agent_console.domain.records import WorkerStatus
from agent_console.runtime import sweeps
from agent_console.runtime.locks import WorkerLocks
from agent_console.runtime.loops import Loop
from agent_console.runtime.scheduler import Scheduler
from agent_console.runtime.sweeps import expire_overdue, rescue_dead
from agent_console.store import job_writes, worker_writes
from agent_console.store.claims import claim
from agent_console.store.database import Database, StoreOptions
from agent_console.store.engine_values import WorkerOrders
from agent_console.store.liveness import rescue
from agent_console.testing import enqueue
from agent_console.testing.draining import _introduce
from tests.runtime.desk import Desk
from tests.runtime.hosts import PATIENCE, Changes, hosted


@handler("test")
def quick(_ctx: JobContext) -> str:
    """Do nothing."""
    return "done"


def row(db: Database, worker_id: str) -> dict[str, Any]:
    with db.read() as reader:
        found = reader.dicts("SELECT * FROM agent_workers WHERE id = :id", {"id": worker_id})
    return found[0] if found else {"status": None}


def want(db: Database, desired: str) -> None:
    db.write(lambda tx: worker_writes.set_desired(tx, desired, worker_id=None, actor=SYSTEM))


def test_start_and_stop_arrive_from_another_process_well_under_a_second(
    db: Database, database_url: str, tmp_path: Path, changes: Changes
) -> None:
    from agent_console.store.signals import Signals

    elsewhere = Database(database_url, StoreOptions())
    signals = Signals(elsewhere)
    signals.start()
    try:
        with hosted(db, tmp_path, quick, desired=False) as host:
            assert changes.until(lambda: row(db, host.worker_id)["status"] == "STOPPED")
            for desired, expected in (("run", "RUNNING"), ("stop", "STOPPED"), ("run", "RUNNING")):
                began = time.monotonic()
                want(elsewhere, desired)
                assert changes.until(
                    lambda state=expected: row(db, host.worker_id)["status"] == state
                )
                assert time.monotonic() - began < 1.0
            job_id = enqueue(elsewhere)
            assert changes.until(
                lambda: (
                    db.write(lambda tx: job_writes.job(tx, job_id)).status is JobStatus.COMPLETED
                )
            )
    finally:
        signals.stop()
        elsewhere.close()


def test_a_stop_waits_for_the_running_job_and_a_start_recalls_it(
    db: Database, tmp_path: Path, changes: Changes
) -> None:
    started, release = threading.Event(), threading.Event()

    @handler("test")
    def work(_ctx: JobContext) -> str:
        started.set()
        release.wait(PATIENCE)
        return "in peace"

    job_id = enqueue(db)
    with hosted(db, tmp_path, work) as host:
        assert started.wait(PATIENCE)
        want(db, "stop")
        assert changes.until(lambda: not host.stats()["isRunning"])
        assert host.stats()["activeJobs"] == 1
        release.set()
        assert changes.until(lambda: row(db, host.worker_id)["status"] == "STOPPED")
    done = db.write(lambda tx: job_writes.job(tx, job_id))
    assert (done.status, done.output_data) == (JobStatus.COMPLETED, "in peace")


def test_capacity_and_poll_interval_change_while_it_runs(db: Database, tmp_path: Path) -> None:
    started, release = threading.Semaphore(0), threading.Event()

    @handler("test")
    def work(_ctx: JobContext) -> None:
        started.release()
        release.wait(PATIENCE)

    for _ in range(3):
        enqueue(db)
    with hosted(db, tmp_path, work, max_concurrent_jobs=1) as host:
        assert started.acquire(timeout=PATIENCE)
        db.write(
            lambda tx: worker_writes.configure(
                tx, host.worker_id, max_concurrent_jobs=3, poll_interval=60.0, actor=SYSTEM
            )
        )
        assert started.acquire(timeout=PATIENCE)
        assert started.acquire(timeout=PATIENCE)
        assert host.stats() == {
            "isRunning": True,
            "activeJobs": 3,
            "maxConcurrentJobs": 3,
            "pollInterval": 60_000,
        }
        release.set()


def test_a_worker_taken_for_dead_introduces_itself_again(
    db: Database, tmp_path: Path, changes: Changes
) -> None:
    with hosted(db, tmp_path, quick, worker_timeout=3) as host:
        assert changes.until(lambda: row(db, host.worker_id)["status"] == "RUNNING")
        db.write(lambda tx: tx.execute("UPDATE agent_workers SET status = 'DEAD'"))
        assert changes.until(lambda: row(db, host.worker_id)["status"] == "RUNNING")
        job_id = enqueue(db)
        assert changes.until(
            lambda: db.write(lambda tx: job_writes.job(tx, job_id)).status is JobStatus.COMPLETED
        )


def test_a_beat_that_waited_for_an_announcement_does_not_take_it_back(
    db: Database, tmp_path: Path, changes: Changes
) -> None:
    with hosted(db, tmp_path, quick, desired=False) as host:
        assert changes.until(lambda: row(db, host.worker_id)["status"] == "STOPPED")
        worker, heart = host._worker, host._heart
        assert worker is not None
        assert heart is not None
        late = threading.Thread(target=heart._beat)
        with heart._beating:
            late.start()
            worker.shown = WorkerStatus.RUNNING  # as an announcement in progress does
        late.join()
        assert row(db, host.worker_id)["status"] == "RUNNING"
        worker.shown = WorkerStatus.STOPPED


def test_an_order_on_its_way_does_not_undo_a_stop(
    db: Database, tmp_path: Path, changes: Changes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hosted(db, tmp_path, quick) as host:
        assert changes.until(lambda: host.stats()["isRunning"] is True)
        worker = host._worker
        assert worker is not None
        real, begun, held = worker.resize, threading.Event(), threading.Event()

        def slow(size: int) -> None:
            begun.set()
            held.wait(0.3)
            real(size)

        monkeypatch.setattr(worker, "resize", slow)
        orders = WorkerOrders(
            desired="run", max_concurrent_jobs=3, poll_interval=5.0, lost=frozenset()
        )
        late = threading.Thread(target=host._obey, args=(orders,))
        late.start()
        assert begun.wait(PATIENCE)
        host.stop(0)
        late.join()
        assert worker.status is WorkerStatus.STOPPED
        assert row(db, host.worker_id)["status"] == "STOPPED"


def test_a_healthy_worker_is_not_taken_for_dead_because_the_pool_is_used_up(
    database_url: str, tmp_path: Path
) -> None:
    db = Database(database_url, StoreOptions(pool_min=2, pool_max=2, connect_timeout=60))
    watching = Database(database_url, StoreOptions())
    held = threading.Barrier(3)
    release = threading.Event()

    def hold() -> None:
        with db.read() as reader:
            reader.row("SELECT 1")
            held.wait(PATIENCE)
            release.wait(2 * PATIENCE)

    def beaten(worker_id: str) -> int:
        return int(row(watching, worker_id)["heartbeat_at"] or 0)

    changes = Changes(db)
    try:
        with hosted(db, tmp_path, quick, worker_timeout=3) as host:
            assert changes.until(lambda: host.stats()["isRunning"] is True)
            holders = [threading.Thread(target=hold) for _ in range(2)]
            for holder in holders:
                holder.start()
            held.wait(PATIENCE)
            began = beaten(host.worker_id)
            try:
                # Three beats, a whole timeout: nobody may bury it meanwhile.
                assert changes.until(lambda: beaten(host.worker_id) > began + 3_000_000)
                assert rescue(watching, 3.0, 5) == 0
            finally:
                release.set()
                for holder in holders:
                    holder.join()
            assert row(watching, host.worker_id)["status"] == "RUNNING"
    finally:
        db.close()
        watching.close()


def test_threads_that_died_are_started_again(
    db: Database, tmp_path: Path, changes: Changes
) -> None:
    with hosted(db, tmp_path, quick) as host:
        assert changes.until(lambda: host.stats()["isRunning"] is True)
        worker, heart = host._worker, host._heart
        assert worker is not None
        assert heart is not None
        loops = [worker._claimer.loop, worker._finisher.loop, worker._control, heart.loop]
        for loop in loops:
            loop.stop()
        host._supervise()
        assert all(loop.alive for loop in loops)
        job_id = enqueue(db)
        assert changes.until(
            lambda: db.write(lambda tx: job_writes.job(tx, job_id)).status is JobStatus.COMPLETED
        )


def test_starting_and_stopping_twice_is_the_same_as_once(db: Database, tmp_path: Path) -> None:
    with hosted(db, tmp_path, quick) as host:
        host.start()
        host.stop(1)
        host.stop(1)
        assert host.stats()["isRunning"] is False
    assert list((tmp_path / "workers").iterdir()) == []


def test_a_worker_stops_while_a_sweep_takes_its_time_to_end(
    db: Database, tmp_path: Path, changes: Changes, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, stopped = Scheduler.stop, []

    def waits_for_a_sweep(self: Scheduler) -> None:
        stopped.append(worker.stopped.wait(PATIENCE))
        real(self)

    monkeypatch.setattr(Scheduler, "stop", waits_for_a_sweep)
    with hosted(db, tmp_path, quick) as host:
        assert changes.until(lambda: host.stats()["isRunning"] is True)
        worker = host._worker
        assert worker is not None
        host.stop(1)
    assert stopped == [True]


def _hold_and_wait(folder: str, ready: Any) -> None:
    WorkerLocks(Path(folder)).hold("wrk_other")
    ready.set()
    signal.pause()


def test_a_killed_process_is_noticed_by_its_lock_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=_hold_and_wait, args=(str(tmp_path), ready), daemon=True)
    process.start()
    try:
        assert ready.wait(PATIENCE)
        mine = WorkerLocks(tmp_path)
        mine.hold("wrk_mine")
        assert mine.dead() == []
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        assert mine.dead() == ["wrk_other"]
        mine.forget("wrk_other")
        assert mine.dead() == []
        mine.release("wrk_mine")
        assert list(tmp_path.iterdir()) == []
    finally:
        process.kill()
        process.join()


def test_jobs_of_a_worker_whose_lock_is_free_are_rescued_without_waiting(
    desk: Desk, tmp_path: Path
) -> None:
    job_id = desk.enqueue()
    _introduce(desk.db, "wrk_gone")
    assert len(claim(desk.db, "wrk_gone", 1)) == 1
    (tmp_path / "wrk_gone.lock").touch()
    locks = WorkerLocks(tmp_path)
    assert rescue_dead(desk.db, locks, timeout=15, max_claims=5) == 1
    assert rescue_dead(desk.db, locks, timeout=15, max_claims=5) == 0
    assert desk.job(job_id).status is JobStatus.QUEUED
    assert locks.dead() == []
    (gone,) = desk.rows("SELECT status FROM agent_workers WHERE id = 'wrk_gone'")
    assert gone["status"] == WorkerStatus.DEAD


def test_a_sweep_over_many_overdue_checkpoints_takes_them_all(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeps, "BATCH", 2)

    @handler("test")
    def asks(ctx: JobContext) -> None:
        ctx.approve("ok?")

    desk.add(asks)
    for _ in range(5):
        desk.enqueue()
    desk.run()
    desk.clock.advance(24 * 3600)
    assert expire_overdue(desk.db) == 5
    assert expire_overdue(desk.db) == 0


def test_a_sweep_survives_an_outage(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_args: object, **_kwargs: object) -> int:
        raise Unavailable

    monkeypatch.setattr(sweeps, "expire_due", down)
    monkeypatch.setattr(sweeps, "rescue", down)
    locks = WorkerLocks(desk.workspace)
    told: list[tuple[str, bool]] = []

    class Told:
        def swept(self, *, name: str, seconds: float, error: Exception | None) -> None:
            told.append((name, isinstance(error, Unavailable)))
            assert seconds >= 0

    sweeps.Sweep("expiry", lambda: expire_overdue(desk.db), Told())()
    rescue = partial(rescue_dead, desk.db, locks, timeout=15, max_claims=5)
    sweeps.Sweep("rescue", rescue, Told())()
    sweeps.Sweep("other", lambda: 1, Told())()
    assert told == [("expiry", True), ("rescue", True), ("other", False)]


def test_a_loop_survives_whatever_its_turn_raises_and_logs_an_outage_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    turns: list[int] = []
    recovered = threading.Event()

    def turn() -> float | None:
        turns.append(1)
        if len(turns) <= 3:
            raise Unavailable
        recovered.set()
        return None

    caplog.set_level("INFO", logger="agent_console.runtime.loops")
    loop = Loop("test-loop", turn)
    loop.start()
    assert recovered.wait(PATIENCE)
    loop.stop()
    assert not loop.alive
    messages = [record.message for record in caplog.records]
    assert len([m for m in messages if "waiting for the database" in m]) == 1
    assert len([m for m in messages if "working again" in m]) == 1


@handler("special")
def special(_ctx: JobContext) -> str:
    """Do what only one of the workers can."""
    return "done by the one that knows"


def test_a_job_type_is_left_to_the_worker_that_knows_it(
    db: Database, tmp_path: Path, changes: Changes
) -> None:
    def status(job_id: str) -> str:
        with db.read() as reader:
            found = reader.row("SELECT status FROM ai_jobs WHERE id = :id", {"id": job_id})
        return "" if found is None else str(found[0])

    with hosted(db, tmp_path / "plain", quick) as plain:
        assert changes.until(lambda: row(db, plain.worker_id)["status"] == "RUNNING")
        with hosted(db, tmp_path / "able", special) as able:
            assert changes.until(lambda: row(db, able.worker_id)["status"] == "RUNNING")
            jobs = [enqueue(db, "special") for _ in range(5)]
            assert changes.until(lambda: {status(job) for job in jobs} == {"COMPLETED"})
        # Its row is younger than a minute: the type waits for its worker, it is not parked.
        # Somebody who has yet to learn of it takes the job and gives it back: it may be RUNNING
        # for a moment, but it does not end, and comes to no other status.
        waiting, done = enqueue(db, "special"), enqueue(db, "test")
        assert changes.until(lambda: status(done) == "COMPLETED")
        assert changes.until(lambda: status(waiting) in {"PENDING", "QUEUED"})


@handler("hesitate")
def hesitate(ctx: JobContext) -> str | None:
    """Ask for approval of something it is not sure of."""
    return ctx.approve("May I?", action="go", confidence=0.5).approved_by


@pytest.mark.parametrize(("confident", "status"), [(0.7, "WAITING"), (0.45, "COMPLETED")])
def test_a_worker_assesses_risk_by_the_settings_of_its_process(
    db: Database, tmp_path: Path, changes: Changes, confident: float, status: str
) -> None:
    job_id = enqueue(db, "hesitate", approval_strategy="auto_approve_low_risk")

    def seen() -> str:
        with db.read() as reader:
            found = reader.row("SELECT status FROM ai_jobs WHERE id = :id", {"id": job_id})
        return str(found and found[0])

    with hosted(db, tmp_path, hesitate, risk_confident=confident):
        assert changes.until(lambda: seen() in {"WAITING", "COMPLETED"})
    assert seen() == status
