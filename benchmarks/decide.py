"""A thousand approvals at once: ``python -m benchmarks.decide URL FOLDER``.

How fast they are decided, each by itself from ten threads and all in one call, and how fast the
jobs are at their next line: from the call to the last of them.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from pathlib import Path

from agent_console.bootstrap import Console
from agent_console.domain.rulings import Item
from benchmarks import jobs
from benchmarks.product import OPEN, WAITING, approvals, bulk, count, opened, wait_for, working
from benchmarks.waiting import APPROVE, BULK, at_once
from tests.support.factories import RAY, employ

RUNS = 3


def measure(console: Console) -> dict[str, float]:
    employ(console.db, RAY)
    total = BULK * (2 * RUNS + 1)
    bulk(console, total, "bench-ask")
    with working(console):
        wait_for(lambda: count(console, WAITING) >= total, 900)
        singles = [at_once(console) for _ in range(RUNS)]
        wait_for(lambda: count(console, OPEN) == 0)
        together = [in_one_call(console) for _ in range(RUNS)]
    return {
        "one by one, ten threads, resumed/s": statistics.median(singles),
        "one call, resumed/s": statistics.median(rate for rate, _ in together),
        "one call, decided/s beside the worker": statistics.median(rate for _, rate in together),
        "one call, decided/s, no worker": alone(console),
    }


def in_one_call(console: Console) -> tuple[float, float]:
    """Approve a thousand in one call; return resumed jobs and decisions per second."""
    items = shown(console)
    jobs.resumed.clear()
    began = time.monotonic()
    console.services.review.decide_many(RAY, items, APPROVE)
    decided = time.monotonic() - began
    wait_for(lambda: len(jobs.resumed) >= BULK)
    resumed = time.monotonic() - began
    wait_for(lambda: count(console, OPEN) == 0)
    return BULK / resumed, BULK / decided


def alone(console: Console) -> float:
    """Approve a thousand while nobody takes the jobs; return decisions per second."""
    items = shown(console)
    began = time.monotonic()
    console.services.review.decide_many(RAY, items, APPROVE)
    return BULK / (time.monotonic() - began)


def shown(console: Console) -> list[Item]:
    """Return what a reviewer who picked a thousand would send."""
    return [
        Item(checkpoint_id=one.id, payload_digest=one.payload_digest)
        for one in approvals(console, BULK)
    ]


def main() -> None:
    url, folder = sys.argv[1:]
    console = opened(url, Path(folder))
    print(json.dumps(measure(console)), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
