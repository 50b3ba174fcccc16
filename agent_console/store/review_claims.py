"""Claims of checkpoints: one statement takes, renews, takes over; the database's clock ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agent_console.domain.access import Actor
from agent_console.domain.checkpoints import CheckpointStatus, CheckpointType
from agent_console.domain.clock import MICROSECONDS
from agent_console.domain.errors import Conflict, NotFound
from agent_console.domain.events import Event
from agent_console.domain.review_claims import LEASE, ReviewClaim
from agent_console.store import rows
from agent_console.store.dialects import ids_param
from agent_console.store.transactions import Queries, Tx

_TAKE = """
INSERT INTO checkpoint_claims (checkpoint_id, user_id, user_name, claimed_at, until)
SELECT id, :who, :name, {now}, {now} + :lease FROM agent_checkpoints
WHERE id = :id AND status = 'PENDING' AND checkpoint_type = 'APPROVAL_REQUIRED'
ON CONFLICT (checkpoint_id) DO UPDATE SET user_name = excluded.user_name, until = excluded.until,
  claimed_at = CASE WHEN checkpoint_claims.user_id = excluded.user_id
    AND checkpoint_claims.until > {now} THEN checkpoint_claims.claimed_at ELSE {now} END,
  user_id = excluded.user_id
WHERE checkpoint_claims.user_id = excluded.user_id OR checkpoint_claims.until <= {now}
  OR :take_over = 1
RETURNING *
"""
_LIVE = "SELECT * FROM checkpoint_claims WHERE checkpoint_id {among_ids} AND until > {now}"
_RELEASE = """
UPDATE checkpoint_claims SET until = {now}
WHERE checkpoint_id = :id AND user_id = :who AND until > {now}
"""
_OF = """
SELECT c.status, c.checkpoint_type, c.job_id, j.job_type FROM agent_checkpoints c
JOIN ai_jobs j ON j.id = c.job_id WHERE c.id = :id
"""


def live(reader: Queries, checkpoint_ids: Sequence[str]) -> dict[str, ReviewClaim]:
    """Return the claims that hold now, by checkpoint."""
    if not checkpoint_ids:
        return {}
    found = reader.dicts(_LIVE, {"ids": ids_param(checkpoint_ids, reader.dialect)})
    return {row["checkpoint_id"]: rows.review_claim(row) for row in found}


def take(tx: Tx, checkpoint_id: str, who: str, actor: Actor, *, take_over: bool) -> ReviewClaim:
    """Give the checkpoint to ``who`` for a lease from now; a claim of their own is renewed.

    Raises:
        NotFound: there is no such checkpoint.
        Conflict: nobody has to decide it any more, or another has claimed it.
    """
    of = _checkpoint(tx, checkpoint_id)
    before = live(tx, [checkpoint_id]).get(checkpoint_id)
    params: dict[str, object] = {
        "id": checkpoint_id,
        "who": who,
        "name": actor.name or actor.kind,
        "lease": int(LEASE.total_seconds() * MICROSECONDS),
        "take_over": int(take_over),
    }
    taken = tx.dicts(_TAKE, params)
    if not taken:
        raise _refused(of, live(tx, [checkpoint_id]).get(checkpoint_id), who)
    if before is None or before.user_id != who:
        past = {} if before is None else {"from": before.user_name}
        tx.record(_event("checkpoint.claimed", checkpoint_id, of, actor, past))
    tx.touch()
    return rows.review_claim(taken[0])


def release(tx: Tx, checkpoint_id: str, who: str, actor: Actor) -> None:
    """End the claim of ``who``; without one nothing happens.

    Raises:
        NotFound: there is no such checkpoint.
    """
    of = _checkpoint(tx, checkpoint_id)
    if tx.execute(_RELEASE, {"id": checkpoint_id, "who": who}):
        tx.record(_event("checkpoint.released", checkpoint_id, of, actor, {}))


def _checkpoint(tx: Tx, checkpoint_id: str) -> dict[str, Any]:
    found = tx.dicts(_OF, {"id": checkpoint_id})
    if not found:
        raise NotFound(f"There is no checkpoint {checkpoint_id}.")
    return found[0]


def _refused(of: dict[str, Any], claim: ReviewClaim | None, who: str) -> Conflict:
    status = CheckpointStatus(of["status"])
    if CheckpointType(of["checkpoint_type"]) is not CheckpointType.APPROVAL_REQUIRED:
        return Conflict("Nobody has to decide this; it is for your information.")
    if claim is None or status is not CheckpointStatus.PENDING:
        return Conflict(f"The checkpoint is {status}.", currentStatus=status.value)
    return claim.conflict(who)


def _event(
    action: str, checkpoint_id: str, of: dict[str, Any], actor: Actor, data: dict[str, str]
) -> Event:
    return Event(
        action=action,
        actor=actor,
        job_id=of["job_id"],
        job_type=of["job_type"],
        checkpoint_id=checkpoint_id,
        data={**data},
    )
