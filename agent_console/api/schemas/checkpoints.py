"""Wire models of checkpoints and decisions."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StrictBool, StrictStr, StringConstraints

from agent_console.api.schemas.base import (
    In,
    Instant,
    JsonOut,
    Out,
    Pagination,
    Success,
    attributes,
    example,
)
from agent_console.api.schemas.records import ArtifactSummaryOut, JournalEntryOut, LogLineOut
from agent_console.api.schemas.review_policies import ReviewPolicyOut, TallyOut, VoteOut
from agent_console.domain.checkpoints import (
    Checkpoint,
    CheckpointStatus,
    CheckpointType,
    CheckpointVerb,
    Verdict,
)
from agent_console.domain.jobs import JobStatus
from agent_console.domain.presence import Presence
from agent_console.domain.risk import Severity
from agent_console.services.review import CheckpointDetail

Feedback = Annotated[StrictStr, StringConstraints(max_length=16_000)]
_Reason = Annotated[StrictStr, StringConstraints(max_length=4_000, pattern=r"\S")]
Digest = Annotated[StrictStr, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class ApproveIn(In):
    """An approval; all members are optional.

    ``payloadDigest`` is that of the payload you looked at: another one now is a 409.
    """

    model_config = example(feedback="Fine, go ahead.", payloadDigest="8564bcac" * 8)

    feedback: Feedback | None = None
    edited_data: Any = Field(None, description="Replaces the data, where the checkpoint allows it.")
    response: Any = Field(
        None, description="Handed to the handler as it is; of a question, its answer."
    )
    payload_digest: Digest | None = None

    def to_verdict(self) -> Verdict:
        """Return the domain's value."""
        return Verdict(
            verb=CheckpointVerb.APPROVE,
            feedback=self.feedback,
            edited_data=self.edited_data,
            response=self.response,
            payload_digest=self.payload_digest,
        )


class AnswerIn(In):
    """The answer to a question; it has to fit the checkpoint's ``answerSchema``."""

    model_config = example(answer="green", payloadDigest="8564bcac" * 8)

    answer: Any = Field(description="Anything but null.")
    payload_digest: Digest | None = None

    def to_verdict(self) -> Verdict:
        """Return the domain's value."""
        return Verdict(
            verb=CheckpointVerb.ANSWER,
            response=self.answer,
            payload_digest=self.payload_digest,
        )


class RejectIn(In):
    """A rejection with the reason the job will carry."""

    model_config = example(reason="It would overwrite the release notes.")

    reason: _Reason
    feedback: Feedback | None = None
    payload_digest: Digest | None = None

    def to_verdict(self) -> Verdict:
        """Return the domain's value."""
        return Verdict(
            verb=CheckpointVerb.REJECT,
            reason=self.reason,
            feedback=self.feedback,
            payload_digest=self.payload_digest,
        )


class RequestChangesIn(In):
    """What the next round should be like; only where the job proposes in rounds."""

    model_config = example(feedback="Leave out F2 and say what the devices cost.")

    feedback: Annotated[Feedback, StringConstraints(pattern=r"\S")]
    payload_digest: Digest | None = None

    def to_verdict(self) -> Verdict:
        """Return the domain's value."""
        return Verdict(
            verb=CheckpointVerb.REQUEST_CHANGES,
            feedback=self.feedback,
            payload_digest=self.payload_digest,
        )


class CheckpointSummaryOut(Out):
    """A row of the desk's list."""

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
    decided_at: Instant | None
    expires_at: Instant | None
    created_at: Instant
    payload_digest: str
    round: int
    rounds: int | None
    asks: bool = Field(False, description="It is a question: it wants an answer, not a yes.")


class FindingOut(Out):
    """What speaks against a proposal; ``location`` reads ``path:line`` or ``data.field``."""

    severity: Severity
    rule: str
    message: str
    location: str


class CheckpointOut(Out):
    """A checkpoint with its payload.

    ``action``, ``data``, ``changes`` and ``findings`` are what was digested.

    ``approvedBy`` and ``approvedAt`` are set when somebody approved; ``decidedBy`` and
    ``decidedAt`` for every decision.
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
    data: JsonOut
    changes: list[JsonOut]
    findings: list[FindingOut]
    metadata: JsonOut
    payload_digest: str
    requested_by: str | None
    requested_by_name: str | None
    approved_by: str | None
    approved_at: Instant | None
    decided_by: str | None
    decided_by_name: str | None
    decided_at: Instant | None
    rejection_reason: str | None
    feedback: str | None
    edited_data: JsonOut
    response: JsonOut = Field(description="What came with the verdict; of a question, its answer.")
    editable: bool
    answer_schema: JsonOut = Field(
        None, description="Of a question: the JSON Schema of its answer; null: it is none."
    )
    answer_default: JsonOut = Field(None, description="The answer to go on with by default.")
    expires_at: Instant | None
    created_at: Instant
    updated_at: Instant
    round: int
    rounds: int | None = Field(description="At most so many; null: no changes can be requested.")
    previous_id: str | None = Field(description="The checkpoint of the round before.")
    undo_until: Instant | None = Field(
        None, description="Until then the job waits, and who decided may undo it."
    )
    policy_id: str | None = Field(
        None, description="The version of the review policy that was applied; null: none."
    )
    rule_id: str | None = Field(
        None, description="The version whose rule approved it by itself, or would have in shadow."
    )
    rule_shadow: bool = Field(False, description="`ruleId` only says what it would have done.")
    extensions: int = Field(0, description="How often its deadline was extended.")
    escalated: bool = Field(False, description="Others are asked since the deadline passed.")
    forked_from: str | None = Field(
        None, description="In a fork: the checkpoint of which this is a copy, decision included."
    )

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> CheckpointOut:
        """Return the wire form of ``checkpoint``."""
        approved = checkpoint.status is CheckpointStatus.APPROVED
        return cls(
            **attributes(checkpoint),
            approved_by=checkpoint.decided_by if approved else None,
            approved_at=checkpoint.decided_at if approved else None,
        )


class ClaimIn(In):
    """``takeOver``: also when somebody else has claimed it."""

    model_config = example(takeOver=False)

    take_over: StrictBool = False


class ClaimOut(Out):
    """A lease on a checkpoint: until then, only ``userName`` decides it."""

    user_id: str
    user_name: str
    claimed_at: Instant
    until: Instant


class ClaimAnswer(Success):
    """The claim; null: the checkpoint is nobody's."""

    claim: ClaimOut | None


