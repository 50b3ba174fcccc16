"""Checkpoints that are put up: a policy approves them and the run goes on, or people are asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from agent_console.domain.access import BY_POLICY, POLICY
from agent_console.domain.automatic import Leave, leave
from agent_console.domain.checkpoints import CheckpointStatus, CheckpointVerb, decision_digest
from agent_console.domain.crashpoints import crashpoint
from agent_console.domain.events import Event
from agent_console.domain.jobs import Json
from agent_console.domain.payload import dumps, loads
from agent_console.store import decisions, review_policies, review_sums
from agent_console.store.database import Database
from agent_console.store.engine_values import NewCheckpoint, NewLog, RunKey
from agent_console.store.ids import new_id
from agent_console.store.rows import PAYLOAD_HEAD, action_of
from agent_console.store.runs import hold, insert_checkpoint, insert_logs, insert_step, wait
from agent_console.store.transactions import Tx


class PutUp(NamedTuple):
    """A checkpoint that was put up; not ``approved``: its job waits for somebody."""

    id: str
    approved: bool


def put_up(
    db: Database,
    key: RunKey,
    new: NewCheckpoint,
    strategy: str | None = None,
    logs: Sequence[NewLog] = (),
) -> PutUp:
    """Record a blocking checkpoint, and its approval where it needs nobody, in one transaction.

    The policies are read in it, so what was saved before holds. A run whose checkpoint is approved
    keeps its job and goes on, the checkpoint's id being the recorded result of its call.

    Raises:
        LostClaim: the run no longer owns its job; nothing was written.
    """
    checkpoint_id = new_id("chk")

    def work(tx: Tx) -> PutUp:
        insert_logs(tx, logs)
        given, step = _leave(tx, new, strategy), new.step
        if given.approves:
            hold(tx, key)
        else:
            wait(tx, key, new.job_type, step.code_version)
        insert_checkpoint(tx, key, new, checkpoint_id, CheckpointStatus.PENDING, rule=given)
        approved = given.approves and _approve(tx, key, new, checkpoint_id, given)
        if approved:
            step = replace(step, result=dumps(checkpoint_id))
        elif given.approves:  # its deadline was over at once: it waits, to expire
            wait(tx, key, new.job_type, step.code_version)
        insert_step(tx, key, step)
        crashpoint("policy.before_commit" if approved else "suspend.before_commit")
        return PutUp(checkpoint_id, approved)

    made = db.write(work)
    crashpoint("policy.committed" if made.approved else "suspend.committed")
    return made


def _leave(tx: Tx, new: NewCheckpoint, strategy: str | None) -> Leave:
    book = review_policies.book(tx, [new.job_type])
    policy = book.of(new.job_type, action_of(new.payload[:PAYLOAD_HEAD]))
    given = leave(policy, new.risk, strategy)
    if given.policy is None or given.shadow:
        return given
    # Superseded in between: a person is asked, whatever the newer version says.
    return given if review_policies.hold(tx, given.policy.id or "") else Leave()


def _approve(tx: Tx, key: RunKey, new: NewCheckpoint, checkpoint_id: str, given: Leave) -> bool:
    """Decide by the compare-and-set of every decision; say whether its deadline let it."""
    policy_id = None if given.policy is None else given.policy.id
    digest, approved = decision_digest(new.payload_digest, None), CheckpointStatus.APPROVED
    row = (
        checkpoint_id, approved.value, POLICY, POLICY, digest, None, None, None, None, policy_id, 0,
    )  # fmt: skip
    if not tx.values(decisions.COLUMNS, decisions.DECIDE, [row]):
        return False
    tx.record(_approved(key, new, checkpoint_id, given))
    return True


def _approved(key: RunKey, new: NewCheckpoint, checkpoint_id: str, given: Leave) -> Event:
    payload = loads(new.payload)
    findings: Json = payload.get("findings", []) if isinstance(payload, dict) else []
    by: dict[str, Json] = {"strategy": given.strategy} if given.strategy else {}
    if given.policy is not None:
        limit = given.policy.terms.automatic.up_to
        by = {**review_policies.policy_facts(given.policy), "automaticUpTo": limit}
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
            **by,
            "findings": findings,
            review_sums.RISK: new.risk,
        },
    )
