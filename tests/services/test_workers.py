from __future__ import annotations

from collections.abc import Callable

import pytest

from agent_console.domain.access import Role
from agent_console.domain.errors import Conflict, Invalid, NotFound, Unavailable
from agent_console.domain.records import WorkerStatus
from agent_console.services.health import HealthService
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


@pytest.mark.parametrize(("running", "status"), [(lambda: True, "ok"), (lambda: False, "degraded")])
def test_health_knows_whether_the_scheduler_runs(
    clocked_db: Database, fake_clock: FakeClock, running: Callable[[], bool], status: str
) -> None:
    health = HealthService(clocked_db, clock=fake_clock, worker_timeout=15, orchestrator=running)
    assert health.report().components["orchestrator"].status == status


def test_health_outlives_its_database(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> None:
        raise Unavailable

    monkeypatch.setattr(desk.db, "read", gone)
    report = desk.services.health.report()
    assert (report.status, report.components["database"].status) == ("degraded", "down")
    assert not desk.services.health.ready()
