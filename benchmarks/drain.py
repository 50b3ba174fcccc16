"""Drains of no-op jobs, by the whole product and by the bare engine.

``python -m benchmarks.drain URL FOLDER whole|bare JOBS``. The bare engine is the same claimer,
handler threads and finisher on a database that keeps no journal and no tallies, without log
lines, signals, heartbeat and sweeps: what the product adds is the difference of the two.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agent_console.bootstrap import Console
from agent_console.domain.clock import SystemClock
from agent_console.domain.observer import RunObservers
from agent_console.gateways.workspace import Workspace
from agent_console.runtime.async_context import LoopThread
from agent_console.runtime.executor import Executor
from agent_console.runtime.run import Surroundings
from agent_console.runtime.worker import Worker
from agent_console.store.database import Database
from agent_console.store.ids import new_id
from benchmarks import jobs
from benchmarks.cost import Cost
from benchmarks.product import CONCURRENCY, OPEN, bulk, count, opened, wait_for, working

ROUNDS, LONG = 3, 50_000


@contextmanager
def bare(console: Console, db: Database) -> Iterator[None]:
    """Run the engine alone for the length of the block."""
    surroundings = Surroundings(
        db=db,
        registry=console.registry,
        clock=SystemClock(),
        workspace=Workspace(console.settings.workspace_root),
        observers=RunObservers(),
    )
    executor = Executor(surroundings, LoopThread(), random.Random(1))
    worker = Worker(db, new_id("wrk"), executor, announce=lambda: None, deadline_set=lambda: None)
    worker.resize(CONCURRENCY)
    worker.start()
    worker.want(run=True, drain_seconds=1.0)
    try:
        yield
    finally:
        worker.want(run=False, drain_seconds=1.0)
        worker.stopped.wait(5.0)
        worker.close()


def drain(console: Console, kind: str, total: int) -> dict[str, float]:
    """Return the cost of ``total`` jobs, from the first start to the last recorded end."""
    bulk(console, total, "bench-nothing")
    jobs.ended.clear()
    jobs.first_start.clear()
    plain = Database(console.settings.database, console.db.options, journaled=False)
    cost = Cost(asking(console))
    with working(console) if kind == "whole" else bare(console, plain):
        jobs.first_start.wait(30)
        began = time.monotonic()
        wait_for(lambda: len(jobs.ended) >= total and count(console, OPEN) == 0, 600)
        figures = cost.per(total, time.monotonic() - began)
    plain.close()
    if total >= LONG:
        figures["jobs/s of the last tenth against the first"] = flatness(jobs.ended)
    return figures


def flatness(ended: list[float]) -> float:
    """Return how fast the last tenth ended against the first: 1 where dead rows cost nothing."""
    tenth = len(ended) // 10
    return (ended[tenth] - ended[0]) / (ended[-1] - ended[-1 - tenth])


def asking(console: Console) -> Any:
    """Return how to ask the server for one value; None on SQLite."""
    if console.db.dialect == "sqlite":
        return None

    def ask(sql: str) -> Any:
        with console.db.read() as reader:
            row = reader.row(sql)
        return None if row is None else row[0]

    return ask


def medians(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}


def main() -> None:
    url, folder, kind, total = sys.argv[1:]
    console = opened(url, Path(folder))
    rounds = ROUNDS if int(total) <= 10_000 else 1
    answer = medians([drain(console, kind, int(total)) for _ in range(rounds)])
    print(json.dumps(answer), flush=True)
    os._exit(0)  # handler threads are daemons; nothing is left to be waited for


if __name__ == "__main__":
    main()
