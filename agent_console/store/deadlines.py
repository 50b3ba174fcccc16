"""Checkpoints whose time is up."""

from __future__ import annotations

from agent_console.domain.access import SYSTEM, Actor
from agent_console.domain.checkpoints import CheckpointStatus
from agent_console.domain.clock import MICROSECONDS
from agent_console.domain.crashpoints import crashpoint
from agent_console.domain.events import Event
from agent_console.domain.jobs import JobStatus
from agent_console.store.database import Database
from agent_console.store.transactions import Tx

OVERDUE = """
SELECT id FROM agent_checkpoints {deadline_index}
WHERE status = 'PENDING' AND expires_at <= {now}
ORDER BY expires_at, id LIMIT :limit
"""

# Job first, then checkpoint, as decisions lock them: the two wait for each other, no deadlock.
LOCK_JOB = """
SELECT id FROM ai_jobs WHERE id = (SELECT job_id FROM agent_checkpoints WHERE id = :id)
{for_update}
"""

# The same compare-and-set as a decision's: whoever is first wins, at equality it is expired.
EXPIRE = """
UPDATE agent_checkpoints SET status = 'EXPIRED', updated_at = {now}
WHERE id = :id AND status = 'PENDING' AND expires_at <= {now}
RETURNING job_id, created_at, updated_at
"""

WAKE = """
UPDATE ai_jobs SET status = 'QUEUED', resuming = 1, run_at = {now}, updated_at = {now}
WHERE id = :id AND status = 'WAITING' RETURNING job_type
"""


def expire_due(db: Database, limit: int = 200) -> int:
    """Expire overdue checkpoints and wake their jobs, which then fail unless they catch it.

    Returns the number expired; call again when it equals ``limit``.
    """
    with db.read() as reader:
        due = [row[0] for row in reader.rows(OVERDUE, {"limit": limit})]
    return db.write(lambda tx: sum(expire(tx, each) for each in due)) if due else 0


def expire(tx: Tx, checkpoint_id: str) -> bool:
    """Expire one checkpoint if it is overdue and open, within ``tx``; say whether it was."""
    tx.row(LOCK_JOB, {"id": checkpoint_id})
    row = tx.row(EXPIRE, {"id": checkpoint_id})
    if row is None:
        return False
    job_id, created_at, updated_at = row
    job_type = wake(tx, job_id)
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
        )
    )
    crashpoint("expire.before_commit")
    return True


def wake(tx: Tx, job_id: str, actor: Actor = SYSTEM) -> str | None:
    """Let a waiting job back into the queue, uncharged; return its type, or None if not waiting."""
    row = tx.row(WAKE, {"id": job_id})
    if row is None:
        return None
    tx.record(
        Event(
            action="job.woken",
            actor=actor,
            job_id=job_id,
            job_type=row[0],
            before=JobStatus.WAITING,
            after=JobStatus.QUEUED,
        )
    )
    return str(row[0])