class ViewerOut(Out):
    """Somebody who looks at a checkpoint."""

    user_id: str
    user_name: str
    first_seen: Instant
    last_seen: Instant


class ViewersAnswer(Success):
    """Who looks at a checkpoint now, the caller included."""

    viewers: list[ViewerOut]
    first_seen_at: Instant | None = Field(description="When anybody first opened its card.")

    @classmethod
    def of(cls, presence: Presence) -> ViewersAnswer:
        """Return the answer that tells of ``presence``."""
        return cls(
            viewers=[ViewerOut.model_validate(one) for one in presence.viewers],
            first_seen_at=presence.first_seen_at,
        )


class RoundOut(Out):
    """A round of a proposal; ``said`` is the feedback or the reason that ended it."""

    id: str
    round: int
    status: CheckpointStatus
    said: str
    decided_by_name: str | None
    decided_at: Instant | None
    created_at: Instant


class CheckpointDetailOut(CheckpointOut):
    """A checkpoint with its surroundings, and whether the caller may decide it.

    ``chain`` are all rounds, oldest first; ``sinceLast`` is what this round proposes otherwise
    than the one before, in the form of ``changes``.
    """

    task_description: str
    logs: list[LogLineOut]
    artifacts: list[ArtifactSummaryOut]
    history: list[JournalEntryOut]
    edit_schema: JsonOut
    may_decide: bool
    refusal: str
    self_approval: bool
    changes_refusal: str = Field(description="Why changes cannot be requested; empty: they can.")
    chain: list[RoundOut]
    since_last: list[JsonOut]
    claim: ClaimOut | None = Field(description="Who has claimed it, for now.")
    policy: ReviewPolicyOut = Field(description="What holds; once decided, what was applied.")
    votes: list[VoteOut] = Field(description="Of the people who have to agree; those that count.")
    approve_refusal: str = Field(
        description="Why approving it as it is adds nothing: you did already; or as refusal."
    )
    viewers: list[ViewerOut] = Field(description="Who else looks at it now.")
    first_seen_at: Instant | None = Field(description="When anybody first opened its card.")
    changed_since: list[str] = Field(
        description="Files of the workspace that are not as they were when this was asked."
    )

    @classmethod
    def of_detail(cls, detail: CheckpointDetail) -> CheckpointDetailOut:
        """Return the wire form of ``detail``."""
        return cls(
            **CheckpointOut.of(detail.checkpoint).model_dump(by_alias=False),
            task_description=detail.job.task_description,
            logs=detail.logs,
            artifacts=detail.artifacts,
            history=detail.history,
            edit_schema=detail.edit_schema,
            may_decide=detail.may_decide,
            refusal=detail.refusal,
            self_approval=detail.self_approval,
            changes_refusal=detail.changes_refusal,
            chain=detail.chain,
            since_last=detail.since_last,
            claim=None if detail.claim is None else ClaimOut.model_validate(detail.claim),
            policy=ReviewPolicyOut.of(detail.policy),
            votes=[VoteOut.model_validate(one) for one in detail.votes],
            approve_refusal=detail.approve_refusal,
            viewers=[ViewerOut.model_validate(one) for one in detail.others],
            first_seen_at=detail.first_seen_at,
            changed_since=list(detail.moved),
        )


class CheckpointPage(Success):
    """A page of checkpoints."""

    checkpoints: list[CheckpointSummaryOut]
    pagination: Pagination


class CheckpointsAnswer(Success):
    """All checkpoints of one job, in the order they were made."""

    checkpoints: list[CheckpointOut]


class CheckpointAnswer(Success):
    """One checkpoint."""

    checkpoint: CheckpointDetailOut


class DecisionAnswer(Success):
    """The checkpoint as the decision left it.

    ``tally`` is set when the verdict is kept as a vote, and more people have to agree.
    """

    checkpoint: CheckpointOut
    message: str
    tally: TallyOut | None = None
