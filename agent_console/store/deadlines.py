"""Checkpoints whose time is up: what their policies make of it, in the one compare-and-set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent_console.domain.access import BY_POLICY, POLICY, SYSTEM, Actor
from agent_console.domain.checkpoints import CheckpointStatus, CheckpointVerb, decision_digest
from agent_console.domain.clock import MICROSECONDS, from_micros
from agent_console.domain.crashpoints import crashpoint
from agent_console.domain.events import Event
from agent_console.domain.jobs import JobStatus, Json
from agent_console.domain.payload import loads
from agent_console.domain.questions import told
from agent_console.domain.review_policies import (
    ENDS,
    MOVES,
    AtDeadline,
    ReviewPolicy,
    deciders,
    fate,
)
from agent_console.domain.review_policies import OVERDUE as OVERDUE_REASON
from agent_console.store import review_policies, review_sums
from agent_console.store.database import Database
from agent_console.store.dialects import ids_param
from agent_console.store.prepared import KEPT
from agent_console.store.review_policies import policy_facts
from agent_console.store.rows import PAYLOAD_HEAD, action_of
from agent_console.store.transactions import Row, Tx

OVERDUE = """
SELECT id FROM agent_checkpoints {deadline_index}
WHERE status = 'PENDING' AND expires_at <= {now}
ORDER BY expires_at, id LIMIT :limit
"""

# A row if any is overdue.
SIGN = """
SELECT 1 FROM agent_checkpoints {deadline_index} WHERE status = 'PENDING' AND expires_at <= {now}
"""

# Job first, then checkpoint, as decisions lock them: the two wait for each other, no deadlock. And
# in one order everywhere: two that want the same jobs never wait for each other either.
LOCK_JOBS = """
SELECT id FROM ai_jobs WHERE id IN (SELECT job_id FROM agent_checkpoints WHERE id {among_ids})
ORDER BY id {for_update}
"""

PENDING = f"""
SELECT c.id, j.job_type, substr(c.payload, 1, {PAYLOAD_HEAD}), c.extensions, c.escalated_at,
  c.payload_digest, c.answer_schema IS NOT NULL, c.answer_default
FROM agent_checkpoints c JOIN ai_jobs j ON j.id = c.job_id
WHERE c.id {{among_ids}} AND c.status = 'PENDING'
"""

# The same compare-and-set as a decision's: whoever is first wins, at equality the time is up.
# What a policy decides then is bound to the payload as a person's word would be.
END_COLUMNS = "id, status, by_id, decision_digest, reason, response, policy_id"
END = """
UPDATE agent_checkpoints SET status = v.status, approved_by = v.by_id, approved_by_name = v.by_id,
  approved_at = CASE WHEN v.by_id IS NOT NULL THEN {now} END,
  decision_digest = v.decision_digest, rejection_reason = v.reason, response = v.response,
  policy_id = v.policy_id, updated_at = {now}
FROM v WHERE agent_checkpoints.id = v.id AND agent_checkpoints.status{by_id} = 'PENDING'
  AND agent_checkpoints.expires_at <= {now}
RETURNING agent_checkpoints.id, agent_checkpoints.job_id, agent_checkpoints.created_at,
  agent_checkpoints.updated_at, agent_checkpoints.risk
"""
MOVE_COLUMNS = "id, micros, escalates"
MOVE = """
UPDATE agent_checkpoints SET expires_at = {now} + v.micros, reminded = NULL,
  extensions = agent_checkpoints.extensions + 1 - v.escalates, updated_at = {now},
  escalated_at = CASE WHEN v.escalates = 1 THEN {now} ELSE agent_checkpoints.escalated_at END
FROM v WHERE agent_checkpoints.id = v.id AND agent_checkpoints.status{by_id} = 'PENDING'
  AND agent_checkpoints.expires_at <= {now}
RETURNING agent_checkpoints.id, agent_checkpoints.job_id, agent_checkpoints.expires_at
"""

WAKE = """
UPDATE ai_jobs SET status = 'QUEUED', resuming = 1, run_at = {now} + v.hold, updated_at = {now}
FROM v WHERE ai_jobs.id = v.id AND ai_jobs.status{by_id} = 'WAITING'
RETURNING ai_jobs.id, ai_jobs.job_type
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A checkpoint that waits, the policy that holds for it, and how often it went on already.

    ``asks``: it is a question; ``default`` is its default answer as canonical JSON, None without.
    """

    id: str
    job_type: str
    policy: ReviewPolicy
    extensions: int
    escalated: bool
    payload_digest: str
    asks: bool
    default: str | None

    @property
    def fate(self) -> AtDeadline:
        """Return what happens to it when its time is up."""
        return fate(
            self.policy,
            extensions=self.extensions,
            escalated=self.escalated,
            asks=self.asks,
            has_default=self.default is not None,
        )

    @property
    def answer(self) -> str | None:
        """Return what its time's being up answers, as canonical JSON; None: nothing."""
        return self.default if self.fate is AtDeadline.DEFAULT else None


def expire_due(db: Database, limit: int = 200) -> int:
    """Let the deadline do to overdue checkpoints what their policies say, by default expire them.

    Jobs are woken unless the deadline moved. Returns the number of checkpoints; call again when
    it equals ``limit``.
    """
    with db.read() as reader:
        due = [row[0] for row in reader.rows(OVERDUE, {"limit": limit})]
    return len(db.write(lambda tx: _expire(tx, due))) if due else 0


