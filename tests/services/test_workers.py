from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent_console.domain.access import Role
from agent_console.domain.errors import Conflict, Invalid, NotFound, Unavailable
from agent_console.domain.records import WorkerStatus
from agent_console.services.health import HealthOptions, HealthService
from agent_console.store.database import Database
from agent_console.store.liveness import heartbeat
from agent_console.testing import FakeClock
from tests.services.conftest import Desk
from tests.support.runs import claim_one, start_worker


def test_a_wish_reaches_the_worker_with_its_next_heartbeat(desk: Desk) -> None:
    actor = desk.actor(Role.OPERATOR)
    start_worker(desk.db, "w1")
    start_worker(desk.db, "w2")
    listed = desk.services.workers.stop(actor, "w1")
    assert {w.id: w.desired for w in listed} == {"w1": "stop", "w2": "run"}
    assert heartbeat(desk.db, "w1", [], WorkerStatus.RUNNING).desired == "stop"
    assert {w.desired for w in desk.services.workers.stop(actor)} == {"stop"}
    assert {w.desired for w in desk.services.workers.start(actor)} == {"run"}


def test_capacity_and_poll_interval_can_be_changed_while_it_runs(desk: Desk) -> None:
    actor = desk.actor(Role.OPERATOR)
    start_worker(desk.db)
    workers = desk.services.workers
    (worker,) = workers.configure(actor, "w1", max_concurrent_jobs=8, poll_interval=0.25)
    assert (worker.max_concurrent_jobs, worker.poll_interval) == (8, 0.25)
    orders = heartbeat(desk.db, "w1", [], WorkerStatus.RUNNING)
    assert (orders.max_concurrent_jobs, orders.poll_interval) == (8, 0.25)
    for wrong in ({"max_concurrent_jobs": 0}, {"poll_interval": 301.0}, {"poll_interval": 0.0}):
        with pytest.raises(Invalid):
            workers.configure(actor, "w1", **wrong)


def test_nobody_to_hear_a_wish_is_said(desk: Desk) -> None:
    actor = desk.actor(Role.OPERATOR)
    workers = desk.services.workers
    with pytest.raises(Conflict, match="agent-console worker"):
        workers.start(actor)
    with pytest.raises(NotFound):
        workers.stop(actor, "w1")
    start_worker(desk.db)
    desk.db.write(lambda tx: tx.execute("UPDATE agent_workers SET status = 'DEAD'"))
    for wish in (workers.start, workers.configure):
        with pytest.raises(Conflict, match="DEAD"):
            wish(actor, "w1")


def test_the_status_adds_up_live_workers_and_jobs(desk: Desk) -> None:
    actor = desk.actor(Role.OPERATOR)
    workers = desk.services.workers
    idle = workers.status(actor)
    assert (idle.is_running, idle.active_jobs) == (False, 0)
    assert (idle.max_concurrent_jobs, idle.poll_interval) == (3, 5.0)
    start_worker(desk.db, "w1")
    start_worker(desk.db, "w2")
    for _ in range(3):
        desk.job(actor)
    heartbeat(desk.db, "w1", [claim_one(desk.db).key], WorkerStatus.RUNNING)
    report = workers.status(actor)
    assert (report.is_running, report.active_jobs, report.max_concurrent_jobs) == (True, 1, 6)
    numbers = report.jobs
    assert (numbers.pending, numbers.running, numbers.completed, numbers.failed) == (2, 1, 0, 0)
    desk.clock.advance(16)
    assert not workers.status(actor).is_running
    assert workers.page(actor)[0].heartbeat_age == 16


def test_health_names_what_is_unwell(desk: Desk) -> None:
    health = desk.services.health
    report = health.report()
    assert report.status == "degraded"
    assert report.timestamp == desk.clock.now()
    assert report.components["database"].status == "ok"
    assert "latencyMs" in report.components["database"].figures
    assert report.components["workers"].detail == "No worker is alive."
    start_worker(desk.db)
    assert health.report().status == "ok"
    assert health.ready()
    desk.clock.advance(16)
    assert health.report().components["workers"].figures == {"live": 0, "silent": 1}


@pytest.mark.parametrize(
    ("age", "status"), [(lambda: 4.0, "ok"), (lambda: 31.0, "degraded"), (lambda: None, "degraded")]
)
def test_health_knows_whether_the_scheduler_comes_round(
    clocked_db: Database,
    fake_clock: FakeClock,
    tmp_path: Path,
    age: Callable[[], float | None],
    status: str,
) -> None:
    options = HealthOptions(worker_timeout=15, data_dir=tmp_path, scheduler_age=age)
    report = HealthService(clocked_db, clock=fake_clock, options=options).report()
    assert report.components["orchestrator"].status == status


def test_health_sees_a_queue_that_nobody_serves(desk: Desk) -> None:
    start_worker(desk.db)
    desk.job(desk.actor(Role.OPERATOR))
    desk.clock.advance(10)
    queue = desk.services.health.report().components["queue"]
    assert (queue.status, queue.figures["ageSeconds"]) == ("ok", 10.0)
    desk.clock.advance(300)
    assert desk.services.health.report().components["queue"].status == "degraded"


def test_health_sees_a_schema_of_another_version(desk: Desk) -> None:
    assert desk.services.health.report().components["schema"].status == "ok"
    desk.db.write(lambda tx: tx.execute("UPDATE alembic_version SET version_num = '0001'"))
    assert "0001" in desk.services.health.report().components["schema"].detail


def test_health_sees_a_full_disk(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert desk.services.health.report().components["disk"].figures["freeBytes"] > 0
    monkeypatch.setattr("agent_console.services.health.DISK_LOW", 2**80)
    assert desk.services.health.report().components["disk"].status == "degraded"


@pytest.mark.rows_by_hand
def test_a_database_that_hangs_is_down_within_seconds(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent_console.services.probe.PATIENCE", 0.2)
    answered = threading.Event()

    def hang(_self: Database) -> Any:
        answered.wait(10)
        raise Unavailable

    monkeypatch.setattr(Database, "read", hang)
    began = time.monotonic()
    assert not desk.services.health.ready()
    assert not desk.services.health.ready()  # asks nothing anew while the first hangs
    assert time.monotonic() - began < 2
    answered.set()


@pytest.mark.rows_by_hand
def test_health_outlives_its_database(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_self: Database) -> None:
        raise Unavailable

    monkeypatch.setattr(Database, "read", gone)
    report = desk.services.health.report()
    assert (report.status, report.components["database"].status) == ("degraded", "down")
    assert not desk.services.health.ready()
