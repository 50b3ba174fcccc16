"""Cutting a job's record: calls before a position stay done, those from there on are made anew.

Checkpoints, artifacts and usage from there on stay as history under negative positions, outside
of the handler's numbering, which frees their own for the new try.
"""

from __future__ import annotations

from agent_console.domain.access import Actor
from agent_console.domain.checkpoints import CheckpointStatus
from agent_console.domain.events import Event
from agent_console.domain.forks import Cut, RecordedDecision, RecordedStep
from agent_console.store.transactions import Queries, Tx

_STEPS = "SELECT position, kind, name FROM job_steps WHERE job_id = :id ORDER BY position"

_DECISIONS = """
SELECT id, position, message, status, approved_by_name FROM agent_checkpoints
WHERE job_id = :id AND position >= 0 AND checkpoint_type = 'APPROVAL_REQUIRED' ORDER BY position
"""

_CLOSE = """
UPDATE agent_checkpoints SET status = 'CANCELED', updated_at = {now}
WHERE job_id = :id AND status = 'PENDING' AND position >= :position RETURNING id
"""


def steps_of(queries: Queries, job_id: str) -> list[RecordedStep]:
    """Return the job's recorded calls in order, without results."""
    return [
        RecordedStep(position=row[0], kind=row[1], name=row[2])
        for row in queries.rows(_STEPS, {"id": job_id})
    ]


def decisions_of(queries: Queries, job_id: str, reason: str = "") -> list[RecordedDecision]:
    """Return the job's questions of this try in order, answered or not."""
    return [
        RecordedDecision(
            checkpoint_id=row[0],
            position=row[1],
            message=row[2],
            status=CheckpointStatus(row[3]),
            decided_by_name=row[4],
            reason=reason,
        )
        for row in queries.rows(_DECISIONS, {"id": job_id})
    ]


def preview(queries: Queries, job_id: str, position: int) -> Cut:
    """Return what a cut before ``position`` would drop."""
    steps = steps_of(queries, job_id)
    return Cut(
        position=position,
        kept=min(position, len(steps)),
        steps=[one for one in steps if one.position >= position],
        decisions=[one for one in decisions_of(queries, job_id) if one.position >= position],
    )


def cut(tx: Tx, job_id: str, position: int) -> None:
    """Free ``position`` and all after it for calls that are made anew.

    Nothing of what is cut may be open any more: see ``close_open``.
    """
    params: dict[str, object] = {"id": job_id, "position": position}
    tx.execute("DELETE FROM job_steps WHERE job_id = :id AND position >= :position", params)
    # Their answers belong to calls that are made anew.
    tx.execute("DELETE FROM job_callbacks WHERE job_id = :id AND position >= :position", params)
    for table in ("agent_checkpoints", "work_artifacts", "job_usage"):
        row = tx.row(f"SELECT min(position) FROM {table} WHERE job_id = :id", {"id": job_id})
        lowest = min(0, row[0]) if row is not None and row[0] is not None else 0
        tx.execute(
            f"UPDATE {table} SET position = :lowest - 1 - (position - :position)"
            " WHERE job_id = :id AND position >= :position",
            {**params, "lowest": lowest},
        )
    tx.execute(
        "UPDATE ai_jobs SET forked_position = :position"
        " WHERE id = :id AND forked_position > :position",
        params,
    )


def close_open(tx: Tx, job_id: str, job_type: str, actor: Actor, position: int = 0) -> None:
    """Cancel the open questions of the job from ``position`` on: nobody waits for an answer."""
    closed = tx.rows(_CLOSE, {"id": job_id, "position": position})
    tx.record(*(checkpoint_canceled(str(row[0]), job_id, job_type, actor) for row in closed))


def checkpoint_canceled(checkpoint_id: str, job_id: str, job_type: str, actor: Actor) -> Event:
    """Return the event of a question that went with its job, or with the record it was part of."""
    return Event(
        action="checkpoint.canceled",
        actor=actor,
        job_id=job_id,
        job_type=job_type,
        checkpoint_id=checkpoint_id,
        before=CheckpointStatus.PENDING.value,
        after=CheckpointStatus.CANCELED.value,
    )
