"""What the database itself can do on this machine: bare statements on one connection.

Run as ``python -m benchmarks.floor URL``; prints one JSON object of figures per second.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import psycopg2

ROWS, BATCH = 2_000, 100
TABLE = "CREATE TABLE bench_floor (id INTEGER PRIMARY KEY, state TEXT NOT NULL, body TEXT NOT NULL)"
INDEX = "CREATE INDEX bench_floor_ready ON bench_floor (id) WHERE state = 'queued'"
CLAIM = (
    "UPDATE bench_floor SET state = 'running' WHERE id IN (SELECT id FROM bench_floor"
    " WHERE state = 'queued' ORDER BY id LIMIT {n}) RETURNING id"
)
BODY = "x" * 200


def sqlite(url: str) -> tuple[Any, str, Callable[[], None]]:
    """Return a connection, its placeholder, and how a transaction begins."""
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    return connection, "?", lambda: connection.execute("BEGIN IMMEDIATE") and None


def postgres(url: str) -> tuple[Any, str, Callable[[], None]]:
    return psycopg2.connect(url), "%s", lambda: None


def measure(url: str) -> dict[str, float]:
    connection, mark, begin = (sqlite if url.startswith("sqlite") else postgres)(url)
    cursor = connection.cursor()
    commit = connection.commit if mark == "%s" else lambda: cursor.execute("COMMIT")
    with closing(connection):
        begin()
        cursor.execute("DROP TABLE IF EXISTS bench_floor")
        cursor.execute(TABLE)
        cursor.execute(INDEX)
        commit()

        def insert() -> None:
            for number in range(ROWS):
                begin()
                row = (number, "queued", BODY)
                cursor.execute(f"INSERT INTO bench_floor VALUES ({mark}, {mark}, {mark})", row)
                commit()

        def cycle(size: int) -> None:
            for _ in range(0, ROWS, size):
                begin()
                cursor.execute(CLAIM.format(n=size))
                ids = [str(row[0]) for row in cursor.fetchall()]
                commit()
                begin()
                done = f"UPDATE bench_floor SET state = 'done' WHERE id IN ({','.join(ids)})"
                cursor.execute(done)
                commit()

        def reset() -> None:
            begin()
            cursor.execute("UPDATE bench_floor SET state = 'queued'")
            commit()

        figures = {"insert + commit": rate(insert), "claim 1 + finish 1": rate(lambda: cycle(1))}
        reset()
        figures[f"claim {BATCH} + finish {BATCH}"] = rate(lambda: cycle(BATCH))
    return figures


def rate(work: Callable[[], None]) -> float:
    began = time.monotonic()
    work()
    return ROWS / (time.monotonic() - began)


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1])))
