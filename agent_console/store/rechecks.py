"""What was approved must be what runs, by whoever may still say so: checked as a job is leased.

Every claim of a job that was claimed before looks at its approvals again, in its own transaction.
Payload, edit or answer, and decision must still have the digest that was approved, and the decision
must lie before the deadline. An approval that nothing has been done upon yet must also stand under
the policy of this moment; one that was acted on is history, and asking again would undo nothing.
What a fork has copied was not done by it: only its own acts count. When a copied approval does not
hold, what was recorded upon it goes as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from agent_console.domain.access import Actor
from agent_console.domain.checkpoints import DEFAULT_EXPIRY, CheckpointStatus, decision_digest
from agent_console.domain.clock import MICROSECONDS
from agent_console.domain.events import Event
from agent_console.domain.jobs import JobStatus, Json
from agent_console.domain.payload import digest
from agent_console.domain.review_figures import Stage
from agent_console.store import review_sums, votes
from agent_console.store.dialects import ids_param
from agent_console.store.engine_values import RunKey
from agent_console.store.prepared import KEPT
from agent_console.store.record_cuts import cut
from agent_console.store.transactions import Queries, Row, Tx

_CHECKED: Final = """
c.id, c.payload, c.payload_digest,
  CASE WHEN c.answer_schema IS NULL THEN c.edited_data ELSE c.response END, c.decision_digest,
  c.approved_at >= c.expires_at AND coalesce(c.approved_by, '') <> 'policy', c.approved_by,
  c.approved_by_name, j.user_id, j.user_name,
  NOT EXISTS (SELECT 1 FROM job_steps s WHERE s.job_id = c.job_id AND s.position > c.position
    AND s.position >= coalesce(j.forked_position, 0)),
  CASE WHEN c.position < j.forked_position THEN c.position END, c.position, c.job_id, c.policy_id,
  c.approved_at, c.undo_until, c.risk
"""
_OF_JOBS: Final = """
FROM agent_checkpoints c JOIN ai_jobs j ON j.id = c.job_id
WHERE c.job_id {among_ids} AND c.position >= 0
  AND {indexable}c.checkpoint_type = 'APPROVAL_REQUIRED'
"""
APPROVALS: Final = f"SELECT {_CHECKED}{_OF_JOBS} AND {{indexable}}c.status = 'APPROVED'"
# Every question of the jobs: what its approval is checked by, then the rest of its decision.
QUESTIONS: Final = f"""
SELECT {_CHECKED}, c.status, c.edited_data, c.response, c.rejection_reason, c.feedback, c.round,
  c.rounds, c.message,
  EXISTS (SELECT 1 FROM checkpoint_comments m WHERE m.checkpoint_id = c.id)
{_OF_JOBS}"""

REOPEN = """
UPDATE agent_checkpoints SET status = 'PENDING', payload_digest = :digest, approved_by = NULL,
  approved_by_name = NULL, approved_at = NULL, decision_digest = NULL, edited_data = NULL,
  response = NULL, policy_id = NULL, reminded = NULL, feedback = :reason,
  expires_at = {now} + :expiry, updated_at = {now}
WHERE id = :id AND status = 'APPROVED'
"""

RETURN_TO_REVIEW = """
UPDATE ai_jobs SET status = 'WAITING', worker_id = NULL, claim_token = claim_token + 1,
  resuming = 1, claims = 0, updated_at = {now} WHERE id = :id AND claim_token = :token
"""

# At most so far apart are the two statements of a decision that date it and wake its job.
_SAME: Final = MICROSECONDS
CHANGED = "What was approved is not what is stored any more; please look again."
LATE = "The approval is dated after the deadline; please look again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Who approved a checkpoint of whose job; accounts by id, None for commands on the server.

    ``policy_id`` is the version of the policy under which it was, None without one; only with one
    are there ``checkpoint_id`` and ``digest``, of what was agreed to.
    """

    decided_by: str | None
    decided_by_name: str | None
    requested_by: str | None
    requested_by_name: str | None
    policy_id: str | None = None
    checkpoint_id: str | None = None
    digest: str = ""


