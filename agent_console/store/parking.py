"""Parked for want of a handler: jobs that go back to the queue once somebody knows their type."""

from __future__ import annotations

import json
from collections.abc import Collection

from agent_console.domain.access import SYSTEM
from agent_console.domain.events import Event
from agent_console.domain.jobs import JobStatus
from agent_console.store.database import Database
from agent_console.store.transactions import Queries, Tx

BATCH = 500
AGAIN = "A worker that knows the job type is there."

# The same minute as in ``liveness.ELSEWHERE``: whom a claimer leaves the job to, it is for.
KNOWN = """
SELECT DISTINCT job_types FROM agent_workers
WHERE status <> 'DEAD' AND heartbeat_at > {now} - 60000000
"""

# The status as a literal and the type as no bare column, so that the index of statuses serves.
TYPES = """
SELECT DISTINCT job_type || '' FROM ai_jobs WHERE status = 'PARKED' AND park_code = 'no_handler'
"""

# A row if any is parked so, whether anybody knows its type or not.
SIGN = "SELECT 1 FROM ai_jobs WHERE status = 'PARKED' AND park_code = 'no_handler'"

REQUEUE = """
UPDATE ai_jobs SET status = 'QUEUED', claims = 0, resuming = 1, park_reason = NULL,
  park_code = NULL, park_detail = NULL, claim_token = claim_token + 1, updated_at = {now}
WHERE status = 'PARKED' AND park_code = 'no_handler' AND id IN (
  SELECT id FROM ai_jobs WHERE status = 'PARKED' AND park_code = 'no_handler'
  AND {indexable}job_type IN (%s) ORDER BY id DESC LIMIT :batch)
RETURNING id, job_type
"""


def requeue_known(tx: Tx, job_types: Collection[str]) -> int:
    """Let jobs of these types, parked as unknown, go on; return how many, ``BATCH`` at most."""
    if not job_types:
        return 0
    names = {f"type{n}": name for n, name in enumerate(sorted(job_types))}
    sql = REQUEUE % ", ".join(f":{name}" for name in names)
    freed = tx.rows(sql, {**names, "batch": BATCH})
    tx.record(
        *(
            Event(
                action="job.resumed",
                actor=SYSTEM,
                job_id=job_id,
                job_type=job_type,
                before=JobStatus.PARKED.value,
                after=JobStatus.QUEUED.value,
                data={"reason": AGAIN},
            )
            for job_id, job_type in freed
        )
    )
    return len(freed)


def sweep(db: Database) -> int:
    """Let jobs parked as unknown go on whose type a living worker knows; return how many.

    Reads first, so that a sweep with nothing to do writes nothing.
    """
    with db.read() as reader:
        wanted = _known(reader)
    return db.write(lambda tx: requeue_known(tx, wanted)) if wanted else 0


def _known(queries: Queries) -> set[str]:
    parked = {row[0] for row in queries.rows(TYPES)}
    if not parked:
        return parked
    known = {name for (text,) in queries.rows(KNOWN) for name in json.loads(text)}
    return parked & known
