"""Wire models of the journal's proof and of retention."""

from __future__ import annotations

from pydantic import Field

from agent_console.api.schemas.base import Instant, Out, Success
from agent_console.domain.clock import from_micros
from agent_console.domain.retention import Keep, RetentionReport
from agent_console.domain.seals import Head
from agent_console.domain.verification import Integrity, Verdict


class HeadOut(Out):
    """The newest seal with a signature of its own; keep it where this console cannot reach."""

    number: int
    last_seq: int
    hash: str
    sealed_at: Instant
    key_id: str
    mac: str = Field(description="HMAC-SHA256 under the key `keyId`, in hexadecimal.")

    @classmethod
    def of(cls, head: Head) -> HeadOut:
        """Return the head as it goes over the wire."""
        return cls(
            number=head.number,
            last_seq=head.last_seq,
            hash=head.hash,
            sealed_at=from_micros(head.sealed_at),
            key_id=head.key_id,
            mac=head.mac,
        )


class HeadAnswer(Success):
    """The signed head."""

    head: HeadOut


class LastVerificationOut(Out):
    """A finished verification; `firstBadSeq` is the first row that cannot be relied on."""

    at: Instant
    by: str
    verdict: Verdict
    rows: int
    sealed_seq: int
    first_bad_seq: int | None
    reason: str


class IntegrityOut(Out):
    """Rows up to `sealedSeq` are sealed, rows up to `newestSeq` exist.

    `runningRows` is how many rows a verification under way in this process has compared; null:
    none is.
    """

    sealed_seq: int
    seals: int
    sealed_at: Instant | None
    newest_seq: int
    running_rows: int | None
    last: LastVerificationOut | None

    @classmethod
    def of(cls, integrity: Integrity) -> IntegrityOut:
        """Return what the service found as it goes over the wire."""
        return cls.model_validate(integrity)


class IntegrityAnswer(Success):
    """How the journal stands."""

    verification: IntegrityOut


class KeepOut(Out):
    """An age in seconds and a number; null: no such bound."""

    seconds: int | None
    count: int | None

    @classmethod
    def of(cls, keep: Keep) -> KeepOut:
        """Return the bounds as they go over the wire."""
        return cls(seconds=keep.seconds, count=keep.count)


class RetentionPolicyOut(Out):
    """What is kept of jobs by their final status, and of the journal."""

    completed: KeepOut
    failed: KeepOut
    canceled: KeepOut
    journal: KeepOut


class RetentionDueOut(Out):
    """What would go now; `more` says that jobs of a status were counted no further."""

    completed: int
    failed: int
    canceled: int
    journal_rows: int
    more: bool


class RetentionRunOut(Out):
    """The newest batch that was deleted: jobs by status."""

    at: Instant
    by: str
    jobs: dict[str, int]


class RetentionOut(Out):
    """The policy, what would go now, and when something went last."""

    policy: RetentionPolicyOut
    due: RetentionDueOut
    last_run: RetentionRunOut | None

    @classmethod
    def of(cls, report: RetentionReport) -> RetentionOut:
        """Return the report as it goes over the wire."""
        keeps = {status.value.lower(): KeepOut.of(k) for status, k in report.policy.jobs.items()}
        counts = {status.value.lower(): n for status, n in report.due.jobs.items()}
        return cls(
            policy=RetentionPolicyOut(**keeps, journal=KeepOut.of(report.policy.journal)),
            due=RetentionDueOut(
                **counts, journal_rows=report.due.journal_rows, more=report.due.more
            ),
            last_run=None if report.last is None else RetentionRunOut.model_validate(report.last),
        )


class RetentionAnswer(Success):
    """How retention stands."""

    retention: RetentionOut
