"""Wire models of forks and of cuts of a job's record."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StrictBool, StrictInt, StrictStr, StringConstraints

from agent_console.api.schemas.base import In, Out, Success, example
from agent_console.api.schemas.jobs import JobAction, JobOut
from agent_console.domain.checkpoints import CheckpointStatus
from agent_console.domain.errors import FieldError, Invalid
from agent_console.domain.forks import Cut, ForkRequest
from agent_console.domain.jobs import MAX_PRIORITY, MIN_PRIORITY

MAX_POSITION = 2**31 - 1

Position = Annotated[
    StrictInt,
    Field(ge=0, le=MAX_POSITION, description="As in `steps[].position`, counted from 0."),
]


class JobActionIn(In):
    """What to do with the job.

    `onThisVersion` belongs to `resume`, `fromPosition` to `retry`, `reason` to `fail`. `dryRun`
    only says what `onThisVersion` or `fromPosition` would drop.
    """

    model_config = example(action="retry", fromPosition=2)

    action: JobAction
    on_this_version: StrictBool = False
    from_position: Position | None = None
    reason: Annotated[StrictStr, StringConstraints(max_length=4_000)] | None = None
    dry_run: StrictBool = False

    def check(self) -> None:
        """Refuse members that belong to another action.

        Raises:
            Invalid: says which.
        """
        cuts = self.on_this_version or self.from_position is not None
        strange = {
            "onThisVersion": (self.on_this_version, self.action is JobAction.RESUME, "resume"),
            "fromPosition": (
                self.from_position is not None,
                self.action is JobAction.RETRY,
                "retry",
            ),
            "reason": (self.reason is not None, self.action is JobAction.FAIL, "fail"),
            "dryRun": (self.dry_run, cuts, "onThisVersion or fromPosition"),
        }
        problems = [
            FieldError(field, f"belongs to {owner}.")
            for field, (given, fits, owner) in strange.items()
            if given and not fits
        ]
        if problems:
            raise Invalid(fields=problems)


class ForkIn(In):
    """A fork: what is left out is as in the original.

    `dryRun` answers what would be reused and asked again, and makes nothing.
    """

    model_config = example(fromPosition=2, priority=8, dryRun=True)

    from_position: Position
    input_data: dict[str, Any] | None = None
    task_description: Annotated[StrictStr, StringConstraints(max_length=4_000)] | None = None
    priority: Annotated[StrictInt, Field(ge=MIN_PRIORITY, le=MAX_PRIORITY)] | None = None
    auto_execute: StrictBool = Field(
        True, description="False: the job waits, INITIALIZED, until it is executed."
    )
    dry_run: StrictBool = False

    def to_request(self) -> ForkRequest:
        """Return the domain's value."""
        return ForkRequest(
            from_position=self.from_position,
            input_data=self.input_data,
            task_description=self.task_description,
            priority=self.priority,
            auto_execute=self.auto_execute,
        )


class RecordedStepOut(Out):
    """A recorded call, without its result."""

    position: int
    kind: str
    name: str


class ReusedDecisionOut(Out):
    """A question of a record, with what was said to it."""

    checkpoint_id: str
    position: int
    message: str
    status: CheckpointStatus
    decided_by_name: str | None


class AskedAgainOut(ReusedDecisionOut):
    """A question that is not taken over; `reason` says why."""

    reason: str


class CutOut(Out):
    """What a cut drops: recorded calls made anew, and decisions asked again."""

    position: int
    kept: int = Field(description="Recorded calls that stay done.")
    steps: list[RecordedStepOut]
    decisions: list[ReusedDecisionOut]


class ControlAnswer(Success):
    """The job; `dropped` where its record was cut, or would be."""

    job: JobOut
    dropped: CutOut | None = None

    @classmethod
    def of(cls, job: object, cut: Cut | None = None) -> ControlAnswer:
        """Return the answer."""
        dropped = None if cut is None else CutOut.model_validate(cut)
        return cls(job=JobOut.model_validate(job), dropped=dropped)


class ForkOut(Out):
    """What a fork takes over of the original's record.

    Its own work begins at `position`: as `requested`, or earlier, and then `reason` says why.
    """

    requested: int
    position: int
    reason: str
    edited: bool = Field(description="Whether the handler sees another input or description.")
    reused_steps: list[RecordedStepOut]
    reused_decisions: list[ReusedDecisionOut]
    asked_again: list[AskedAgainOut]


class ForkAnswer(Success):
    """The new job, null after a dry run, and what it takes over."""

    job: JobOut | None
    fork: ForkOut
