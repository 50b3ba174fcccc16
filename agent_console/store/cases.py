"""Checkpoints under decision: what a verdict on each is checked against, read for all at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from agent_console.domain.checkpoints import CheckpointStatus, CheckpointVerb, Verdict
from agent_console.domain.jobs import JobStatus
from agent_console.domain.questions import as_said
from agent_console.domain.review_claims import ReviewClaim
from agent_console.domain.review_policies import PolicyBook, ReviewPolicy
from agent_console.store import review_policies, rows
from agent_console.store.deadlines import Pending
from agent_console.store.dialects import ids_param
from agent_console.store.prepared import KEPT
from agent_console.store.transactions import Queries

CASES: Final = f"""
SELECT c.id, c.job_id, c.status, c.payload_digest, c.edit_schema, c.approved_by,
       c.approved_by_name, c.approved_at, c.expires_at, c.round, c.rounds, c.extensions,
       c.escalated_at, substr(c.payload, 1, {rows.PAYLOAD_HEAD}) AS payload_head, j.job_type,
       j.status AS job_status, j.user_id AS requested_by, j.user_name AS requested_by_name,
       k.checkpoint_id, k.user_id, k.user_name, k.claimed_at, k.until, c.risk, c.answer_schema,
       c.answer_default,
       (SELECT min(first_seen) FROM checkpoint_views w WHERE w.checkpoint_id = c.id) AS first_seen
FROM agent_checkpoints c JOIN ai_jobs j ON j.id = c.job_id
LEFT JOIN checkpoint_claims k ON k.checkpoint_id = c.id AND k.until > {{now}}
WHERE c.id {{among_ids}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A checkpoint under decision, without its payload, and what is said of it.

    ``edit_schema`` is read only where the verdict has edits; ``claim`` and ``policy`` hold now.
    ``asks`` says that it is a question; what an answer has to fit is read where there is one.
    """

    id: str
    job_id: str
    job_type: str
    job_status: JobStatus
    status: CheckpointStatus
    payload_digest: str
    requested_by: str | None
    requested_by_name: str | None
    decided_by: str | None
    decided_by_name: str | None
    decided_at: datetime | None
    expires_at: datetime | None
    round: int
    rounds: int | None
    edit_schema: dict[str, Any] | None
    asks: bool
    answer_schema: dict[str, Any] | None
    answer_default: str | None  # canonical JSON
    claim: ReviewClaim | None
    risk: str | None
    first_seen: int | None  # µs
    verdict: Verdict
    policy: ReviewPolicy
    extensions: int
    escalated: bool

    @property
    def pending(self) -> Pending:
        """Return what its deadline has to know."""
        return Pending(
            id=self.id,
            job_type=self.job_type,
            policy=self.policy,
            extensions=self.extensions,
            escalated=self.escalated,
            payload_digest=self.payload_digest,
            asks=self.asks,
            default=self.answer_default,
        )


def read(
    tx: Queries, verdicts: Mapping[str, Verdict], book: PolicyBook | None = None
) -> tuple[dict[str, Case], PolicyBook]:
    """Return the cases, and the policies that hold for them: read here unless ``book`` is given."""
    found = tx.dicts(KEPT + CASES, {"ids": ids_param(list(verdicts), tx.dialect)})
    if book is None:
        book = review_policies.book(tx, [row["job_type"] for row in found])
    return {row["id"]: _case(row, verdicts[row["id"]], book) for row in found}, book


def _case(row: Mapping[str, Any], verdict: Verdict, book: PolicyBook) -> Case:
    schema = row["edit_schema"] if verdict.edited_data is not None else None
    asks = row["answer_schema"] is not None
    verdict = as_said(verdict, asks=asks)
    answered = asks and verdict.verb is CheckpointVerb.ANSWER
    same = (
        "id", "job_id", "job_type", "payload_digest", "requested_by", "requested_by_name",
        "round", "rounds", "extensions", "risk", "first_seen", "answer_default",
    )  # fmt: skip
    return Case(
        **{name: row[name] for name in same},
        job_status=JobStatus(row["job_status"]),
        status=CheckpointStatus(row["status"]),
        decided_by=row["approved_by"],
        decided_by_name=row["approved_by_name"],
        decided_at=rows.instant(row["approved_at"]),
        expires_at=rows.instant(row["expires_at"]),
        edit_schema=None if schema is None else rows.json_object(schema),
        asks=asks,
        answer_schema=rows.json_object(row["answer_schema"]) if answered else None,
        claim=None if row["until"] is None else rows.review_claim(row),
        verdict=verdict,
        policy=book.of(row["job_type"], rows.action_of(row["payload_head"])),
        escalated=row["escalated_at"] is not None,
    )
