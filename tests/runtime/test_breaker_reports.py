"""What a worker knows of the hosts it calls reaches every process: page, REST and metrics."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agent_console import JobContext, handler
from agent_console.domain.access import local_operator
from agent_console.domain.records import BreakerState, WorkerStatus
from agent_console.runtime import heart
from agent_console.services.workers import WorkerService
from agent_console.store.database import Database
from agent_console.store.liveness import heartbeat
from agent_console.telemetry.metrics import MetricsExporter
from agent_console.testing import enqueue
from tests.runtime.hosts import Changes, hosted
from tests.support.runs import start_worker

ROOT = local_operator("root")


@handler("call", version="1")
def call(ctx: JobContext) -> int:
    """Call an address at which nobody is."""
    return ctx.step("call", lambda: ctx.http.get("http://127.0.0.2:9/").status)


def told(db: Database, hosts: tuple[str, ...] = ()) -> dict[str, float]:
    """Return the metric, by host."""
    text = MetricsExporter(db, hosts=hosts).render().decode()
    found = re.findall(r'^agent_http_breaker_state\{host="(.+)"\} (\S+)$', text, re.MULTILINE)
    return {host: float(value) for host, value in found}


def test_an_opened_breaker_is_told_at_once(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heart, "LONGEST_PAUSE", 60.0)  # the next beat by itself comes too late
    entry = "http://127.0.0.2:9"
    service = WorkerService(db, timeout=15, max_concurrent_jobs=3, poll_interval=5)
    changes = Changes(db)

    def reported() -> list[BreakerState]:
        return [worker.breakers.get(entry, BreakerState.CLOSED) for worker in service.page(ROOT)]

    with hosted(
        db,
        tmp_path,
        call,
        http_allow=(entry,),
        http_allow_private=("127.0.0.2/32",),
        http_breaker_failures=1,
        worker_timeout=300,
    ):
        enqueue(db, "call", max_attempts=1)
        assert changes.until(lambda: reported() == [BreakerState.OPEN])
        assert told(db, (entry, "other.example")) == {entry: 2, "other.example": 0}


def test_the_worst_of_all_live_workers_counts(clocked_db: Database) -> None:
    for name, state in [("w1", "closed"), ("w2", "half-open"), ("w3", "closed")]:
        start_worker(clocked_db, name)
        breakers = {"a.example": BreakerState(state)}
        heartbeat(clocked_db, name, [], WorkerStatus.RUNNING, breakers=breakers)
    assert told(clocked_db) == {"a.example": 1}
    heartbeat(clocked_db, "w2", [], WorkerStatus.RUNNING)
    assert told(clocked_db) == {"a.example": 1}, "a beat that says nothing of it changes nothing"
    heartbeat(clocked_db, "w2", [], WorkerStatus.RUNNING, breakers={})
    assert told(clocked_db) == {"a.example": 0}
