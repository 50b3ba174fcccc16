"""PgQueuer on asyncpg: ``python pgqueuer_peer.py URL BATCH``. Its handlers are coroutines."""

from __future__ import annotations

import asyncio
import json
import sys
import time

import asyncpg
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


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(sys.argv[1], int(sys.argv[2])))))
