"""Jobs of three recorded steps and one approval: ``python -m benchmarks.workflow URL FOLDER``.

Two stretches: all jobs run until they wait; all are approved, from ten threads, and end.
"""

from __future__ import annotations

import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from agent_console.bootstrap import Console
from agent_console.domain.checkpoints import CheckpointVerb, Verdict
from benchmarks import jobs
from benchmarks.cost import Cost
from benchmarks.drain import asking
from benchmarks.product import (
    OPEN,
    WAITING,
    approvals,
    bulk,
    count,
    opened,
    wait_for,
    working,
)
from tests.support.factories import RAY, employ

TOTAL = 300
POLL = 0.01  # seconds between looks whether it is done, as the peers do: looks cost, too


def measure(console: Console) -> dict[str, float]:
    employ(console.db, RAY)  # a decision stands only as long as its account may decide
    bulk(console, TOTAL, "bench-workflow")
    cost = Cost(asking(console))
    with working(console):
        began = time.monotonic()
        wait_for(lambda: count(console, WAITING) == TOTAL, 600, POLL)
        parked = time.monotonic() - began
        ids = [one.id for one in approvals(console, TOTAL)]
        approve = Verdict(verb=CheckpointVerb.APPROVE)
        again = time.monotonic()
        with ThreadPoolExecutor(10) as pool:
            list(pool.map(lambda i: console.services.review.decide(RAY, i, approve), ids))
        wait_for(
            lambda: (
                len(jobs.resumed) >= TOTAL and count(console, OPEN) + count(console, WAITING) == 0
            ),
            600,
            POLL,
        )
        resumed = time.monotonic() - again
        figures = cost.per(TOTAL, parked + resumed)
    figures["approved and resumed/s"] = TOTAL / resumed
    return figures


def main() -> None:
    url, folder = sys.argv[1:]
    console = opened(url, Path(folder))
    print(json.dumps(measure(console)), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
