"""Processes that are stopped while they work, and go on when their work is somebody else's."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pytest

from agent_console.domain.errors import Unavailable
from agent_console.store.database import Database, StoreOptions
from agent_console.store.liveness import rescue
from agent_console.store.tallies import TOTALS
from agent_console.testing import enqueue
from tests.chaos import zombies
from tests.chaos.processes import CONTEXT
from tests.chaos.sizes import SEED, size, tell
from tests.chaos.zombies import KINDS, LIVING, ZOMBIE
from tests.runtime.hosts import hosted
from tests.support.factories import RAY, employ
from tests.support.runs import decide
from tests.support.sums import differences

ZOMBIES = size("ZOMBIES", 14, 500)
AT_ONCE = 14
SILENT = 0.3  # seconds after which a stopped worker is taken for dead
PATIENCE = 60.0

LEFT = "SELECT input_data, status, attempts, error FROM ai_jobs WHERE status <> 'COMPLETED'"
# Every text that a run may write.
WRITTEN = {
    "ai_jobs": ["output_data", "error", "progress"],
    "job_steps": ["name", "result"],
    "agent_checkpoints": ["message", "payload"],
    "work_artifacts": ["content"],
    "agent_logs": ["message"],
    "job_usage": ["model"],
    "job_previews": ["text"],
}
# How many calls the living record, by kind; what the zombie adds would be one more.
RECORDED = Counter(dict.fromkeys(KINDS, 1))
RECORDED["failed step"] = 2  # the one that failed, and the one after it
for _none in ("log", "progress", "preview", "output", "failure"):
    RECORDED[_none] = 0


@dataclass
class Stopped:
    """A child process and the pipe to it."""

    process: ForkServerProcess
    pipe: Connection
    worker_id: str

    def signal(self, number: int) -> None:
        assert self.process.pid is not None
        os.kill(self.process.pid, number)

    def hears(self) -> str:
        assert self.pipe.poll(PATIENCE)
        return str(self.pipe.recv())


@pytest.mark.crash
@pytest.mark.slow
@pytest.mark.timeout(240 + 4 * ZOMBIES)
def test_a_process_that_wakes_up_after_its_job_was_taken_writes_nothing(
    database_url: str, dialect: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = random.Random(SEED)
    began, done = time.monotonic(), 0
    db = Database(database_url)
    employ(db, RAY)  # a decision stands only as long as its account may decide
    while done < ZOMBIES:
        kinds = [KINDS[(done + n) % len(KINDS)] for n in range(min(AT_ONCE, ZOMBIES - done))]
        _round(db, database_url, tmp_path, kinds, rng)
        done += len(kinds)
    found = [*_stale_writes(db), *_wrong_counts(db), *differences(db)]
    db.close()
    tell(
        capsys,
        f"zombies on {dialect}: {done} SIGSTOP/SIGCONT in {time.monotonic() - began:.0f} s,"
        f" {len(KINDS)} kinds of writes, complaints {len(found)}",
    )
    assert found == []


def _round(db: Database, url: str, folder: Path, kinds: list[str], rng: random.Random) -> None:
    """Let as many zombies as ``kinds`` die and rise."""
    jobs = [
        enqueue(db, "linger", {"kind": kind}, approval_strategy=_strategy(kind)) for kind in kinds
    ]
    with _crowd(url, folder, len(kinds)) as crowd:
        for one in crowd:
            assert one.hears() == "here"
        _stop(url, crowd, rng)
        _until(lambda: _bury(db, crowd) == "buried", db)
        with hosted(db, folder / "living", zombies.linger, max_concurrent_jobs=4):
            _until(lambda: _all_done(db, jobs), db)
            for one in crowd:
                one.pipe.send("go on")
                one.signal(signal.SIGCONT)
            for one in crowd:
                one.pipe.send("end")
            for one in crowd:
                one.process.join(PATIENCE)
                assert one.process.exitcode == 0


def _strategy(kind: str) -> str | None:
    return "auto_approve_low_risk" if kind == "policy" else None


@contextmanager
def _crowd(url: str, folder: Path, count: int) -> Iterator[list[Stopped]]:
    crowd: list[Stopped] = []
    try:
        for _ in range(count):
            ours, theirs = CONTEXT.Pipe()
            process = CONTEXT.Process(target=zombies.run, args=(url, str(folder), theirs))
            process.start()
            theirs.close()
            crowd.append(Stopped(process, ours, ""))
        for one in crowd:
            one.worker_id = one.hears()
        yield crowd
    finally:
        for one in crowd:
            one.process.kill()
            one.process.join()
            one.pipe.close()


def _stop(url: str, crowd: list[Stopped], rng: random.Random) -> None:
    """Stop every process of ``crowd``, but not while it holds a lock that others need.

    A process that is stopped in the middle of a transaction holds everybody up until it goes on
    (SQLite) or until the server ends its session (PostgreSQL); nothing is lost by it.
    """
    probe = Database(url, StoreOptions(statement_timeout=1.0, busy_timeout=0.2))
    while True:
        threading.Event().wait(rng.uniform(0, 0.05))
        for one in crowd:
            one.signal(signal.SIGSTOP)
        try:
            probe.write(lambda tx: tx.execute("UPDATE agent_workers SET host = host"))
        except Unavailable:
            for one in crowd:
                one.signal(signal.SIGCONT)
        else:
            break
    probe.close()


def _bury(db: Database, crowd: list[Stopped]) -> str:
    rescue(db, SILENT, 1000)
    with db.read() as reader:
        dead = {row[0] for row in reader.rows("SELECT id FROM agent_workers WHERE status = 'DEAD'")}
    return "buried" if dead >= {one.worker_id for one in crowd} else "not yet"


def _all_done(db: Database, jobs: list[str]) -> bool:
    with db.read() as reader:
        open_ones = reader.rows("SELECT id FROM agent_checkpoints WHERE status = 'PENDING'")
    for (checkpoint_id,) in open_ones:
        decide(db, checkpoint_id)
    with db.read() as reader:
        statuses = dict(reader.rows("SELECT id, status FROM ai_jobs"))
    return all(statuses[job] == "COMPLETED" for job in jobs)


def _until(holds: Callable[[], bool], db: Database) -> None:
    give_up = time.monotonic() + PATIENCE
    while not holds():
        with db.read() as reader:
            assert time.monotonic() < give_up, [*map(str, reader.rows(LEFT))]
        threading.Event().wait(0.05)


def _stale_writes(db: Database) -> Iterator[str]:
    with db.read() as reader:
        for table, columns in WRITTEN.items():
            for column in columns:
                sql = f"SELECT count(*) FROM {table} WHERE {column} LIKE :who"
                count = reader.rows(sql, {"who": f"%{ZOMBIE}%"})[0][0]
                if count:
                    yield f"{count} stale writes of {table}.{column}"
        acted = reader.rows(
            "SELECT l.action, count(*) FROM audit_logs l JOIN agent_workers w ON w.id = l.actor_id"
            " WHERE l.job_id IS NOT NULL AND l.action <> 'job.started'"
            " AND w.embedded = 1 AND EXISTS (SELECT 1 FROM audit_logs d"
            " WHERE d.action = 'worker.died' AND d.subject_id = w.id) GROUP BY l.action"
        )
        yield from (f"{count} times {action} by a zombie" for action, count in acted)


def _wrong_counts(db: Database) -> Iterator[str]:
    with db.read() as reader:
        jobs: list[tuple[Any, ...]] = list(
            reader.rows("SELECT id, input_data, attempts, output_data FROM ai_jobs")
        )
        steps = Counter(row[0] for row in reader.rows("SELECT job_id FROM job_steps"))
        tokens = Counter(row[0] for row in reader.rows("SELECT job_id FROM job_callbacks"))
        used = reader.rows("SELECT count(*) FROM job_usage")[0][0]
        cost = reader.row(f"SELECT sum(value) FROM {TOTALS} WHERE name = 'agent_cost_micros'")
    kinds = Counter()
    for job_id, text, attempts, output in jobs:
        kind = next(k for k in sorted(KINDS, key=len, reverse=True) if f'"{k}"' in text)
        kinds[kind] += 1
        wanted = (2, f'"{LIVING}"', RECORDED[kind], int(kind == "callback"))
        actual = (attempts, output, steps[job_id], tokens[job_id])
        if actual != wanted:
            yield f"{job_id} ({kind}) is {actual}, not {wanted}"
    if used != kinds["usage"] or (cost and cost[0]) != kinds["usage"] * 1000:
        yield f"usage was counted {used} times, {cost}"
