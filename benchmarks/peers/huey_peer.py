"""Huey on SQLite with fsync. It deletes a job when it takes it.

``python huey_peer.py FILE`` for everything, with ``drain JOBS`` for the median of three drains.
"""

from __future__ import annotations

import json
import statistics
import sys
import time

from huey import SqliteHuey

ENQUEUE, DRAIN, LATENCY, RATE = 1_000, 5_000, 150, 20.0


def main(path: str) -> dict[str, object]:
    queue = SqliteHuey(filename=path, fsync=True)
    started: list[float] = []

    @queue.task()
    def noop() -> None:
        started.append(time.monotonic())

    began = time.monotonic()
    for _ in range(ENQUEUE):
        noop()
    enqueue = ENQUEUE / (time.monotonic() - began)
    for _ in range(DRAIN - ENQUEUE):
        noop()
    consumer = queue.create_consumer(workers=10, periodic=False, initial_delay=0.01)
    consumer.start()
    while len(started) < DRAIN:
        time.sleep(0.002)
    drain = DRAIN / (time.monotonic() - started[0])
    waits = []
    time.sleep(1)
    for _ in range(LATENCY):
        time.sleep(1 / RATE)
        started.clear()
        at = time.monotonic()
        noop()
        while not started:
            time.sleep(0.0005)
        waits.append((started[0] - at) * 1000)
    consumer.stop(graceful=False)
    return {"enqueue 1 thread": enqueue, "drain": drain, "start": sorted(waits)}


def drain(path: str, total: int) -> dict[str, float]:
    queue = SqliteHuey(filename=path, fsync=True)
    started: list[float] = []

    @queue.task()
    def noop() -> None:
        started.append(time.monotonic())

    rates, costs = [], []
    for _ in range(3):
        started.clear()
        for _ in range(total):
            noop()
        consumer = queue.create_consumer(workers=10, periodic=False, initial_delay=0.01)
        used = time.process_time()
        consumer.start()
        while len(started) < total:
            time.sleep(0.002)
        rates.append(total / (time.monotonic() - started[0]))
        costs.append((time.process_time() - used) / total * 1_000_000)
        consumer.stop(graceful=True)
    return {"jobs/s": statistics.median(rates), "CPU us/job": statistics.median(costs)}


if __name__ == "__main__":
    file, *rest = sys.argv[1:]
    print(json.dumps(drain(file, int(rest[1])) if rest else main(file)))
