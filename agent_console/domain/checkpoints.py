"""Checkpoints: their values and the one table of legal transitions."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from agent_console.domain.errors import Conflict
from agent_console.domain.jobs import JobStatus, Json

DEFAULT_EXPIRY = timedelta(hours=24)


class CheckpointType(StrEnum):
    """Only ``APPROVAL_REQUIRED`` blocks its job."""

    APPROVAL_REQUIRED = "APPROVAL_REQUIRED"
    INFO = "INFO"
    ERROR = "ERROR"


class CheckpointStatus(StrEnum):
    """Where a checkpoint is; ``INFO`` and ``ERROR`` are born ``APPROVED``: nobody has to act."""

    PENDING = "PENDING"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    CHANGES_REQUESTED = "CHANGES_REQUESTED"
    EXPIRED = "EXPIRED"
    CANCELED = "CANCELED"


class CheckpointVerb(StrEnum):
    """What may happen to a checkpoint."""

    APPROVE = "approve"
    ANSWER = "answer"  # of a question, which no approval is enough for
    REJECT = "reject"
    REQUEST_CHANGES = "request_changes"
    EXPIRE = "expire"
    CANCEL = "cancel"  # its job was canceled
    REOPEN = "reopen"  # what was approved is not what is stored any more
    UNDO = "undo"  # by who decided, before the job has gone on


def _transitions() -> Mapping[tuple[CheckpointStatus, CheckpointVerb], CheckpointStatus]:
    s, v = CheckpointStatus, CheckpointVerb
    return MappingProxyType(
        {
            (s.PENDING, v.APPROVE): s.APPROVED,
            (s.PENDING, v.ANSWER): s.APPROVED,
            (s.PENDING, v.REJECT): s.REJECTED,
            (s.PENDING, v.REQUEST_CHANGES): s.CHANGES_REQUESTED,
            (s.PENDING, v.EXPIRE): s.EXPIRED,
            (s.PENDING, v.CANCEL): s.CANCELED,
            (s.APPROVED, v.REOPEN): s.PENDING,
            (s.APPROVED, v.UNDO): s.PENDING,
            (s.REJECTED, v.UNDO): s.PENDING,
            (s.CHANGES_REQUESTED, v.UNDO): s.PENDING,
        }
    )


TRANSITIONS: Mapping[tuple[CheckpointStatus, CheckpointVerb], CheckpointStatus] = _transitions()


def after(status: CheckpointStatus, verb: CheckpointVerb) -> CheckpointStatus:
    """Return the status that ``verb`` leads to.

    Raises:
        Conflict: the table has no such transition; names the current status.
    """
    try:
        return TRANSITIONS[status, verb]
    except KeyError:
        raise Conflict(
            f"The checkpoint is {status}; it can no longer be changed by {verb}.",
            currentStatus=status.value,
        ) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a reviewer said. ``payload_digest`` is the digest of what was on their screen.

    ``response`` is the answer to a question, None: none is given; JSON's null is no answer.
    """

    verb: CheckpointVerb
    reason: str | None = None
    feedback: str | None = None
    edited_data: Json = None
    response: Json = None
    payload_digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A checkpoint as it stands in the store (``agent_checkpoints``). Instants are aware UTC.

    ``payload`` is the canonical document that was digested:
    ``{"action": str, "data": …, "changes": [...], "findings": [...]}``, the last only where there
    are any (``domain.risk``), and "answer" only in a question (``domain.questions``): then
    ``answer_schema`` is what an answer has to fit, ``answer_default`` the default, None without.
    ``rounds`` is how many rounds there may be, None where changes cannot be requested;
    ``previous_id`` is the checkpoint of the round before. ``forked_from`` is the checkpoint of
    which this is a copy, decision included. Until ``undo_until`` its job waits, so that the
    decision can be taken back. ``policy_id`` is the
    version of the review policy that was applied; its deadline has been moved ``extensions`` times,
    and once more if it was ``escalated``. ``rule_id`` is the version whose rule approved it by
    itself, or with ``rule_shadow`` would have: that is told once it is decided, to sway nobody.
    """

    id: str
    job_id: str
    job_type: str
    job_status: JobStatus
    position: int
    checkpoint_type: CheckpointType
    status: CheckpointStatus
    message: str
    action: str
    data: Json
    changes: list[dict[str, Json]]
    metadata: dict[str, Json]
    payload_digest: str
    requested_by: str | None
    requested_by_name: str | None
    decided_by: str | None
    decided_by_name: str | None
    decided_at: datetime | None
    rejection_reason: str | None
    feedback: str | None
    edited_data: Json
    response: Json
    editable: bool
    expires_at: datetime | None
    created_at: datetime
    updated_at: datetime
    findings: list[dict[str, Json]] = field(default_factory=list)
    round: int = 1
    rounds: int | None = None
    previous_id: str | None = None
    forked_from: str | None = None
    undo_until: datetime | None = None
    policy_id: str | None = None
    rule_id: str | None = None
    rule_shadow: bool = False
    extensions: int = 0
    escalated: bool = False
    answer_schema: dict[str, Json] | None = None
    answer_default: Json = None

    @property
    def asks(self) -> bool:
        """Whether this is a question: it wants an answer, not a yes."""
        return self.answer_schema is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One proposal of several, each made after changes were asked of the one before.

    ``said`` is the reviewer's feedback or reason for a rejection, "" when there is none.
    """

    id: str
    round: int
    status: CheckpointStatus
    said: str
    decided_by_name: str | None
    decided_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointSummary:
    """A row of the desk's list; no payload. ``asks``: it is a question."""

    id: str
    job_id: str
    job_type: str
    task_description: str
    checkpoint_type: CheckpointType
    status: CheckpointStatus
    message: str
    action: str
    requested_by_name: str | None
    decided_by_name: str | None
    decided_at: datetime | None
    expires_at: datetime | None
    created_at: datetime
    payload_digest: str
    round: int = 1
    rounds: int | None = None
    asks: bool = False


class InRounds(Protocol):
    """A proposal, the how manieth of how many."""

    @property
    def round(self) -> int:
        """From 1."""

    @property
    def rounds(self) -> int | None:
        """None where changes cannot be requested."""


def changes_refusal(checkpoint: InRounds) -> str:
    """Return why nobody may ask for changes of ``checkpoint``; "" when its job takes them."""
    if checkpoint.rounds is None:
        return "This job does not propose in rounds: approve it, or reject it with a reason."
    if checkpoint.round >= checkpoint.rounds:
        return (
            f"This is round {checkpoint.round} of {checkpoint.rounds}, the last one: "
            "approve it, or reject it with a reason."
        )
    return ""


def decision_digest(payload_digest: str, given_text: str | None) -> str:
    """Return what a decision is bound to: the payload, and the edit or the answer if there is one.

    ``given_text`` is the canonical text of that. The claim of a resumed job computes this again
    from what is stored; a difference sends the job back to review.
    """
    if given_text is None:
        return payload_digest
    return hashlib.sha256(f"{payload_digest}\n{given_text}".encode()).hexdigest()
