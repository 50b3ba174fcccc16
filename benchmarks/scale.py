"""What pages, claims and decisions cost in a long history: ``python -m benchmarks.scale URL N``.

Fills the database with N finished jobs and a twentieth as many pending checkpoints, in a few
statements of the server's own, and prints the p95 of milliseconds of every read behind a page.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg2

from agent_console.bootstrap import Console, build
from agent_console.domain.checkpoints import CheckpointVerb, Verdict
from agent_console.domain.queries import CheckpointQuery, JobQuery
from agent_console.store import tally_mends
from agent_console.store.claims import claim
from benchmarks.product import approvals, bulk, settings
from tests.support.factories import RAY, employ

TRIES = 40
JOBS = """
INSERT INTO ai_jobs (id, job_type, status, task_description, input_data, output_data, priority,
  attempts, max_attempts, claims, resuming, claim_token, metadata, user_id, run_at, created_at,
  updated_at, started_at, completed_at)
SELECT 'job_' || {pad}, 'type-' || (n % 10), CASE WHEN n > {done} THEN 'WAITING'
    WHEN n % 50 = 0 THEN 'FAILED' ELSE 'COMPLETED' END,
  'Task ' || n, '{{}}', 'null', n % 10, 1, 3, 0, CASE WHEN n > {done} THEN 1 ELSE 0 END, 1, '{{}}',
  'usr_' || (n % 100), 1000000 + n, 1000000 + n, 1000000 + n, 1000000 + n,
  CASE WHEN n > {done} THEN NULL ELSE 1000000 + n END
FROM {numbers}
"""
CHECKPOINTS = """
INSERT INTO agent_checkpoints (id, job_id, position, checkpoint_type, status, message, payload,
  payload_digest, metadata, round, expires_at, created_at, updated_at)
SELECT 'chk_' || {pad}, 'job_' || {pad}, 0, 'APPROVAL_REQUIRED', 'PENDING', 'Go on?',
  '{{"action":"bench"}}', '', '{{}}', 1, 4000000000000000 + n, n, n
FROM {numbers} {where} n > {done}
"""


def fill(console: Console, total: int) -> float:
    """Return the seconds it took."""
    waiting = total // 20
    names = {"done": total - waiting}
    if console.db.dialect == "postgresql":
        names |= {"pad": "lpad(to_hex(n), 32, '0')", "where": "WHERE"}
        numbers = f"generate_series(1, {total}) AS s(n)"
    else:
        names |= {"pad": "printf('%032x', n)", "where": "WHERE"}
        numbers = (
            "(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n <"
            f" {total}) SELECT n FROM s)"
        )
    began = time.monotonic()
    statements = [sql.format(**names, numbers=numbers) for sql in (JOBS, CHECKPOINTS)]
    if console.db.dialect == "postgresql":
        at_leisure(console.settings.database, [*statements, "VACUUM (ANALYZE)"])
    else:
        for text in statements:
            console.db.write(lambda tx, text=text: tx.execute(text))
    tally_mends.mend(console.db)  # what is written past the journal is in no sum
    return time.monotonic() - began


def at_leisure(url: str, statements: list[str]) -> None:
    """Run what takes longer than the console lets a statement take.

    The last does at once what autovacuum does within minutes of such an insert.
    """
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        for text in statements:
            connection.cursor().execute(text)


def reads(console: Console) -> dict[str, Callable[[], object]]:
    """Return what pages ask, by a name."""
    services = console.services
    jobs, review = services.jobs, services.review
    middle = jobs.page(RAY, JobQuery(limit=50)).next_cursor
    return {
        "jobs, first page": lambda: jobs.page(RAY, JobQuery(limit=50)),
        "jobs, a later page": lambda: jobs.page(RAY, JobQuery(limit=50, cursor=middle)),
        "jobs, failed": lambda: jobs.page(RAY, JobQuery(limit=50, status="FAILED")),
        "jobs, of a type": lambda: jobs.page(RAY, JobQuery(limit=50, job_type="type-3")),
        "jobs, counts": lambda: jobs.counts(RAY),
        "one job": lambda: jobs.get(RAY, "job_" + f"{7:032x}"),
        "desk, first page": lambda: review.page(RAY, CheckpointQuery(limit=50)),
        "desk, decided": lambda: review.page(RAY, CheckpointQuery(limit=50, status="APPROVED")),
        "desk, count": lambda: review.pending_count(RAY),
        "overview": lambda: services.figures.overview(RAY),
    }


def measure(console: Console, total: int) -> dict[str, float]:
    employ(console.db, RAY)
    figures = {"filled, s": fill(console, total)}
    for name, read in reads(console).items():
        read()
        figures[f"{name}, p95 ms"] = p95([timed(read) for _ in range(TRIES)])
    bulk(console, 500)
    figures["claim of 10, p50 ms"] = statistics.median(
        timed(lambda: claim(console.db, "wrk_bench", 10)) for _ in range(TRIES)
    )
    ids = iter([item.id for item in approvals(console, TRIES)])
    approve = Verdict(verb=CheckpointVerb.APPROVE)
    figures["decision, p50 ms"] = statistics.median(
        timed(lambda: console.services.review.decide(RAY, next(ids), approve)) for _ in range(TRIES)
    )
    return figures


def timed(call: Callable[[], object]) -> float:
    began = time.monotonic()
    call()
    return (time.monotonic() - began) * 1000


def p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[18]


def main() -> None:
    url, total = sys.argv[1], int(sys.argv[2])
    with tempfile.TemporaryDirectory(prefix="agent-console-bench-") as folder:
        console = build(settings(url, Path(folder)))
        console.open()
        print(json.dumps(measure(console, total)), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
