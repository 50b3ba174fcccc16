"""Wire models of one verdict on many checkpoints."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictStr, StringConstraints

from agent_console.api.schemas.base import In, Instant, Out, Success, example
from agent_console.api.schemas.checkpoints import Digest, Feedback
from agent_console.domain.checkpoints import CheckpointStatus, CheckpointVerb, Verdict
from agent_console.domain.rulings import MAX_AT_ONCE, Fate, Item, Ruling
from agent_console.services.review_many import DecidedMany

_Id = Annotated[StrictStr, StringConstraints(min_length=1, max_length=200)]
_Reason = Annotated[StrictStr, StringConstraints(max_length=4_000)]


class ChosenIn(In):
    """A checkpoint, and the digest of the payload that you looked at."""

    id: _Id
    payload_digest: Digest | None = None


class BulkDecideIn(In):
    """One verdict on many checkpoints; ``reason`` is required to reject."""

    model_config = example(
        action="approve",
        checkpoints=[
            {"id": "chk_01a1", "payloadDigest": "8564bcac" * 8},
            {"id": "chk_01a2", "payloadDigest": "90a3ed9e" * 8},
        ],
        feedback="As agreed this morning.",
    )

    action: Literal["approve", "reject"]
    checkpoints: Annotated[list[ChosenIn], Field(min_length=1, max_length=MAX_AT_ONCE)]
    reason: _Reason | None = None
    feedback: Feedback | None = None

    def to_items(self) -> list[Item]:
        """Return the domain's values."""
        return [
            Item(checkpoint_id=one.id, payload_digest=one.payload_digest)
            for one in self.checkpoints
        ]

    def to_verdict(self) -> Verdict:
        """Return the domain's value."""
        return Verdict(verb=CheckpointVerb(self.action), reason=self.reason, feedback=self.feedback)


class RulingOut(Out):
    """What became of one checkpoint.

    ``code`` is ``decided``, ``voted`` (more people have to agree), or why it was neither;
    ``status``, ``decidedByName`` and ``decidedAt`` are the checkpoint's as they are now, null where
    there is none or it was not reached.
    """

    id: str
    code: Fate
    status: CheckpointStatus | None
    job_id: str | None
    message: str
    decided_by_name: str | None
    decided_at: Instant | None
    payload_digest: str | None
    undo_until: Instant | None = None

    @classmethod
    def of(cls, ruling: Ruling) -> RulingOut:
        """Return the wire form of ``ruling``."""
        return cls(
            id=ruling.checkpoint_id,
            code=ruling.fate,
            status=ruling.status,
            job_id=ruling.job_id,
            message=ruling.message,
            decided_by_name=ruling.decided_by_name,
            decided_at=ruling.decided_at,
            payload_digest=ruling.payload_digest,
            undo_until=ruling.undo_until,
        )


class BulkDecideAnswer(Success):
    """The outcomes in the order asked; ``success`` says that all were looked at."""

    decided: int
    voted: int = Field(description="Kept until more people agree.")
    refused: int
    results: list[RulingOut]

    @classmethod
    def of(cls, done: DecidedMany) -> BulkDecideAnswer:
        """Return the wire form of ``done``."""
        decided = sum(ruling.decided for ruling in done.rulings)
        taken = sum(ruling.taken for ruling in done.rulings)
        return cls(
            decided=decided,
            voted=taken - decided,
            refused=len(done.rulings) - taken,
            results=[RulingOut.of(ruling) for ruling in done.rulings],
        )
