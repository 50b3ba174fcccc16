"""Deleting costs the same whatever the history: no plan of it reads a table, or sorts one."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import pytest

from agent_console.domain.access import SYSTEM
from agent_console.domain.jobs import JobStatus
from agent_console.domain.retention import Keep
from agent_console.store import job_deletion, retention, seal_pruning, seals
from agent_console.store.database import Database
from agent_console.store.dialects import ids_param
from tests.store.test_conformance_plans import plan

FINISHED_JOBS = 100_000
FILL = f"""
INSERT INTO ai_jobs (id, job_type, status, task_description, input_data, priority, max_attempts,
  attempts, claims, resuming, claim_token, metadata, run_at, created_at, updated_at, completed_at)
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {FINISHED_JOBS})
SELECT 'job_' || i, 'noop', CASE i % 3 WHEN 0 THEN 'COMPLETED' WHEN 1 THEN 'FAILED'
  ELSE 'CANCELED' END, '', '{{}}', 5, 3, 1, 0, 0, 1, '{{}}', i, i, i, i FROM n
"""
SEALS = """
INSERT INTO audit_seals (number, first_seq, last_seq, count, root, prints, newest_at, sealed_at,
  previous, hash, anchor, key_id, mac)
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
SELECT i, i, i, CASE WHEN i < 4000 THEN 0 ELSE 1 END, '', ',', i, i, '', '', 0, '', '' FROM n
"""
ROWS = """
INSERT INTO audit_logs (at, action, actor_kind, actor_name, data)
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
SELECT i, 'test.done', 'system', 'system', '{}' FROM n
"""
FIRES = """
INSERT INTO schedule_fires (schedule_id, slot, manual, outcome, job_id, fired_at)
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
SELECT 'sch_1', i, 0, CASE i % 9 WHEN 0 THEN 'skipped' ELSE 'fired' END,
  CASE i % 9 WHEN 0 THEN NULL ELSE 'job_' || i END, i FROM n
"""


@pytest.fixture
def history(db: Database) -> Database:
    """Return a database with 100,000 finished jobs and 5,000 seals, and statistics about them."""

    def fill(tx: Any) -> None:
        tx.execute(FILL)
        tx.execute(SEALS)
        tx.execute(ROWS)
        tx.execute(FIRES)
        if tx.dialect == "postgresql":
            tx.execute("ANALYZE")

    db.write(fill)
    return db


@pytest.mark.rows_by_hand
def test_sealing_and_deleting_read_as_much_of_the_history_as_they_take(history: Database) -> None:
    for status, sql in job_deletion.LOCKED.items():
        found = plan(history, sql, {"before": 2**62, "limit": 200})
        assert "ix_ai_jobs_finished" in found, f"{status}:\n{found}"
        assert "Seq Scan" not in found, found
        assert "Sort" not in found, found
        assert "TEMP B-TREE" not in found, found
        kept = plan(history, job_deletion._OLDEST_KEPT[status], {"others": 10})
        assert "ix_ai_jobs_finished" in kept, kept
        assert "Sort" not in kept, kept
    ids = {"ids": ids_param([f"job_{n}" for n in range(200)], history.dialect)}
    for name, of in job_deletion.PARTS.items():
        found = plan(history, f"DELETE FROM {name} WHERE {of}", ids)
        assert "Seq Scan on ai_jobs" not in found, f"{name}:\n{found}"
        assert "SCAN ai_jobs" not in found, f"{name}:\n{found}"

    pages = {
        "standing": (seals.STANDING, {}),
        "rows": (seals.ROWS, {"after": 1, "upto": 100, "limit": 10}),
        "next": (seals.NEXT, {"after": 5}),
        "held": (seal_pruning.HELD, {"after": 0, "limit": 200}),
        "due": (seal_pruning.DUE, {"before": 100, "limit": 10_000}),
        "empty up to": (seal_pruning._EMPTY_UP_TO, {}),
        "keys": (job_deletion.OLD_KEYS, {"limit": 100}),
        "fires": (retention.OLD_FIRES, {"before": 100, "limit": 100}),
    }
    for name, (sql, params) in pages.items():
        found = plan(history, sql, params)
        assert "Seq Scan on audit_seals" not in found, f"{name}:\n{found}"
        assert "TEMP B-TREE" not in found, f"{name}:\n{found}"
        assert "Sort" not in found, f"{name}:\n{found}"
    assert "ix_schedule_fires_jobless" in plan(history, *pages["fires"])

    seconds = []
    for _ in range(12):
        began = perf_counter()
        batch = job_deletion.delete_batch(history, {JobStatus.FAILED: Keep(seconds=60)}, SYSTEM)
        seconds.append(perf_counter() - began)
        assert batch is not None
        assert batch.total == job_deletion.JOBS
    print(f"{history.dialect}: {job_deletion.JOBS} jobs of 100,000 in {min(seconds):.3f} s")  # noqa: T201
