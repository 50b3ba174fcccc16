"""Taking decisions back, as long as the job has not gone on upon them."""

from __future__ import annotations

from collections.abc import Sequence

from agent_console.domain.access import Actor
from agent_console.domain.checkpoints import CheckpointStatus, CheckpointVerb
from agent_console.domain.errors import Conflict, NotFound
from agent_console.domain.events import Event
from agent_console.domain.jobs import JobStatus
from agent_console.store.deadlines import lock_jobs
from agent_console.store.dialects import ids_param
from agent_console.store.transactions import Row, Tx

BEFORE = """
SELECT id, status, approved_by, approved_by_name FROM agent_checkpoints WHERE id {among_ids}
"""
# A claim needs ``run_at <= {now}`` and this the contrary: with the job locked, one of them wins.
UNDO = """
UPDATE agent_checkpoints SET status = 'PENDING', approved_by = NULL, approved_by_name = NULL,
  approved_at = NULL, decision_digest = NULL, rejection_reason = NULL, feedback = NULL,
  edited_data = NULL, response = NULL, undo_until = NULL, updated_at = {now}
FROM v WHERE agent_checkpoints.id = v.id AND agent_checkpoints.approved_by = v.by_id
  AND agent_checkpoints.status IN ('APPROVED', 'REJECTED', 'CHANGES_REQUESTED')
  AND agent_checkpoints.undo_until > {now}
  AND EXISTS (SELECT 1 FROM ai_jobs j WHERE j.id = agent_checkpoints.job_id
    AND (j.status = 'PAUSED' OR (j.status = 'QUEUED' AND j.run_at > {now})))
RETURNING agent_checkpoints.id, agent_checkpoints.job_id
"""
WAIT_AGAIN = """
UPDATE ai_jobs SET status = 'WAITING', updated_at = {now}
FROM v WHERE ai_jobs.id = v.id AND ai_jobs.status = 'QUEUED'
RETURNING ai_jobs.id, ai_jobs.job_type
"""


def undo(tx: Tx, checkpoint_ids: Sequence[str], actor: Actor) -> list[str]:
    """Take back what ``actor`` decided; return the ids of the checkpoints that are open again."""
    lock_jobs(tx, checkpoint_ids)
    before = {row[0]: row for row in _before(tx, checkpoint_ids)}
    asked = [(one, actor.id) for one in checkpoint_ids]
    undone = tx.values("id, by_id", UNDO, asked)
    waiting: dict[str, str] = dict(tx.values("id", WAIT_AGAIN, [(row[1],) for row in undone]))
    for checkpoint_id, job_id in undone:
        status = before[checkpoint_id][1]
        tx.record(_undone(checkpoint_id, job_id, waiting.get(job_id), status, actor))
        if job_id in waiting:
            tx.record(_waiting(job_id, waiting[job_id], actor))
    return [checkpoint_id for checkpoint_id, _ in undone]


def refusal(tx: Tx, checkpoint_id: str, actor: Actor) -> Conflict:
    """Return why the decision of the checkpoint was not taken back.

    Raises:
        NotFound: there is no such checkpoint.
    """
    for _, status, by_id, by_name in _before(tx, [checkpoint_id]):
        facts = {"currentStatus": str(status)}
        if status == CheckpointStatus.PENDING:
            return Conflict("Nothing is decided here that could be undone.", **facts)
        if by_id != actor.id:
            who = by_name or "Nobody"
            return Conflict(f"{who} decided this; only who decided can undo it.", **facts)
        return Conflict("It is too late to undo this: the job goes on already.", **facts)
    raise NotFound(f"There is no checkpoint {checkpoint_id}.")


def _before(tx: Tx, checkpoint_ids: Sequence[str]) -> list[Row]:
    return tx.rows(BEFORE, {"ids": ids_param(checkpoint_ids, tx.dialect)})


def _undone(
    checkpoint_id: str, job_id: str, job_type: str | None, status: str, actor: Actor
) -> Event:
    return Event(
        action="checkpoint.undone",
        actor=actor,
        job_id=job_id,
        job_type=job_type,
        checkpoint_id=checkpoint_id,
        before=status,
        after=CheckpointStatus.PENDING,
        verdict=CheckpointVerb.UNDO,
    )


def _waiting(job_id: str, job_type: str, actor: Actor) -> Event:
    return Event(
        action="job.waiting",
        actor=actor,
        job_id=job_id,
        job_type=job_type,
        before=JobStatus.QUEUED,
        after=JobStatus.WAITING,
    )
