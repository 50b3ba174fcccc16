"""Measures the whole product on one database: journal, tallies, signals, logs, services.

Run as ``python -m benchmarks.product URL FOLDER``; prints one JSON object of figures.
"""

from __future__ import annotations

import json
import logging
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psutil

from agent_console.bootstrap import Console, build, keep_what_is_loaded
from agent_console.domain.checkpoints import CheckpointSummary, CheckpointVerb, Verdict
from agent_console.domain.jobs import NewJob
from agent_console.domain.queries import CheckpointQuery
from agent_console.settings import Settings
from agent_console.store import tally_mends
from agent_console.store.ids import new_id
from benchmarks import jobs
from tests.support.factories import ADA, RAY, employ

DRAIN, ENQUEUE, LATENCY, REVIEWS, PARKED = 5_000, 1_000, 150, 150, 1_000
CONCURRENCY = 10
RATE = 20.0  # per second, into an idle worker
IDLE = 10.0  # seconds
SETTLED = 12.0  # seconds in which what a start leaves to do is done
NOOP = NewJob(job_type="bench-noop")
COLUMNS = (
    "id", "job_type", "status", "task_description", "input_data", "priority", "attempts",
    "max_attempts", "claims", "resuming", "claim_token", "metadata", "user_id", "run_at",
    "created_at", "updated_at",
)  # fmt: skip
OPEN = "SELECT count(*) FROM ai_jobs WHERE status IN ('PENDING', 'QUEUED', 'RUNNING')"
WAITING = "SELECT count(*) FROM ai_jobs WHERE status = 'WAITING'"


def settings(url: str, folder: Path) -> Settings:
    return Settings(
        database_url=url,
        data_dir=folder,
        max_concurrent_jobs=CONCURRENCY,
        handlers=("benchmarks.jobs",),
    )


def opened(url: str, folder: Path) -> Console:
    """Return a console on ``url`` that is ready, as a process that serves begins."""
    console = build(settings(url, folder))
    console.open()
    keep_what_is_loaded()
    return console


@contextmanager
def working(console: Console) -> Iterator[None]:
    """Run a worker in this process for the length of the block."""
    console.signals.start()
    console.host.start(embedded=False)
    try:
        yield
    finally:
        console.host.stop(5.0)
        console.signals.stop()


def count(console: Console, sql: str) -> int:
    with console.db.read() as reader:
        row = reader.row(sql)
    return int(row[0]) if row else 0


def wait_for(done: Callable[[], bool], seconds: float = 120.0, pause: float = 0.002) -> None:
    give_up = time.monotonic() + seconds
    while not done():
        if time.monotonic() > give_up:
            raise TimeoutError(done)
        time.sleep(pause)


def bulk(console: Console, total: int, job_type: str = "bench-noop") -> None:
    """Fill the queue, past the services and the journal; not measured."""
    now = time.time_ns() // 1000
    for start in range(0, total, 5_000):
        rows = [
            (
                new_id("job"),
                job_type,
                "PENDING",
                "",
                "{}",
                5,
                0,
                3,
                0,
                0,
                0,
                "{}",
                ADA.id,
                *3 * (now,),
            )
            for _ in range(min(5_000, total - start))
        ]
        console.db.write(lambda tx, rows=rows: tx.insert("ai_jobs", COLUMNS, rows))
    tally_mends.mend(console.db)  # what is written past the journal is in no sum


def drain_rate(console: Console) -> float:
    """Return no-op jobs per second, from the first start to the last recorded end."""
    bulk(console, DRAIN)
    jobs.started.clear()
    jobs.first_start.clear()
    with working(console):
        jobs.first_start.wait(30)
        began = time.monotonic()
        wait_for(lambda: len(jobs.started) >= DRAIN and count(console, OPEN) == 0)
        return DRAIN / (time.monotonic() - began)


def enqueue_rate(console: Console, threads: int) -> float:
    """Return jobs enqueued per second, each acknowledged on its own."""
    each = ENQUEUE // threads

    def some(_number: int) -> None:
        for _ in range(each):
            console.services.jobs.enqueue(ADA, NOOP)

    with ThreadPoolExecutor(threads) as pool:
        began = time.monotonic()
        list(pool.map(some, range(threads)))
        return each * threads / (time.monotonic() - began)


def start_latency(console: Console, elsewhere: list[str]) -> dict[str, list[float]]:
    """Return milliseconds to the handler's first line, since enqueue was called and answered."""
    found: dict[str, list[float]] = {}
    with working(console):
        wait_for(lambda: count(console, OPEN) == 0)
        for place in ("same process", "other process"):
            jobs.started.clear()
            if place == "same process":
                asked = enqueue_slowly(console)
            else:
                asked = json.loads(subprocess.check_output([*elsewhere, "enqueue"]))
            wait_for(lambda: len(jobs.started) >= LATENCY)
            found |= since(place, asked, jobs.started)
    return found