# Returns why an approval does not stand any more, "" when it does.
Stands = Callable[[Queries, Approval], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """An approval that does not hold: its row, the digest of what is stored, and why."""

    row: Row
    actual: str
    reason: str


def approvals(queries: Queries, job_ids: Sequence[str]) -> list[Row]:
    """Return the rows of ``APPROVALS`` of the jobs, in one statement; none without jobs."""
    if not job_ids:
        return []
    return queries.rows(KEPT + APPROVALS, {"ids": ids_param(job_ids, queries.dialect)})


def questions(queries: Queries, job_ids: Sequence[str]) -> tuple[list[Row], dict[str, list[Row]]]:
    """Return the rows of ``APPROVALS`` of the jobs, and by job those of ``run_records.DECISIONS``.

    In one statement: who resumes needs both, and waits for every round trip.
    """
    if not job_ids:
        return [], {}
    approved: list[Row] = []
    decided: dict[str, list[Row]] = {}
    for row in queries.rows(KEPT + QUESTIONS, {"ids": ids_param(job_ids, queries.dialect)}):
        checked, (status, edited, response, *rest) = row[:18], row[18:]
        if status == CheckpointStatus.APPROVED:
            approved.append(checked)
        one = (row[13], row[0], row[12], status, *row[1:3], edited, response, *row[6:8], row[15])
        decided.setdefault(row[13], []).append((*one, *rest))
    return approved, decided


def doubts(tx: Tx, rows: Sequence[Row], stands: Stands | None) -> dict[str, Doubt]:
    """Return an approval that does not hold, of those in ``rows``, of each job that has one.

    However many jobs there are, the policy is asked once for the same approver and asker. Without
    ``stands`` it is not asked.
    """
    said: dict[Approval, str] = {}

    def once(queries: Queries, approval: Approval) -> str:
        if stands is not None and approval not in said:
            said[approval] = stands(queries, approval)
        return said.get(approval, "")

    found: dict[str, Doubt] = {}
    for row in rows:
        reason = doubt_of(tx, row, once)
        if reason and row[13] not in found:
            found[row[13]] = Doubt(row=row, actual=digest(row[1]), reason=reason)
    return found


def doubt_of(
    queries: Queries, row: Row, stands: Stands | None, *, fresh: bool | None = None
) -> str:
    """Return why the approval in a row of ``APPROVALS`` does not hold, or "".

    ``fresh``: nothing has been done upon it, whatever the row says; None: as the row says.
    """
    _, payload, stored, given, decided, late, by, by_name, asked_by, asked_by_name, new, *_ = row
    actual = digest(payload)
    if actual != stored or decided != decision_digest(stored, given):
        return CHANGED
    if late:
        return LATE
    if stands is None or not (new if fresh is None else fresh):
        return ""
    approval = Approval(
        decided_by=by,
        decided_by_name=by_name,
        requested_by=asked_by,
        requested_by_name=asked_by_name,
    )
    if row[14] is not None:
        approval = replace(approval, policy_id=row[14], checkpoint_id=row[0], digest=decided)
    return stands(queries, approval)


def gone_on(rows: Sequence[Row], run_at: int, now: int) -> dict[str, Json]:
    """Return how long after its approval a job goes on, for the journal; nothing if it is no such.

    ``rows`` are its approvals, and ``run_at`` when it was due (µs): an approval makes a job due at
    once, or when it can no more be undone. What was done upon it already, or was due by something
    else (a retry, a sleep), does not count.
    """
    for row in rows:
        due = row[16] if row[16] is not None else row[15]
        if row[10] and due is not None and abs(run_at - due) < _SAME:
            seconds = max(0, now - row[15]) / MICROSECONDS
            return {review_sums.STAGES[Stage.RESUMED]: seconds, review_sums.RISK: row[17]}
    return {}


def send_back(
    tx: Tx, key: RunKey, job_type: str, doubt: Doubt, *, before: JobStatus, actor: Actor
) -> None:
    """Send the job of ``key`` back to review; ``before`` is its status before it was claimed."""
    row, actual, reason = doubt.row, doubt.actual, doubt.reason
    expiry = int(DEFAULT_EXPIRY.total_seconds()) * MICROSECONDS
    reopened = {"id": row[0], "digest": actual, "reason": reason, "expiry": expiry}
    tx.execute(REOPEN, reopened)
    votes.forget(tx, row[0])
    tx.execute(RETURN_TO_REVIEW, {"id": key.job_id, "token": key.token})
    if row[11] is not None:
        cut(tx, key.job_id, row[11] + 1)
    facts: dict[str, Json] = {"approvedBy": row[7], "approvedDigest": row[2], "digest": actual}
    tx.record(
        Event(
            action="checkpoint.reopened",
            actor=actor,
            job_id=key.job_id,
            job_type=job_type,
            checkpoint_id=row[0],
            before=CheckpointStatus.APPROVED,
            after=CheckpointStatus.PENDING,
            data={"reason": reason, **facts},
        ),
        Event(
            action="job.returned",
            actor=actor,
            job_id=key.job_id,
            job_type=job_type,
            before=before,
            after=JobStatus.WAITING,
            data={"reason": reason},
        ),
    )
