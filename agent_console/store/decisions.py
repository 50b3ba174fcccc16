"""The one transaction in which a checkpoint is decided.

Locks are taken job first, then checkpoint, as everywhere: a decision and a cancellation that meet
wait for each other instead of deadlocking, and the loser sees what the winner committed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agent_console.domain.access import Actor
from agent_console.domain.checkpoints import (
    Checkpoint,
    CheckpointStatus,
    CheckpointVerb,
    Verdict,
    decision_digest,
)
from agent_console.domain.checkpoints import after as checkpoint_after
from agent_console.domain.clock import MICROSECONDS
from agent_console.domain.crashpoints import crashpoint
from agent_console.domain.errors import Conflict, NotFound
from agent_console.domain.events import Event
from agent_console.domain.jobs import JobStatus, Json
from agent_console.domain.payload import digest, dumps
from agent_console.store import idempotency, rows
from agent_console.store.deadlines import expire, wake
from agent_console.store.job_writes import RequestKey
from agent_console.store.transactions import Params, Tx

_WHOLE = """
SELECT c.*, j.job_type, j.status AS job_status, j.user_id AS requested_by,
       j.user_name AS requested_by_name
FROM agent_checkpoints c JOIN ai_jobs j ON j.id = c.job_id WHERE c.id = :id
"""
# The deadline is part of the compare-and-set: at its very instant the checkpoint is expired.
_DECIDE = """
UPDATE agent_checkpoints SET status = :after, approved_by = :by, approved_by_name = :by_name,
       approved_at = {now}, decision_digest = :decision_digest, rejection_reason = :reason,
       feedback = :feedback, edited_data = :edited, response = :response, updated_at = {now}
