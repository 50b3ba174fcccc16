"""Wire models of job types, their limits and pauses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, StrictInt, StrictStr, StringConstraints

from agent_console.api.schemas.base import (
    In,
    Instant,
    JsonOut,
    Out,
    Success,
    attributes,
    example,
)
from agent_console.domain.limits import LONGEST, MOST, SHORTEST, Caps, JobTypeState
from agent_console.domain.records import HandlerInfo

_Count = Annotated[StrictInt, Field(ge=0, le=MOST)]
_Reason = Annotated[StrictStr, StringConstraints(max_length=500)]


class LimitsOut(Out):
    """Limits over all workers; null is none. ``per`` is seconds."""

    running: int | None
    per_key: int | None
    starts: int | None
    per: float | None


class PauseOut(Out):
    """Who paused the type, when and why."""

    by: str
    at: Instant
    reason: str


class JobTypeOut(Out):
    """A job type with its limits and live numbers.

    ``inputSchema`` is JSON Schema, ``examples`` work as they are; both are empty where no handler
    is known. ``agent`` says that its jobs are work sessions, and that the schema is of
    ``taskConfiguration``.
    """

    job_type: str
    title: str
    description: str = ""
    version: str | None = None
    input_schema: JsonOut
    examples: list[JsonOut]
    max_attempts: int | None = None
    agent: bool = False
    known: bool = Field(description="Whether this process has a handler of it.")
    keyed: bool = Field(description="Whether its handler declares a key for perKey.")
    declared: LimitsOut = Field(description="As its handler declares.")
    overrides: LimitsOut = Field(description="Set by an operator: null as declared, 0 lifted.")
    limits: LimitsOut = Field(description="What applies.")
    pause: PauseOut | None
    running: int
    queued: int = Field(description="Waiting to start, for whatever reason.")
    held: int = Field(description="Of the queued, those that are due and not let in.")
    capped: bool = Field(description="Whether queued and held are floors of larger numbers.")
    starts_left: int | None = Field(description="Runs that may begin now under the rate.")

    @classmethod
    def of(cls, state: JobTypeState, known: Sequence[HandlerInfo]) -> JobTypeOut:
        """Return the wire's form of ``state``; ``known`` are the handlers of this process."""
        info = next((one for one in known if one.job_type == state.job_type), None)
        handler = {"input_schema": {}, "examples": []} if info is None else attributes(info)
        return cls.model_validate(handler | attributes(state))


class JobTypesAnswer(Success):
    """All job types by name."""

    job_types: list[JobTypeOut]


class JobTypeAnswer(Success):
    """One job type."""

    job_type: JobTypeOut


class LimitsIn(In):
    """An operator's limits; they replace earlier ones as a whole."""

    running: _Count | None = Field(None, description="At once; null as declared, 0 no limit.")
    per_key: _Count | None = Field(None, description="At once with the same key.")
    starts: _Count | None = Field(None, description="Runs that may begin in `per` seconds.")
    per: Annotated[float, Field(ge=SHORTEST, le=LONGEST, strict=True)] | None = None

    def to_caps(self) -> Caps:
        """Return the domain's value."""
        return Caps(running=self.running, per_key=self.per_key, starts=self.starts, per=self.per)


class JobTypeChangeIn(In):
    """Either an action, or limits."""

    model_config = example(action="pause", reason="The supplier is down.")

    action: Literal["pause", "resume"] | None = None
    reason: _Reason = ""
    limits: LimitsIn | None = None
