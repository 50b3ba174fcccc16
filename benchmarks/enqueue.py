"""How many jobs a second are enqueued, in batches and one by one: ``python -m benchmarks.enqueue``.

Prints one JSON object. Per database: the bare rows of ``ai_jobs`` (values made before), the store
with its journal and tallies, the service with every check, and REST without a socket. Rates are
rows a second, the best of three rounds; ``cpu`` is what they would be if nothing else ran: rows by
the processor time of this process and of the database's.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import psutil

from agent_console.api.app import create_api
from agent_console.bootstrap import Console, build
from agent_console.domain.access import Role, local_operator
from agent_console.domain.jobs import NewJob
from agent_console.store import enqueues, job_writes
from agent_console.store.enqueues import Item
from agent_console.store.ids import new_id
from benchmarks.product import settings
from tests.support.databases import PostgresServer
from tests.support.factories import ADA

NOOP = NewJob(job_type="bench-noop")
ROUNDS = 3


def _cpu(console: Console) -> float:
    own = psutil.Process().cpu_times()
    spent = own.user + own.system
    if console.db.dialect == "postgresql":
        for process in psutil.process_iter(["name"]):
            if "postgres" in str(process.info["name"]):
                times = process.cpu_times()
                spent += times.user + times.system
    return spent


def best(console: Console, rows: int, size: int, call: Callable[[int], object]) -> dict[str, int]:
    """Return the best rate of some rounds of ``rows``, in calls of ``size``."""
    found: list[tuple[float, float]] = []
    for _ in range(ROUNDS):
        cpu, began = _cpu(console), time.perf_counter()
        for _ in range(rows // size):
            call(size)
        took = time.perf_counter() - began
        found.append((rows / took, rows / max(_cpu(console) - cpu, 1e-9)))
    return {"rate": round(max(f[0] for f in found)), "cpu": round(max(f[1] for f in found))}


def bare(console: Console, rows: int, size: int) -> dict[str, int]:
    """Insert rows whose values are there already; no journal."""

    def values() -> list[dict[str, object]]:
        return [
            job_writes.params_of(new_id("job"), NOOP, ADA, None, max_attempts=3, traceparent=None)
            for _ in range(size)
        ]

    made = [values() for _ in range(ROUNDS * (rows // size))]

    def insert(_size: int) -> None:
        part = made.pop()
        console.db.write(lambda tx: enqueues.insert_rows(tx, part))

    return best(console, rows, size, insert)


def store(console: Console, size: int) -> None:
    """Insert jobs with journal and tallies."""
    items = [Item(number=n, job_id=new_id("job"), new=NOOP, max_attempts=3) for n in range(size)]
    console.db.write(lambda tx: enqueues.enqueue_many(tx, items, ADA))


def over_rest(console: Console, rows: int, size: int) -> dict[str, int]:
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
        return best(console, rows, size, post)
    finally:
        loop.run_until_complete(client.aclose())
        loop.close()


def measure(console: Console, rows: int) -> dict[str, dict[str, int]]:
    """Return the figures of one database."""
    jobs = console.services.jobs
    found: dict[str, dict[str, int]] = {}
    for size in (500, 1_000):
        found[f"bare rows, {size}"] = bare(console, rows, size)
        found[f"store with journal, {size}"] = best(
            console, rows, size, lambda size: store(console, size)
        )
        found[f"service, {size}"] = best(
            console, rows, size, lambda size: jobs.enqueue_many(ADA, [NOOP] * size)
        )
        found[f"REST, {size}"] = over_rest(console, rows, size)
    found["service, one by one"] = best(
        console, max(rows // 20, 1), 1, lambda _size: jobs.enqueue(ADA, NOOP)
    )
    return found


@contextmanager
def opened(url: str) -> Iterator[Console]:
    """Open a console on ``url`` with the benchmarks' job types; nothing runs."""
    with tempfile.TemporaryDirectory() as folder:
        console = build(settings(url, Path(folder)))
        console.open()
        try:
            yield console
        finally:
            console.stop()


def main() -> None:
    """Measure both databases, or the one named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="", help="only this database, which is filled")
    parser.add_argument("--rows", type=int, default=20_000)
    options = parser.parse_args()
    with ExitStack() as stack:
        urls = [options.url]
        if not options.url:
            server = PostgresServer(f"enqueue {time.time()}", durable=True)
            stack.callback(server.close)
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            urls = [f"sqlite:///{folder}/bench.db", stack.enter_context(server.database())]
        figures = {}
        for url in urls:
            with opened(url) as console:
                figures[console.db.dialect] = measure(console, options.rows)
    json.dump(figures, sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