WHERE id = :id AND status = 'PENDING' AND (expires_at IS NULL OR expires_at > {now})
RETURNING approved_at, created_at
"""
_MAY_BE_DECIDED = frozenset({JobStatus.WAITING, JobStatus.PAUSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The checkpoint under decision, with its editing schema."""

    checkpoint: Checkpoint
    edit_schema: dict[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of the decision; ``too_late`` is to be raised once the transaction is through.

    Raising it inside would undo the expiry it tells of. ``replayed``: the request was a repetition.
    """

    checkpoint: Checkpoint
    replayed: bool = False
    too_late: Conflict | None = None


# Checks a verdict against policy and payload; returns facts for the journal, or raises.
Check = Callable[[Tx, Found], dict[str, Json]]


def decide(
    tx: Tx,
    checkpoint_id: str,
    verdict: Verdict,
    *,
    actor: Actor,
    key: RequestKey | None,
    check: Check,
) -> Outcome:
    """Record ``verdict`` and let the job go on, or say who was faster.

    Raises:
        NotFound: there is no such checkpoint.
        Conflict: it is decided (names winner, verdict and time), its job cannot go on, or the
            idempotency key was used otherwise.
    """
    _lock_job(tx, checkpoint_id)
    found = _find(tx, checkpoint_id)
    if key is not None and _is_repetition(tx, key):
        return Outcome(checkpoint=found.checkpoint, replayed=True)
    _refuse_if_over(found.checkpoint, verdict.verb)
    facts = check(tx, found)
    decided = tx.row(_DECIDE, _params(found.checkpoint, verdict, actor))
    if decided is None:
        return _too_late(tx, found.checkpoint, verdict.verb)
    if key is not None:
        idempotency.claim(
            tx, scope=key.scope, key=key.key, digest=key.digest, subject_id=checkpoint_id
        )
    waited = (decided[0] - decided[1]) / MICROSECONDS
    _record(tx, found.checkpoint, verdict, actor, waited=waited, facts=facts)
    wake(tx, found.checkpoint.job_id, actor)
    crashpoint("decide.before_commit")
    return Outcome(checkpoint=_find(tx, checkpoint_id).checkpoint)


def _lock_job(tx: Tx, checkpoint_id: str) -> None:
    locked = tx.row(
        "SELECT id FROM ai_jobs WHERE id ="
        " (SELECT job_id FROM agent_checkpoints WHERE id = :id) {for_update}",
        {"id": checkpoint_id},
    )
    if locked is None:
        raise NotFound(f"There is no checkpoint {checkpoint_id}.")


def _find(tx: Tx, checkpoint_id: str) -> Found:
    row = tx.dicts(_WHOLE, {"id": checkpoint_id})[0]
    return Found(
        checkpoint=rows.checkpoint(row),
        edit_schema=None if row["edit_schema"] is None else rows.json_object(row["edit_schema"]),
    )


def _is_repetition(tx: Tx, key: RequestKey) -> bool:
    return idempotency.find(tx, scope=key.scope, key=key.key, digest=key.digest) is not None


def _refuse_if_over(checkpoint: Checkpoint, verb: CheckpointVerb) -> None:
    """Raise what the loser of a race, or a late comer, is told."""
    if checkpoint.status is not CheckpointStatus.PENDING:
        raise _lost(checkpoint, verb)
    if checkpoint.job_status not in _MAY_BE_DECIDED:
        raise Conflict(
            f"The job is {checkpoint.job_status}; its checkpoint cannot be decided.",
            currentStatus=checkpoint.status.value,
            jobStatus=checkpoint.job_status.value,
        )


def _lost(checkpoint: Checkpoint, verb: CheckpointVerb) -> Conflict:
    if checkpoint.decided_at is None:
        return Conflict(
            f"The checkpoint is {checkpoint.status}; it can no longer be decided ({verb}).",
            currentStatus=checkpoint.status.value,
        )
    who = checkpoint.decided_by_name or checkpoint.decided_by or "somebody else"
    at = _zulu(checkpoint.decided_at)
    return Conflict(
        f"{who} was faster: the checkpoint is {checkpoint.status} since {at}.",
        currentStatus=checkpoint.status.value,
        decidedBy=who,
        decidedAt=at,
    )


def _params(checkpoint: Checkpoint, verdict: Verdict, actor: Actor) -> Params:
    edited = None if verdict.edited_data is None else dumps(verdict.edited_data)
    response = None if verdict.response is None else dumps(verdict.response)
    return {
        "id": checkpoint.id,
        "after": checkpoint_after(checkpoint.status, verdict.verb).value,
        "by": actor.id,
        "by_name": actor.name or actor.kind,
        "reason": verdict.reason if verdict.verb is CheckpointVerb.REJECT else None,
        "feedback": verdict.feedback,
        "edited": edited,
        "response": response,
        "decision_digest": decision_digest(checkpoint.payload_digest, edited),
    }


def _record(
    tx: Tx,
    checkpoint: Checkpoint,
    verdict: Verdict,
    actor: Actor,
    *,
    waited: float,
    facts: dict[str, Json],
) -> None:
    status = checkpoint_after(checkpoint.status, verdict.verb)
    said: dict[str, Json] = {"reason": verdict.reason, "feedback": verdict.feedback}
    data: dict[str, Json] = {
        "payloadDigest": checkpoint.payload_digest,
        "waitedSeconds": waited,
        **facts,
        **{name: text for name, text in said.items() if text},
    }
    if verdict.edited_data is not None:
        data["editedDigest"] = digest(dumps(verdict.edited_data))
    tx.record(
        Event(
            action=f"checkpoint.{status.value.lower()}",
            actor=actor,
            job_id=checkpoint.job_id,
            job_type=checkpoint.job_type,
            checkpoint_id=checkpoint.id,
            before=checkpoint.status.value,
            after=status.value,
            verdict=verdict.verb.value,
            seconds=waited,
            data=data,
        )
    )


def _too_late(tx: Tx, checkpoint: Checkpoint, verb: CheckpointVerb) -> Outcome:
    """Expire the checkpoint, which wakes its job to hear of it, and refuse the verdict."""
    expired = expire(tx, checkpoint.id)
    current = _find(tx, checkpoint.id).checkpoint
    if not expired or current.expires_at is None:
        return Outcome(checkpoint=current, too_late=_lost(current, verb))
    at = _zulu(current.expires_at)
    too_late = Conflict(
        f"The checkpoint expired at {at}; nothing was decided.",
        currentStatus=current.status.value,
        expiredAt=at,
    )
    return Outcome(checkpoint=current, too_late=too_late)


def _zulu(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
