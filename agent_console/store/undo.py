"""Taking decisions back, as long as the job has not gone on upon them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from agent_console.domain.access import Actor
from agent_console.domain.checkpoints import CheckpointStatus, CheckpointVerb
from agent_console.domain.errors import Conflict, NotFound
from agent_console.domain.events import Event
from agent_console.domain.jobs import JobStatus
from agent_console.store import votes
from agent_console.store.deadlines import lock_jobs
from agent_console.store.dialects import ids_param
from agent_console.store.transactions import Row, Tx

BEFORE = """
SELECT id, status, approved_by, approved_by_name FROM agent_checkpoints WHERE id {among_ids}
"""
JOBS = """
SELECT c.id, c.job_id, j.job_type FROM agent_checkpoints c JOIN ai_jobs j ON j.id = c.job_id
WHERE c.id {among_ids}
"""
# A claim needs ``run_at <= {now}`` and this the contrary: with the job locked, one of them wins.
UNDO = """
UPDATE agent_checkpoints SET status = 'PENDING', approved_by = NULL, approved_by_name = NULL,
  approved_at = NULL, decision_digest = NULL, rejection_reason = NULL, feedback = NULL,
  edited_data = NULL, response = NULL, undo_until = NULL, policy_id = NULL,
  updated_at = {now}
FROM v WHERE agent_checkpoints.id = v.id AND agent_checkpoints.approved_by = v.by_id
  AND agent_checkpoints.status{by_id} IN ('APPROVED', 'REJECTED', 'CHANGES_REQUESTED')
  AND agent_checkpoints.undo_until > {now}
  AND EXISTS (SELECT 1 FROM ai_jobs j WHERE j.id = agent_checkpoints.job_id
    AND (j.status{by_id} = 'PAUSED' OR (j.status{by_id} = 'QUEUED' AND j.run_at > {now})))
RETURNING agent_checkpoints.id, agent_checkpoints.job_id
"""
WAIT_AGAIN = """
UPDATE ai_jobs SET status = 'WAITING', updated_at = {now}
FROM v WHERE ai_jobs.id = v.id AND ai_jobs.status{by_id} = 'QUEUED'
RETURNING ai_jobs.id, ai_jobs.job_type
"""


def undo(tx: Tx, checkpoint_ids: Sequence[str], actor: Actor) -> list[str]:
    """Take back what ``actor`` decided; return the ids of the checkpoints that are open again.

    Of one that others have to agree on still, it is their vote that is taken back.
    """
    lock_jobs(tx, checkpoint_ids)
    withdrawn = votes.withdraw(tx, checkpoint_ids, actor.who)
    before = {row[0]: row for row in _before(tx, checkpoint_ids)}
    asked = [(one, actor.id) for one in checkpoint_ids]
    undone = tx.values("id, by_id", UNDO, asked)
    waiting: dict[str, str] = dict(tx.values("id", WAIT_AGAIN, [(row[1],) for row in undone]))
    for checkpoint_id, job_id in undone:
        status = before[checkpoint_id][1]
        tx.record(_undone(checkpoint_id, job_id, waiting.get(job_id), status, actor))
        if job_id in waiting:
            tx.record(_waiting(job_id, waiting[job_id], actor))
    for checkpoint_id, job_id, job_type in _jobs(tx, withdrawn):
        tx.record(_withdrawn(checkpoint_id, job_id, job_type, withdrawn[checkpoint_id], actor))
    return [*(checkpoint_id for checkpoint_id, _ in undone), *withdrawn]


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


def _jobs(tx: Tx, checkpoint_ids: Collection[str]) -> list[Row]:
    if not checkpoint_ids:
        return []
    return tx.rows(JOBS, {"ids": ids_param(list(checkpoint_ids), tx.dialect)})


def _withdrawn(checkpoint_id: str, job_id: str, job_type: str, verb: str, actor: Actor) -> Event:
    return Event(
        action="checkpoint.vote_withdrawn",
        actor=actor,
        job_id=job_id,
        job_type=job_type,
        checkpoint_id=checkpoint_id,
        before=CheckpointStatus.PENDING,
        verdict=verb,
    )


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