def since(
    place: str, asked: dict[str, tuple[float, float]], begun: dict[str, float]
) -> dict[str, list[float]]:
    """Return milliseconds to the line that was ``begun``, since the call and since its answer.

    Who is answered knows that it is committed; a worker may know it a little earlier.
    """
    return {
        f"{place}, since the call": [(begun[i] - at) * 1000 for i, (at, _) in asked.items()],
        f"{place}, since the answer": [(begun[i] - at) * 1000 for i, (_, at) in asked.items()],
    }


def enqueue_slowly(console: Console) -> dict[str, tuple[float, float]]:
    """Enqueue at ``RATE``; return when each job was asked for, and when that was answered."""
    asked: dict[str, tuple[float, float]] = {}
    for _ in range(LATENCY):
        time.sleep(1 / RATE)
        at = time.monotonic()
        job_id = console.services.jobs.enqueue(ADA, NOOP).job.id
        asked[job_id] = at, time.monotonic()
    return asked


def resume_latency(console: Console, elsewhere: list[str]) -> dict[str, list[float]]:
    """Return milliseconds to the handler's next line, since decide was called and answered."""
    found: dict[str, list[float]] = {}
    employ(console.db, RAY)  # a decision stands only as long as its account may decide
    bulk(console, PARKED, "bench-ask")
    with working(console):
        wait_for(lambda: count(console, WAITING) >= PARKED)
        for place in ("same process", "other process"):
            jobs.resumed.clear()
            if place == "same process":
                decided = decide_slowly(console)
            else:
                decided = json.loads(subprocess.check_output([*elsewhere, "decide"]))
            wait_for(lambda: len(jobs.resumed) >= REVIEWS)
            found |= since(place, decided, jobs.resumed)
    return found


def approvals(console: Console, total: int) -> list[CheckpointSummary]:
    """Return ``total`` checkpoints that wait, newest first."""
    found: list[CheckpointSummary] = []
    cursor: str | None = None
    while len(found) < total:
        query = CheckpointQuery(limit=min(100, total - len(found)), cursor=cursor)
        page = console.services.review.page(RAY, query)
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    return found


def decide_slowly(console: Console) -> dict[str, tuple[float, float]]:
    """Approve at ``RATE``; return when each job's approval was sent, and when answered."""
    review = console.services.review
    decided: dict[str, tuple[float, float]] = {}
    page = review.page(RAY, CheckpointQuery(limit=REVIEWS))
    for item in page.items:
        time.sleep(1 / RATE)
        at = time.monotonic()
        review.decide(RAY, item.id, Verdict(verb=CheckpointVerb.APPROVE))
        decided[item.job_id] = at, time.monotonic()
    return decided


def idle(console: Console) -> dict[str, float]:
    """Return what a worker costs that has nothing to do."""
    process = psutil.Process()
    with working(console):
        wait_for(lambda: count(console, OPEN) == 0)
        time.sleep(SETTLED)
        before, transactions = process.cpu_times(), committed(console)
        time.sleep(IDLE)
        after, later = process.cpu_times(), committed(console)
    seconds = after.user + after.system - before.user - before.system
    figures = {"cpu %": 100 * seconds / IDLE, "rss MB": process.memory_info().rss / 2**20}
    if console.db.dialect == "postgresql":
        figures["transactions/s"] = (later - transactions - 1) / IDLE  # one is the first look
    return figures


def committed(console: Console) -> int:
    if console.db.dialect == "sqlite":
        return 0
    console.db.write(lambda tx: tx.rows("SELECT pg_stat_force_next_flush()"))
    return count(
        console,
        "SELECT xact_commit + xact_rollback FROM pg_stat_database"
        " WHERE datname = current_database()",
    )


def quantiles(values: list[float]) -> dict[str, float]:
    return {
        "p50": statistics.median(values),
        "p95": statistics.quantiles(values, n=20)[18],
    }


def measure(console: Console, elsewhere: list[str]) -> dict[str, object]:
    figures: dict[str, object] = {
        "idle": idle(console),  # first: later, PostgreSQL cleans up after the load
        "enqueue 1 thread": enqueue_rate(console, 1),
        "enqueue 10 threads": enqueue_rate(console, 10),
    }
    with working(console):
        wait_for(lambda: count(console, OPEN) == 0)
    figures["drain"] = statistics.median(drain_rate(console) for _ in range(3))
    for name, values in start_latency(console, elsewhere).items():
        figures[f"start, {name}"] = quantiles(values)
    for name, values in resume_latency(console, elsewhere).items():
        figures[f"resume, {name}"] = quantiles(values)
    return figures


def main() -> None:
    url, folder, *role = sys.argv[1:]
    console = opened(url, Path(folder))
    if role:
        console.signals.start()  # as every serving process does; it carries the word to others
        slowly = {"enqueue": enqueue_slowly, "decide": decide_slowly}[role[0]]
        answer: object = slowly(console)
    else:
        elsewhere = [sys.executable, "-m", "benchmarks.product", url, folder]
        answer = measure(console, elsewhere)
    console.signals.stop()
    console.stop(1.0)
    print(json.dumps(answer))
    logging.shutdown()
    os._exit(0)  # handler threads are daemons; nothing is left to be waited for


if __name__ == "__main__":
    main()
