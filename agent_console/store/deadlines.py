"""Checkpoints whose time is up."""

from __future__ import annotations

from collections.abc import Sequence

from agent_console.domain.access import SYSTEM, Actor
from agent_console.domain.checkpoints import CheckpointStatus
from agent_console.domain.clock import MICROSECONDS
from agent_console.domain.crashpoints import crashpoint
from agent_console.domain.events import Event
from agent_console.domain.jobs import JobStatus
from agent_console.store import review_sums
from agent_console.store.database import Database
from agent_console.store.dialects import ids_param
from agent_console.store.transactions import Tx

OVERDUE = """
SELECT id FROM agent_checkpoints {deadline_index}
WHERE status = 'PENDING' AND expires_at <= {now}
ORDER BY expires_at, id LIMIT :limit
"""

# Job first, then checkpoint, as decisions lock them: the two wait for each other, no deadlock. And
# in one order everywhere: two that want the same jobs never wait for each other either.
LOCK_JOBS = """
SELECT id FROM ai_jobs WHERE id IN (SELECT job_id FROM agent_checkpoints WHERE id {among_ids})
ORDER BY id {for_update}
"""

# The same compare-and-set as a decision's: whoever is first wins, at equality it is expired.
EXPIRE = """
UPDATE agent_checkpoints SET status = 'EXPIRED', updated_at = {now}
FROM v WHERE agent_checkpoints.id = v.id AND agent_checkpoints.status = 'PENDING'
  AND agent_checkpoints.expires_at <= {now}
RETURNING agent_checkpoints.id, agent_checkpoints.job_id, agent_checkpoints.created_at,
  agent_checkpoints.updated_at, agent_checkpoints.risk, (SELECT job_type FROM ai_jobs j
  WHERE j.id = agent_checkpoints.job_id)
"""

WAKE = """
UPDATE ai_jobs SET status = 'QUEUED', resuming = 1, run_at = {now} + v.hold, updated_at = {now}
FROM v WHERE ai_jobs.id = v.id AND ai_jobs.status = 'WAITING'
RETURNING ai_jobs.id, ai_jobs.job_type
"""


def expire_due(db: Database, limit: int = 200) -> int:
    """Expire overdue checkpoints and wake their jobs, which then fail unless they catch it.

    Returns the number expired; call again when it equals ``limit``.
    """
    with db.read() as reader:
        due = [row[0] for row in reader.rows(OVERDUE, {"limit": limit})]
    return len(db.write(lambda tx: expire(tx, due))) if due else 0


def lock_jobs(tx: Tx, checkpoint_ids: Sequence[str]) -> None:
    """Lock the jobs of the checkpoints, before anything is done to either."""
    tx.rows(LOCK_JOBS, {"ids": ids_param(checkpoint_ids, tx.dialect)})


def expire(tx: Tx, checkpoint_ids: Sequence[str]) -> set[str]:
    """Expire those checkpoints that are overdue and open, within ``tx``; return their ids."""
    lock_jobs(tx, checkpoint_ids)
    rows = tx.values("id", EXPIRE, [(one,) for one in checkpoint_ids])
    woken = wake(tx, [row[1] for row in rows])
    for checkpoint_id, job_id, created_at, updated_at, risk, job_type in rows:
        job = woken.get(job_id)
        if job is not None:
            tx.record(job)
        tx.record(
            Event(
                action="checkpoint.expired",
                actor=SYSTEM,
                job_id=job_id,
                job_type=job_type,
                checkpoint_id=checkpoint_id,
                before=CheckpointStatus.PENDING,
                after=CheckpointStatus.EXPIRED,
                verdict="expired",
                seconds=(updated_at - created_at) / MICROSECONDS,
                data={review_sums.RISK: risk},
            )
        )
    if rows:
        crashpoint("expire.before_commit")
    return {row[0] for row in rows}


def wake(
    tx: Tx, job_ids: Sequence[str], actor: Actor = SYSTEM, *, hold: int = 0
) -> dict[str, Event]:
    """Let waiting jobs back into the queue, uncharged; return what to record, by job.

    They are not claimed before ``hold`` microseconds have passed.

    Jobs that do not wait are missing from the answer.
    """
    return {
        job_id: Event(
            action="job.woken",
            actor=actor,
            job_id=job_id,
            job_type=job_type,
            before=JobStatus.WAITING,
            after=JobStatus.QUEUED,
        )
        for job_id, job_type in tx.values("id, hold", WAKE, [(one, hold) for one in job_ids])
    }
