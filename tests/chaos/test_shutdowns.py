"""Workers are told to stop under load, in each of the ways in which that is done."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent_console.store.database import Database
from agent_console.testing import enqueue
from tests.chaos import stoppable, tasks
from tests.chaos.processes import CONTEXT, ended, start
from tests.chaos.sizes import SEED, size, tell
from tests.crash import checks
from tests.runtime.hosts import hosted
from tests.support.sums import differences

SIGTERMS = size("SIGTERMS", 8, 200)
LANES = 2
DRAIN = 1.0  # seconds: the grace that running jobs get
LIMIT = DRAIN + 2.0
MARGIN = 3.0  # seconds more for a machine that is busy with other things
PATIENCE = 90.0
TYPES = ("brief", "brief", "brief", "polite", "deaf")
WAYS = ("once", "once", "once", "group", "twice")
# What a signal does to a worker that is told twice: it ends without a word.
CODES = {"once": 0, "group": 0, "twice": 128 + signal.SIGTERM}


@dataclass(frozen=True)
class Stop:
    """How one worker was stopped, how long that took, and how it ended."""

    way: str
    seconds: float
    code: int | None


@pytest.mark.crash
@pytest.mark.slow
@pytest.mark.timeout(240 + 10 * SIGTERMS)
def test_a_worker_that_is_told_to_stop_stops_in_time_and_charges_nobody(
    database_url: str, dialect: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    db = Database(database_url)
    rngs = [random.Random(SEED + lane) for lane in range(LANES)]
    began = time.monotonic()
    with ThreadPoolExecutor(LANES) as pool:
        each = [
            pool.submit(_stop_one, db, database_url, tmp_path, WAYS[n % 5], rngs[n % LANES])
            for n in range(SIGTERMS)
        ]
        stops = [one.result() for one in each]
    seconds = time.monotonic() - began
    _finish(db, tmp_path)
    found = [*_wrong_ends(stops), *_lost(db), *checks.journal_agrees(db), *_charged(db)]
    found += differences(db)
    db.close()
    slowest = max(stop.seconds for stop in stops)
    tell(
        capsys,
        f"stops on {dialect}: {len(stops)} workers {dict(Counter(s.way for s in stops))} in"
        f" {seconds:.0f} s, slowest exit {slowest:.1f} s of {LIMIT:.1f}, complaints {len(found)}",
    )
    assert found == []
    assert slowest <= LIMIT + MARGIN


def _stop_one(db: Database, url: str, folder: Path, way: str, rng: random.Random) -> Stop:
    for _ in range(5):
        enqueue(db, rng.choice(TYPES))
    environment = {
        "DATABASE_URL": url,
        "AGENT_CONSOLE_DATA_DIR": str(folder),
        "AGENT_CONSOLE_HANDLERS": tasks.__file__,
        "AGENT_CONSOLE_DRAIN_TIMEOUT": str(DRAIN),
        "AGENT_CONSOLE_POLL_INTERVAL": "0.5",
        "AGENT_CONSOLE_MAX_CLAIMS": "1000",
    }
    args = (environment, str(folder / "workers.log"))
    process = CONTEXT.Process(target=stoppable.run, args=args)
    start(process)
    assert process.pid is not None
    _until_it_runs(db, process.pid)
    threading.Event().wait(rng.uniform(0.0, 0.4))
    began = time.monotonic()
    _tell_to_stop(process.pid, way, rng)
    code = ended(process, PATIENCE)
    return Stop(way, time.monotonic() - began, code)


def _tell_to_stop(pid: int, way: str, rng: random.Random) -> None:
    if way == "group":
        os.killpg(pid, signal.SIGINT)
        return
    os.kill(pid, signal.SIGTERM)
    if way == "twice":
        threading.Event().wait(rng.uniform(0.05, 0.3))
        with suppress(ProcessLookupError):  # one that had nothing to wait for may be gone
            os.kill(pid, signal.SIGTERM)


def _until_it_runs(db: Database, pid: int) -> None:
    sql = "SELECT 1 FROM agent_workers WHERE pid = :pid AND status = 'RUNNING'"
    give_up = time.monotonic() + PATIENCE
    while True:
        with db.read() as reader:
            if reader.row(sql, {"pid": pid}) is not None:
                return
        assert time.monotonic() < give_up
        threading.Event().wait(0.02)


def _finish(db: Database, folder: Path) -> None:
    """Let one worker do what is left, and rescue what those left that ended without a word."""
    sql = "SELECT count(*) FROM ai_jobs WHERE status <> 'COMPLETED'"
    give_up = time.monotonic() + PATIENCE + 2 * SIGTERMS
    handlers = (tasks.brief, tasks.polite, tasks.deaf)
    with hosted(db, folder, *handlers, max_concurrent_jobs=32, max_claims=1000):
        while True:
            with db.read() as reader:
                left = reader.rows(sql)[0][0]
            if not left:
                return
            assert time.monotonic() < give_up, f"{left} jobs left"
            threading.Event().wait(0.1)


def _wrong_ends(stops: list[Stop]) -> Iterator[str]:
    for stop in stops:
        allowed = {CODES[stop.way], 0, -signal.SIGTERM} if stop.way == "twice" else {0}
        if stop.code not in allowed:
            yield f"a worker that was stopped {stop.way} ended with {stop.code}"


def _lost(db: Database) -> Iterator[str]:
    with db.read() as reader:
        count = reader.rows("SELECT count(*) FROM ai_jobs")[0][0]
    if count != 5 * SIGTERMS:
        yield f"{count} jobs are left of {5 * SIGTERMS}"


def _charged(db: Database) -> Iterator[str]:
    """Only a worker that ended without a word may have cost a job an attempt."""
    with db.read() as reader:
        jobs = reader.rows("SELECT id, attempts FROM ai_jobs WHERE attempts > 1")
        rescued = Counter(
            row[0]
            for row in reader.rows("SELECT job_id FROM audit_logs WHERE action = 'job.rescued'")
        )
        died = reader.rows("SELECT count(*) FROM audit_logs WHERE action = 'worker.died'")[0][0]
    for job_id, attempts in jobs:
        if attempts > 1 + rescued[job_id]:
            yield f"{job_id} was charged {attempts} attempts, rescued {rescued[job_id]} times"
    if died > SIGTERMS // len(WAYS) + 1:
        yield f"{died} workers died"
