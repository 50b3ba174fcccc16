"""The store does what a model in plain Python says, whatever happens, and alike on both kinds."""

from __future__ import annotations

import shutil
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from agent_console.store.database import Database, StoreOptions, Tx
from agent_console.testing import FakeClock
from tests.chaos.machine import Lives, Opened
from tests.chaos.sizes import FULL, SEED, size, tell
from tests.support.databases import PostgresServer, SqliteFiles

SEQUENCES = size("SEQUENCES", 25, 5000)
STEPS = 50 if FULL else 30


TABLES = [
    "ai_jobs",
    "agent_checkpoints",
    "agent_logs",
    "agent_workers",
    "artifact_texts",
    "audit_logs",
    "job_callbacks",
    "job_previews",
    "job_steps",
    "job_usage",
    "tallies",
    "tally_deltas",
    "tally_slots",
    "work_artifacts",
]


def empty(db: Database) -> None:
    """Delete what a sequence left, the journal included, which only a superuser can."""

    def work(tx: Tx) -> None:
        tx.execute("SET LOCAL session_replication_role = replica")
        for table in TABLES:
            tx.execute(f"DELETE FROM {table}")

    db.write(work)


@pytest.mark.crash
@pytest.mark.slow
@pytest.mark.timeout(120 + 5 * SEQUENCES)
def test_model_and_databases_agree_after_every_rule(
    sqlite_files: SqliteFiles,
    postgres: PostgresServer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    rules = 0

    clock = FakeClock()
    options = StoreOptions(pool_min=1, pool_max=2)
    lasting = ExitStack()
    # Making a database takes a server longer than a sequence does; it is emptied after each.
    shared = Database(lasting.enter_context(postgres.database()), options, clock=clock)
    lasting.callback(shared.close)

    def open_both() -> Opened:
        stack = ExitStack()
        stack.callback(empty, shared)
        folder = Path(tempfile.mkdtemp(dir=tmp_path))
        stack.callback(shutil.rmtree, folder)
        file = stack.enter_context(sqlite_files.database(folder))
        own = Database(file, options, clock=clock)
        stack.callback(own.close)
        return {"sqlite": own, "postgresql": shared}, clock, stack.close

    class Machine(Lives):
        opener = staticmethod(open_both)

        def both(self, expected: Any, act: Any) -> Any:
            nonlocal rules
            rules += 1
            return super().both(expected, act)

    chosen = settings(
        max_examples=SEQUENCES,
        stateful_step_count=STEPS,
        derandomize=not FULL,
        database=None,
        deadline=None,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
    )
    began = time.monotonic()
    with lasting:
        run_state_machine_as_test(seed(SEED)(Machine) if FULL else Machine, settings=chosen)
    seconds = time.monotonic() - began
    tell(
        capsys,
        f"model: {SEQUENCES} sequences of up to {STEPS} steps, {rules} operations on each of two"
        f" databases in {seconds:.0f} s, 0 differences",
    )
    assert rules > SEQUENCES
