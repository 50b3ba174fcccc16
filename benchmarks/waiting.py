"""What ten thousand jobs that wait for people cost: ``python -m benchmarks.waiting URL FOLDER``.

Also: how soon an approved one goes on, how fast a thousand approved at once do, and how long
after ``kill -9`` of a worker its job runs again elsewhere.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil

from agent_console.bootstrap import Console
from agent_console.domain.checkpoints import CheckpointVerb, Verdict
from benchmarks import jobs
from benchmarks.product import (
    NOOP,
    OPEN,
    WAITING,
    approvals,
    bulk,
    count,
    opened,
    wait_for,
    working,
)
from tests.support.factories import ADA, RAY, employ

PARKED, REVIEWS, BULK, RATE = 10_000, 100, 1_000, 20.0
RUNNING = "SELECT count(*) FROM ai_jobs WHERE status = 'RUNNING'"
APPROVE = Verdict(verb=CheckpointVerb.APPROVE)


def measure(console: Console) -> dict[str, float]:
    employ(console.db, RAY)
    with working(console):
        console.services.jobs.enqueue(ADA, NOOP)
        wait_for(lambda: count(console, OPEN) == 0)
        fresh = start(console)
        threads, memory = threading.active_count(), psutil.Process().memory_info().rss
        bulk(console, PARKED, "bench-ask")
        began = time.monotonic()
        wait_for(lambda: count(console, WAITING) >= PARKED, 900)
        figures = {"jobs parked/s": PARKED / (time.monotonic() - began)}
        figures["more threads while they wait"] = float(threading.active_count() - threads)
        figures["slots held"] = float(count(console, RUNNING))
        figures["more MB while they wait"] = (psutil.Process().memory_info().rss - memory) / 2**20
        figures["start, none waiting, p95 ms"] = fresh
        figures["start, 10,000 waiting, p95 ms"] = start(console)
        figures |= resume(console)
        figures["bulk approve, resumed/s"] = at_once(console)
    return figures


def start(console: Console) -> float:
    """Return the p95 of milliseconds from enqueue to the handler's first line."""
    jobs.started.clear()
    asked: dict[str, float] = {}
    for _ in range(REVIEWS):
        time.sleep(1 / RATE)
        at = time.monotonic()
        asked[console.services.jobs.enqueue(ADA, NOOP).job.id] = at
    wait_for(lambda: len(jobs.started) >= REVIEWS)
    return p95([(jobs.started[i] - at) * 1000 for i, at in asked.items()])


def resume(console: Console) -> dict[str, float]:
    """Return milliseconds from a decision's call, and from its commit, to the next line."""
    jobs.resumed.clear()
    called: dict[str, float] = {}
    committed: dict[str, float] = {}
    for item in approvals(console, REVIEWS):
        time.sleep(1 / RATE)
        called[item.job_id] = time.monotonic()
        console.services.review.decide(RAY, item.id, APPROVE)
        committed[item.job_id] = time.monotonic()
    wait_for(lambda: len(jobs.resumed) >= REVIEWS)
    return {
        f"{name} to resumed, 10,000 waiting, p95 ms": p95(
            [(jobs.resumed[i] - at) * 1000 for i, at in since.items()]
        )
        for name, since in (("call of approve", called), ("commit of approve", committed))
    }


def at_once(console: Console) -> float:
    """Approve a thousand from ten threads; return resumed jobs per second."""
    ids = [item.id for item in approvals(console, BULK)]
    jobs.resumed.clear()
    began = time.monotonic()
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda i: console.services.review.decide(RAY, i, APPROVE), ids))
    wait_for(lambda: len(jobs.resumed) >= BULK)
    return BULK / (time.monotonic() - began)


def p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[18]


def killed(console: Console, url: str, folder: str) -> float:
    """Kill a worker's process in the middle of a job; return seconds until the job runs again.

    The second worker knows nothing of the first but its row: data folders differ, as on two hosts.
    """
    command = [sys.executable, "-m", "benchmarks.waiting", url, folder]
    first, second = (
        subprocess.Popen(
            [*command, place], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        for place in ("one", "two")
    )
    bulk(console, 1, "bench-long")
    for worker in (first, second):
        threading.Thread(target=_listen, args=(worker,), daemon=True).start()
    wait_for(lambda: bool(_begun))
    began = _begun.pop()
    victim, other = (first, second) if began == first.pid else (second, first)
    victim.send_signal(signal.SIGKILL)
    at = time.monotonic()
    wait_for(lambda: bool(_begun))
    seconds = time.monotonic() - at
    other.kill()
    return seconds


_begun: list[int] = []


def _listen(worker: subprocess.Popen[str]) -> None:
    _begun.extend(worker.pid for _line in worker.stdout or ())


def main() -> None:
    url, folder, *place = sys.argv[1:]
    console = opened(url, Path(folder, *place))
    if place:
        with working(console):
            time.sleep(600)
    figures = measure(console)
    figures["kill -9 to running again, s"] = killed(console, url, folder)
    print(json.dumps(figures), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
