"""The living keep their jobs however long they take; the dead lose theirs in seconds."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from agent_console import JobContext, handler
from agent_console.store.database import Database
from agent_console.store.liveness import rescue
from agent_console.testing import enqueue
from tests.chaos import stoppable, tasks
from tests.chaos.processes import CONTEXT
from tests.chaos.sizes import FULL, tell
from tests.runtime.hosts import hosted
from tests.support.databases import PostgresServer, SqliteFiles

pytestmark = [pytest.mark.crash, pytest.mark.slow]

TIMEOUT = 15.0 if FULL else 3.0  # the default, and the shortest that the settings allow
SWEEP = 5.0  # seconds between two looks for dead workers
MARGIN = 5.0  # seconds for a machine that is busy with other things
PATIENCE = 90.0
STARTS = "SELECT actor_id FROM audit_logs WHERE action = 'job.started' AND job_id = :id"


def until(holds: Callable[[], bool]) -> float:
    """Return the seconds until ``holds``."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < PATIENCE
        threading.Event().wait(0.05)
    return time.monotonic() - began


def starts(db: Database, job_id: str) -> list[str]:
    with db.read() as reader:
        return [row[0] for row in reader.rows(STARTS, {"id": job_id})]


def test_a_job_longer_than_four_timeouts_is_started_once(
    sqlite_files: SqliteFiles, postgres: PostgresServer, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        urls = [
            stack.enter_context(sqlite_files.database(tmp_path)),
            stack.enter_context(postgres.database()),
        ]
        pool = stack.enter_context(ThreadPoolExecutor(2))  # at once: it takes its time
        folders = [tmp_path / "one", tmp_path / "other"]
        assert list(pool.map(_lives_long, urls, folders)) == [(0, 1), (0, 1)]


def _lives_long(url: str, folder: Path) -> tuple[int, int]:
    """Run a long job; return how often it was rescued, and how often it was started."""
    db = Database(url)
    release = threading.Event()

    @handler("long")
    def long(_ctx: JobContext) -> str:
        release.wait(2 * PATIENCE)
        return "at last"

    def done() -> bool:
        with db.read() as reader:
            sql = "SELECT output_data FROM ai_jobs WHERE status = 'COMPLETED'"
            return reader.rows(sql) == [('"at last"',)]

    job_id = enqueue(db, "long")
    with hosted(db, folder, long, worker_timeout=TIMEOUT):
        until(lambda: len(starts(db, job_id)) == 1)
        rescued = 0
        for _ in range(9):  # somebody else looks for the dead, more often than anybody does
            rescued += rescue(db, TIMEOUT, 5)
            threading.Event().wait(TIMEOUT / 2)
        release.set()
        until(done)
    started = len(starts(db, job_id))
    db.close()
    return rescued, started


# On one machine it is the default sweep that is timed; the suite has that in tests/runtime.
@pytest.mark.parametrize("together", [True, False] if FULL else [False])
def test_what_a_killed_worker_ran_runs_again_soon(
    database_url: str,
    dialect: str,
    together: bool,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    db = Database(database_url)
    ours = tmp_path / "ours"
    process = _worker(database_url, ours)
    try:
        job_id = enqueue(db, "deaf")
        until(lambda: len(starts(db, job_id)) == 1)
        folder = ours if together else tmp_path / "elsewhere"
        with hosted(db, folder, tasks.deaf, worker_timeout=TIMEOUT):
            assert process.pid is not None
            os.kill(process.pid, signal.SIGKILL)
            seconds = until(lambda: len(starts(db, job_id)) == 2)
    finally:
        process.kill()
        process.join()
        db.close()
    where = "the same data directory" if together else "another machine"
    tell(capsys, f"kill -9 to running again on {dialect}, {where}: {seconds:.1f} s")
    assert seconds <= SWEEP + MARGIN + (0 if together else TIMEOUT)


def _worker(url: str, folder: Path) -> Any:
    environment = {
        "DATABASE_URL": url,
        "AGENT_CONSOLE_DATA_DIR": str(folder),
        "AGENT_CONSOLE_HANDLERS": tasks.__file__,
        "AGENT_CONSOLE_WORKER_TIMEOUT": str(TIMEOUT),
    }
    folder.mkdir()
    process = CONTEXT.Process(target=stoppable.run, args=(environment, str(folder / "log")))
    process.start()
    return process


def test_workers_that_were_forked_from_one_console_are_workers_of_their_own(
    database_url: str, tmp_path: Path
) -> None:
    db = Database(database_url)
    environment = {
        "DATABASE_URL": database_url,
        "AGENT_CONSOLE_DATA_DIR": str(tmp_path),
        "AGENT_CONSOLE_HANDLERS": tasks.__file__,
    }
    args = (environment, str(tmp_path / "log"), 2)
    process = CONTEXT.Process(target=stoppable.run_forked, args=args)
    process.start()
    try:
        with db.read() as reader:
            assert reader.rows("SELECT id FROM agent_workers") == []
        jobs = [enqueue(db, "brief") for _ in range(30)]

        def settled() -> bool:
            with db.read() as reader:
                left = reader.row("SELECT 1 FROM ai_jobs WHERE status <> 'COMPLETED'")
                alive = reader.rows("SELECT 1 FROM agent_workers WHERE status = 'RUNNING'")
            return left is None and len(alive) == 2

        until(settled)
        assert process.pid is not None
        os.killpg(process.pid, signal.SIGTERM)
        process.join(PATIENCE)
        assert process.exitcode == 0
        assert [len(starts(db, job_id)) for job_id in jobs] == [1] * 30
    finally:
        process.kill()
        process.join()
        db.close()
