"""Checkpoints that a policy approves: the run goes on, and the journal says by whose leave."""

from __future__ import annotations

from dataclasses import replace

from agent_console.domain.access import BY_POLICY, POLICY
from agent_console.domain.checkpoints import CheckpointStatus, CheckpointVerb, decision_digest
from agent_console.domain.crashpoints import crashpoint
from agent_console.domain.events import Event
from agent_console.domain.jobs import Json
from agent_console.domain.payload import dumps, loads
from agent_console.store import review_sums
from agent_console.store.database import Database
from agent_console.store.engine_values import NewCheckpoint, RunKey
from agent_console.store.ids import new_id
from agent_console.store.runs import hold, insert_checkpoint, insert_step
from agent_console.store.transactions import Tx

APPROVE = """
UPDATE agent_checkpoints SET status = 'APPROVED', approved_by = :by, approved_by_name = :by_name,
  approved_at = {now}, decision_digest = :decision_digest, updated_at = {now}
WHERE id = :id AND status = 'PENDING'
"""


def approve_by_policy(db: Database, key: RunKey, new: NewCheckpoint, strategy: str) -> str:
    """Record a blocking checkpoint and its approval by a policy, in one transaction.

    The run keeps its job and goes on. Whether the policy may do this is the caller's to say.
    Returns the checkpoint's id, which is the call's recorded result as well.

    Raises:
        LostClaim: the run no longer owns its job; nothing was written.
    """
    checkpoint_id = new_id("chk")

    def work(tx: Tx) -> None:
        hold(tx, key)
        insert_step(tx, key, replace(new.step, result=dumps(checkpoint_id)))
        insert_checkpoint(tx, key, new, checkpoint_id, CheckpointStatus.PENDING)
        tx.execute(
            APPROVE,
            {
                "id": checkpoint_id,
                "by": POLICY,
                "by_name": POLICY,
                "decision_digest": decision_digest(new.payload_digest, None),
            },
        )
        tx.record(_approved(key, new, checkpoint_id, strategy))
        crashpoint("policy.before_commit")

    db.write(work)
    crashpoint("policy.committed")
    return checkpoint_id


def _approved(key: RunKey, new: NewCheckpoint, checkpoint_id: str, strategy: str) -> Event:
    payload = loads(new.payload)
    findings: Json = payload.get("findings", []) if isinstance(payload, dict) else []
    # No ``seconds``: nobody waited, and waits for people should not look shorter than they are.
    return Event(
        action="checkpoint.approved",
        actor=BY_POLICY,
        job_id=key.job_id,
        job_type=new.job_type,
        checkpoint_id=checkpoint_id,
        before=CheckpointStatus.PENDING,
        after=CheckpointStatus.APPROVED,
        verdict=CheckpointVerb.APPROVE.value,
        data={
            "payloadDigest": new.payload_digest,
            "strategy": strategy,
            "findings": findings,
            review_sums.RISK: new.risk,
        },
    )
