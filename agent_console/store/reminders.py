"""Reminders of checkpoints whose deadline comes near: journal entries, for others to pass on."""

from __future__ import annotations

from collections.abc import Iterator

from agent_console.domain.clock import MICROSECONDS, from_micros
from agent_console.domain.events import Event
from agent_console.domain.jobs import Json
from agent_console.domain.review_policies import (
    PolicyBook,
    ReviewPolicy,
    deciders,
    due_reminder,
)
from agent_console.store import review_policies
from agent_console.store.database import Database
from agent_console.store.deadlines import lock_jobs
from agent_console.store.review_policies import policy_facts
from agent_console.store.rows import PAYLOAD_HEAD, action_of
from agent_console.store.transactions import Queries, Row, Tx

PAGE = 500

NEAR = f"""
SELECT c.id, j.job_type, substr(c.payload, 1, {PAYLOAD_HEAD}), c.expires_at, c.expires_at - {{now}},
  c.reminded, c.escalated_at
FROM agent_checkpoints c {{deadline_index}} JOIN ai_jobs j ON j.id = c.job_id
WHERE c.status = 'PENDING' AND c.expires_at > {{now}} AND c.expires_at <= {{now}} + :horizon
  AND (c.reminded IS NULL OR c.reminded > :least)
  AND (c.expires_at > :after OR (c.expires_at = :after AND c.id > :after_id))
ORDER BY c.expires_at, c.id LIMIT :limit
"""
REMIND = """
UPDATE agent_checkpoints SET reminded = v.seconds
FROM v WHERE agent_checkpoints.id = v.id AND agent_checkpoints.status{by_id} = 'PENDING'
  AND agent_checkpoints.expires_at > {now}
  AND (agent_checkpoints.reminded IS NULL OR agent_checkpoints.reminded > v.seconds)
RETURNING agent_checkpoints.id, agent_checkpoints.job_id, agent_checkpoints.expires_at
"""


def remind_due(db: Database) -> int:
    """Journal what is due of the reminders that policies want; return how many.

    Of several that are due of one checkpoint only the latest. Each is given once, whatever number
    of processes look.
    """
    with db.read() as reader:
        policies = review_policies.current(reader)
        found = (
            list(_due(reader, policies)) if any(p.terms.remind_seconds for p in policies) else []
        )
    total = 0
    for start in range(0, len(found), PAGE):
        part = found[start : start + PAGE]
        total += db.write(lambda tx, part=part: _remind(tx, part))  # type: ignore[misc]
    return total


_Due = tuple[str, str, ReviewPolicy, int, bool]  # id, job type, policy, seconds, escalated


def _due(reader: Queries, policies: list[ReviewPolicy]) -> Iterator[_Due]:
    book = PolicyBook(policies)
    wanted = [one for policy in policies for one in policy.terms.remind_seconds]
    after, after_id = 0, ""
    while True:
        rows: list[Row] = reader.rows(
            NEAR,
            {
                "horizon": max(wanted) * MICROSECONDS,
                "least": min(wanted),
                "after": after,
                "after_id": after_id,
                "limit": PAGE,
            },
        )
        for checkpoint_id, job_type, head, _, left, reminded, escalated_at in rows:
            policy = book.of(job_type, action_of(head))
            seconds = due_reminder(policy.terms, left / MICROSECONDS, reminded)
            if seconds is not None:
                yield checkpoint_id, job_type, policy, seconds, escalated_at is not None
        if len(rows) < PAGE:
            return
        after_id, after = rows[-1][0], rows[-1][3]


def _remind(tx: Tx, due: list[_Due]) -> int:
    lock_jobs(tx, [one[0] for one in due])
    by_id = {one[0]: one for one in due}
    rows = tx.values("id, seconds", REMIND, [(one[0], one[3]) for one in due])
    for checkpoint_id, job_id, expires_at in rows:
        _, job_type, policy, seconds, escalated = by_id[checkpoint_id]
        asked = deciders(policy.terms, escalated=escalated)
        roles: list[Json] = [role.value for role in asked.roles]
        people: list[Json] = [*asked.ids]
        tx.record(
            Event(
                action="checkpoint.reminded",
                job_id=job_id,
                job_type=job_type,
                checkpoint_id=checkpoint_id,
                data={
                    **policy_facts(policy),
                    "secondsBefore": seconds,
                    "expiresAt": from_micros(expires_at).isoformat(),
                    "roles": roles,
                    "people": people,
                },
            )
        )
    return len(rows)
