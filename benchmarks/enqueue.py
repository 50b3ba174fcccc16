"""How many jobs a second are enqueued, in batches and one by one.

``python -m benchmarks.enqueue URL FOLDER`` prints one JSON object: the bare rows of ``ai_jobs``
(values made before), the store with its journal and tallies, the service with every check, and REST
without a socket. Rates are jobs a second, the median of five rounds.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from agent_console.api.app import create_api
from agent_console.bootstrap import Console
from agent_console.domain.access import Role, local_operator
from agent_console.domain.jobs import NewJob
from agent_console.store import enqueues, new_jobs
from agent_console.store.enqueues import Item
from agent_console.store.ids import new_id
from benchmarks.product import opened
from tests.support.factories import ADA

NOOP = NewJob(job_type="bench-noop")
ROUNDS, ROWS, BATCH, SINGLES = 5, 10_000, 1_000, 500


def rate(rows: int, size: int, call: Callable[[int], object]) -> float:
    """Return the median rate of some rounds of ``rows``, in calls of ``size``."""
    found: list[float] = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(rows // size):
            call(size)
        found.append(rows / (time.perf_counter() - began))
    return statistics.median(found)


def bare(console: Console, rows: int, size: int) -> float:
    """Insert rows whose values are there already; no journal."""

    def values() -> list[dict[str, object]]:
        return [
            new_jobs.params_of(new_id("job"), NOOP, ADA, None, max_attempts=3, traceparent=None)
            for _ in range(size)
        ]

    made = [values() for _ in range(ROUNDS * (rows // size))]

    def insert(_size: int) -> None:
        part = made.pop()
        console.db.write(lambda tx: enqueues.insert_rows(tx, part))

    return rate(rows, size, insert)


def store(console: Console, size: int) -> None:
    """Insert jobs with journal and tallies."""
    items = [Item(number=n, job_id=new_id("job"), new=NOOP, max_attempts=3) for n in range(size)]
    console.db.write(lambda tx: enqueues.enqueue_many(tx, items, ADA))


def over_rest(console: Console, rows: int, size: int) -> float:
    """Enqueue batches through the REST application."""
    access = console.services.access
    root = local_operator("bench")
    email = f"{new_id('usr')}@example.com"
    access.create_user(root, email, "Bench", Role.OPERATOR.value, "seven quiet rivers meet")
    token = access.create_token(root, email, name="bench", scopes=None, days=1).token
    app = create_api(console.services, console.settings, lambda: b"")
    body = json.dumps({"jobs": [{"jobType": "bench-noop"}] * size}).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    loop = asyncio.new_event_loop()
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://localhost", headers=headers
    )

    def post(_size: int) -> None:
        answer = loop.run_until_complete(client.post("/api/agent-jobs/batch", content=body))
        answer.raise_for_status()

    try:
        return rate(rows, size, post)
    finally:
        loop.run_until_complete(client.aclose())
        loop.close()


def measure(console: Console) -> dict[str, float]:
    jobs = console.services.jobs
    return {
        "one by one, jobs/s": rate(SINGLES, 1, lambda _size: jobs.enqueue(ADA, NOOP)),
        "batches of 1,000, jobs/s": rate(
            ROWS, BATCH, lambda size: jobs.enqueue_many(ADA, [NOOP] * size)
        ),
        "… over REST": over_rest(console, ROWS, BATCH),
        "… without the service's checks": rate(ROWS, BATCH, lambda size: store(console, size)),
        "… without journal and tallies": bare(console, ROWS, BATCH),
    }


def main() -> None:
    url, folder = sys.argv[1:]
    console = opened(url, Path(folder))
    console.signals.start()  # as every serving process does; it carries the word to others
    print(json.dumps(measure(console)), flush=True)
    console.signals.stop()
    console.stop()


if __name__ == "__main__":
    main()
