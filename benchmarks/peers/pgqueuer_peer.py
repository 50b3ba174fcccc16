"""PgQueuer on asyncpg: ``python pgqueuer_peer.py URL BATCH [JOBS]``, or ``URL enqueue``.

Its handlers are coroutines. With JOBS only a drain of so many is measured, with its cost.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time

import asyncpg
import psycopg
from cost import Cost
from pgqueuer import Job, PgQueuer, Queries
from pgqueuer.db import AsyncpgDriver

ENQUEUE, DRAIN, LATENCY, RATE = 1_000, 5_000, 150, 20.0


async def main(url: str, batch: int) -> dict[str, object]:
    connection = await asyncpg.connect(url)
    queries = Queries(AsyncpgDriver(connection))
    await queries.uninstall()
    await queries.install()
    began = time.monotonic()
    for _ in range(ENQUEUE):
        await queries.enqueue("noop", b"")
    enqueue = ENQUEUE / (time.monotonic() - began)
    await queries.enqueue(
        ["noop"] * (DRAIN - ENQUEUE), [b""] * (DRAIN - ENQUEUE), [0] * (DRAIN - ENQUEUE)
    )
    started: list[float] = []
    arrived = asyncio.Event()
    worker = await asyncpg.connect(url)
    pgq = PgQueuer(AsyncpgDriver(worker))

    @pgq.entrypoint("noop")
    async def noop(_job: Job) -> None:
        started.append(time.monotonic())
        arrived.set()

    task = asyncio.create_task(pgq.run(batch_size=batch))
    while len(started) < DRAIN or await connection.fetchval("SELECT count(*) FROM pgqueuer"):  # noqa: ASYNC110
        await asyncio.sleep(0.002)
    drain = DRAIN / (time.monotonic() - started[0])
    waits = []
    await asyncio.sleep(1)
    for _ in range(LATENCY):
        await asyncio.sleep(1 / RATE)
        started.clear()
        arrived.clear()
        at = time.monotonic()
        await queries.enqueue("noop", b"")
        await arrived.wait()
        waits.append((started[0] - at) * 1000)
    pgq.shutdown.set()
    await task
    return {"enqueue 1 thread": enqueue, "drain": drain, "start": sorted(waits)}


async def enqueue(url: str) -> dict[str, float]:
    queries = Queries(AsyncpgDriver(await asyncpg.connect(url)))
    await queries.install()
    singles, batches = [], []
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(500):
            await queries.enqueue("noop", b"")
        singles.append(500 / (time.perf_counter() - began))
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(10):
            await queries.enqueue(["noop"] * 1_000, [b""] * 1_000, [0] * 1_000)
        batches.append(10_000 / (time.perf_counter() - began))
    return {
        "one by one, jobs/s": statistics.median(singles),
        "batches of 1,000, jobs/s": statistics.median(batches),
    }


async def drain(url: str, batch: int, total: int) -> dict[str, float]:
    connection = await asyncpg.connect(url)
    queries = Queries(AsyncpgDriver(connection))
    await queries.install()
    for _ in range(0, total, 5_000):
        some = min(5_000, total)
        await queries.enqueue(["noop"] * some, [b""] * some, [0] * some)
    started: list[float] = []
    pgq = PgQueuer(AsyncpgDriver(await asyncpg.connect(url)))

    @pgq.entrypoint("noop")
    async def noop(_job: Job) -> None:
        started.append(time.monotonic())

    with psycopg.connect(url, autocommit=True) as watching:
        cost = Cost(lambda sql: watching.execute(sql).fetchone()[0])
        task = asyncio.create_task(pgq.run(batch_size=batch))
        left = "SELECT count(*) FROM pgqueuer"
        while len(started) < total or await connection.fetchval(left):  # noqa: ASYNC110
            await asyncio.sleep(0.002)
        figures = cost.per(total, time.monotonic() - started[0])
    pgq.shutdown.set()
    await task
    return figures


if __name__ == "__main__":
    address, *rest = sys.argv[1:]
    if rest == ["enqueue"]:
        print(json.dumps(asyncio.run(enqueue(address))))
    else:
        call = drain if rest[1:] else main
        print(json.dumps(asyncio.run(call(address, *map(int, rest)))))
