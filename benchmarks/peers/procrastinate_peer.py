"""Procrastinate: ``python procrastinate_peer.py URL``."""

from __future__ import annotations

import asyncio
import json
import sys
import time

import procrastinate

ENQUEUE, DRAIN, LATENCY, RATE = 1_000, 2_000, 150, 20.0
LEFT = "SELECT count(*) AS n FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"


async def main(url: str) -> dict[str, object]:
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url))
    started: list[float] = []
    arrived = asyncio.Event()

    @app.task(name="noop")
    async def noop() -> None:
        started.append(time.monotonic())
        arrived.set()

    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        began = time.monotonic()
        for _ in range(ENQUEUE):
            await noop.defer_async()
        enqueue = ENQUEUE / (time.monotonic() - began)
        await noop.batch_defer_async(*[{} for _ in range(DRAIN - ENQUEUE)])
        task = asyncio.create_task(
            app.run_worker_async(concurrency=10, install_signal_handlers=False)
        )
        while len(started) < DRAIN or (await app.connector.execute_query_one_async(LEFT))["n"]:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        drain = DRAIN / (time.monotonic() - started[0])
        waits = []
        await asyncio.sleep(1)
        for _ in range(LATENCY):
            await asyncio.sleep(1 / RATE)
            started.clear()
            arrived.clear()
            at = time.monotonic()
            await noop.defer_async()
            await arrived.wait()
            waits.append((started[0] - at) * 1000)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return {"enqueue 1 thread": enqueue, "drain": drain, "start": sorted(waits)}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(sys.argv[1]))))