def _expire(tx: Tx, checkpoint_ids: Sequence[str]) -> dict[str, AtDeadline]:
    lock_jobs(tx, checkpoint_ids)
    rows = tx.rows(PENDING, {"ids": ids_param(checkpoint_ids, tx.dialect)})
    book = review_policies.book(tx, [row[1] for row in rows])
    return pass_deadline(
        tx,
        [
            Pending(
                id=checkpoint_id,
                job_type=job_type,
                policy=book.of(job_type, action_of(head)),
                extensions=extensions,
                escalated=escalated_at is not None,
                payload_digest=payload_digest,
                asks=bool(asks),
                default=default,
            )
            for (
                checkpoint_id,
                job_type,
                head,
                extensions,
                escalated_at,
                payload_digest,
                asks,
                default,
            ) in rows
        ],
    )


def lock_jobs(tx: Tx, checkpoint_ids: Sequence[str]) -> None:
    """Lock the jobs of the checkpoints, before anything is done to either."""
    tx.rows(KEPT + LOCK_JOBS, {"ids": ids_param(checkpoint_ids, tx.dialect)})


def pass_deadline(tx: Tx, checkpoints: Sequence[Pending]) -> dict[str, AtDeadline]:
    """Do to those that are overdue and open what their policies say, their jobs being locked.

    As many statements for many as for one. Returns what was done to which.
    """
    by_id = {one.id: one for one in checkpoints}
    moved = _move(tx, [one for one in checkpoints if one.fate in MOVES])
    ended = _end(tx, [one for one in checkpoints if one.fate in ENDS])
    if moved or ended:
        crashpoint("expire.before_commit")
    return {one: by_id[one].fate for one in (*moved, *ended)}


def _end(tx: Tx, checkpoints: Sequence[Pending]) -> list[str]:
    by_id = {one.id: one for one in checkpoints}
    rows = tx.values(END_COLUMNS, END, [_end_row(one) for one in checkpoints])
    woken = wake(tx, {row[1]: 0 for row in rows})
    for checkpoint_id, job_id, created_at, updated_at, risk in rows:
        waited = (updated_at - created_at) / MICROSECONDS
        if job_id in woken:
            tx.record(woken[job_id])
        tx.record(_ended(by_id[checkpoint_id], job_id, waited, risk))
    return [row[0] for row in rows]


_ENDS_AS = {
    AtDeadline.FAIL: CheckpointStatus.EXPIRED,
    AtDeadline.REJECT: CheckpointStatus.REJECTED,
    AtDeadline.APPROVE: CheckpointStatus.APPROVED,
    AtDeadline.DEFAULT: CheckpointStatus.APPROVED,
}
_VERDICTS = {
    AtDeadline.FAIL: "expired",
    AtDeadline.REJECT: CheckpointVerb.REJECT.value,
    AtDeadline.APPROVE: CheckpointVerb.APPROVE.value,
    AtDeadline.DEFAULT: CheckpointVerb.ANSWER.value,
}


def _end_row(one: Pending) -> Row:
    by = None if one.fate is AtDeadline.FAIL else POLICY
    reason = OVERDUE_REASON if one.fate is AtDeadline.REJECT else None
    bound = None if by is None else decision_digest(one.payload_digest, one.answer)
    return (one.id, _ENDS_AS[one.fate].value, by, bound, reason, one.answer, one.policy.id)


def _ended(one: Pending, job_id: str, waited: float, risk: str | None) -> Event:
    status = _ENDS_AS[one.fate]
    return Event(
        action=f"checkpoint.{status.value.lower()}",
        actor=SYSTEM if one.fate is AtDeadline.FAIL else BY_POLICY,
        job_id=job_id,
        job_type=one.job_type,
        checkpoint_id=one.id,
        before=CheckpointStatus.PENDING,
        after=status,
        verdict=_VERDICTS[one.fate],
        seconds=waited,
        data={
            **policy_facts(one.policy),
            "atDeadline": one.fate.value,
            **({} if one.answer is None else told(one.answer, loads(one.answer))),
            review_sums.RISK: risk,
        },
    )


def _move(tx: Tx, checkpoints: Sequence[Pending]) -> list[str]:
    by_id = {one.id: one for one in checkpoints}
    asked = [
        (
            one.id,
            one.policy.terms.deadline.seconds * MICROSECONDS,
            int(one.fate is AtDeadline.ESCALATE),
        )
        for one in checkpoints
    ]
    rows = tx.values(MOVE_COLUMNS, MOVE, asked)
    for checkpoint_id, job_id, expires_at in rows:
        tx.record(_moved(by_id[checkpoint_id], job_id, expires_at))
    return [row[0] for row in rows]


def _moved(one: Pending, job_id: str, expires_at: int) -> Event:
    escalates = one.fate is AtDeadline.ESCALATE
    data: dict[str, Json] = {
        **policy_facts(one.policy),
        "expiresAt": from_micros(expires_at).isoformat(),
        "asks": deciders(one.policy.terms, escalated=escalates or one.escalated).words,
    }
    return Event(
        action="checkpoint.escalated" if escalates else "checkpoint.extended",
        actor=BY_POLICY,
        job_id=job_id,
        job_type=one.job_type,
        checkpoint_id=one.id,
        before=CheckpointStatus.PENDING,
        data=data,
    )


def wake(tx: Tx, holds: Mapping[str, int], actor: Actor = SYSTEM) -> dict[str, Event]:
    """Let waiting jobs back into the queue, uncharged; return what to record, by job.

    ``holds`` has for each job the microseconds before which it is not claimed. Jobs that do not
    wait are missing from the answer.
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
        for job_id, job_type in tx.values("id, hold", WAKE, [*holds.items()])
    }
