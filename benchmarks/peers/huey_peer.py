"""Huey on SQLite with fsync: ``python huey_peer.py FILE``. It deletes a job when it takes it."""

from __future__ import annotations

import json
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


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1])))
