"""The workers page: an order that lasts, and figures that make sense while a worker stops."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from agent_console.domain.records import BreakerState, Worker, WorkerStatus
from agent_console.services.workers import JobNumbers, WorkerStatusReport
from agent_console.ui.states.workers import view
from agent_console.ui.theme import BREAKER_MARKS
from tests.ui.test_desk_views import NOW


def worker(name: str, **facts: Any) -> Worker:
    usual: dict[str, Any] = {
        "id": name,
        "host": "host",
        "pid": 1,
        "version": "1",
        "embedded": False,
        "status": WorkerStatus.RUNNING,
        "desired": "run",
        "active_jobs": 0,
        "max_concurrent_jobs": 3,
        "poll_interval": 5.0,
        "job_types": (),
        "started_at": NOW,
        "heartbeat_at": NOW,
        "heartbeat_age": 0.0,
        "stopped_at": None,
    }
    return Worker(**usual | facts)


def shown(*workers: Worker) -> dict[str, Any]:
    active = sum(one.active_jobs for one in workers)
    numbers = JobNumbers(pending=0, running=active, completed=0, failed=0)
    report = WorkerStatusReport(
        is_running=True,
        active_jobs=active,
        max_concurrent_jobs=3,
        poll_interval=5.0,
        jobs=numbers,
        workers=workers,
    )
    return view(report, "", 15.0)


def test_rows_stay_where_they_are() -> None:
    console = worker("wrk_3", embedded=True, started_at=NOW + timedelta(hours=1))
    first, second = worker("wrk_1"), worker("wrk_2", started_at=NOW + timedelta(minutes=1))
    for order in ((first, second, console), (console, second, first)):
        assert [row.id for row in shown(*order)["rows"]] == ["wrk_3", "wrk_1", "wrk_2"]


def test_a_worker_that_stops_counts_what_it_still_runs() -> None:
    leaving = worker("wrk_1", status=WorkerStatus.DRAINING, desired="stop", active_jobs=2)
    assert shown(leaving)["figures"][0].value == "2 of 2"
    assert shown(leaving, worker("wrk_2"))["figures"][0].value == "2 of 5"


def test_a_worker_shows_how_the_hosts_are_that_it_calls() -> None:
    states = {"*.example.com": BreakerState.OPEN, "http://localhost:9000": BreakerState.CLOSED}
    (row,) = shown(worker("wrk_1", breakers=states))["rows"]
    assert [(one.host, one.state) for one in row.breakers] == [
        ("*.example.com", "open"),
        ("http://localhost:9000", "closed"),
    ]
    assert shown(worker("wrk_2"))["rows"][0].breakers == []


def test_every_state_of_a_breaker_has_a_mark() -> None:
    assert set(BREAKER_MARKS) == set(BreakerState)
