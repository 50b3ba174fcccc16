"""How the running console answers under load: ``python -m benchmarks.load``.

Starts ``serve`` on SQLite, keeps jobs running, and asks the task routes at a steady rate, whether
answers come or not. Prints the quantiles of the time to the whole answer, and how long a change
takes to arrive in an open metrics stream. ``--url`` names another database.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import random
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import httpx

from tests.e2e.console import ConsoleProcess

RATE = 50.0  # requests per second
JOBS = 5.0  # new jobs per second, each a run with two steps and a checkpoint
WARM_UP = 3.0  # seconds
TASK = {"jobType": "simple-task", "inputData": {"userId": "u", "action": "greet"}}


async def _ask(client: httpx.AsyncClient, path: str, times: list[float]) -> None:
    began = time.monotonic()
    answer = await client.get(path)
    answer.raise_for_status()
    times.append((time.monotonic() - began) * 1000)


async def _work(client: httpx.AsyncClient, made: list[str], until: float) -> None:
    while time.monotonic() < until:
        answer = await client.post("/api/agent-jobs", json=TASK)
        made.append(answer.json()["job"]["id"])
        await asyncio.sleep(1 / JOBS)


async def measure(console: ConsoleProcess, seconds: float) -> dict[str, list[float]]:
    """Return milliseconds per kind of request, and of changes on their way into the stream."""
    headers = {"Authorization": f"Bearer {console.tokens['admin']}"}
    limits = httpx.Limits(max_connections=200, max_keepalive_connections=50)
    times: dict[str, list[float]] = defaultdict(list)
    made: list[str] = []
    async with httpx.AsyncClient(
        base_url=console.address, headers=headers, limits=limits, timeout=20
    ) as client:
        until = time.monotonic() + WARM_UP + seconds
        working = asyncio.create_task(_work(client, made, until))
        await asyncio.sleep(WARM_UP)
        asked: list[asyncio.Task[None]] = []
        start = time.monotonic()
        for number in itertools.count():
            due = start + number / RATE
            if due >= until:
                break
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            kind, path = _next(number, made)
            asked.append(asyncio.create_task(_ask(client, path, times[kind])))
        await asyncio.gather(*asked)
        await working
        return {**times, "change to stream": await _probe(client)}


def _next(number: int, made: Sequence[str]) -> tuple[str, str]:
    kinds = ("GET /api/v1/tasks", "GET /api/tasks", "GET /api/v1/tasks/{id}", "GET /api/tasks/{id}")
    kind = kinds[number % len(kinds)]
    return kind, kind.removeprefix("GET ").replace("{id}", random.choice(made))


async def _probe(client: httpx.AsyncClient) -> list[float]:
    """Enqueue twenty jobs, one after the other, and time each into a fresh stream."""
    found = []
    async with client.stream("GET", "/api/metrics/stream") as answer:
        lines = answer.aiter_lines()
        count = await _count_in(lines, 0)
        for _ in range(20):
            began = time.monotonic()
            await client.post("/api/agent-jobs", json=TASK)
            count = await _count_in(lines, count + 1)
            found.append((time.monotonic() - began) * 1000)
            await asyncio.sleep(0.4)
    return found


async def _count_in(lines: AsyncIterator[str], least: int) -> int:
    async for line in lines:
        if line.startswith("data: {"):
            count = int(json.loads(line[6:])["task_count"])
            if count >= least:
                return count
    raise RuntimeError("the stream ended")


def quantile(values: Sequence[float], q: float) -> float:
    """Return the nearest-rank quantile."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))]


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="", help="DATABASE_URL; default: SQLite")
    parser.add_argument("--seconds", type=float, default=30.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        more = {"DATABASE_URL": options.url} if options.url else {}
        console = ConsoleProcess(Path(folder), **more)
        console.start()
        try:
            times = asyncio.run(measure(console, options.seconds))
        finally:
            console.stop()
    write = sys.stdout.write
    write(f"\n{RATE:g} requests/s for {options.seconds:g} s while {JOBS:g} jobs/s run\n\n")
    write("| | count | p50 ms | p95 ms | p99 ms |\n|---|---|---|---|---|\n")
    everything = [t for kind, found in times.items() if kind.startswith("GET") for t in found]
    for kind, found in [*times.items(), ("all task routes", everything)]:
        figures = " | ".join(f"{quantile(found, q):.1f}" for q in (0.5, 0.95, 0.99))
        write(f"| {kind} | {len(found)} | {figures} |\n")


if __name__ == "__main__":
    main()
