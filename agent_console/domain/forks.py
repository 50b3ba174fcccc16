"""Forks and cuts of a job's record: what is kept of it, and what is asked again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from agent_console.domain.checkpoints import CheckpointStatus
from agent_console.domain.jobs import Job, JobStatus, Json


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedStep:
    """A recorded call without its result; ``position`` counts from 0."""

    position: int
    kind: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedDecision:
    """A question of a record and what was said to it; ``reason`` is why it is asked again."""

    checkpoint_id: str
    position: int
    message: str
    status: CheckpointStatus
    decided_by_name: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What a cut before ``position`` keeps and drops; dropped decisions stay as history."""

    position: int
    kept: int  # recorded calls
    steps: Sequence[RecordedStep]  # dropped, in order
    decisions: Sequence[RecordedDecision]  # dropped; asked again where the code still asks


@dataclass(frozen=True, slots=True, kw_only=True)
class ForkRequest:
    """A job that begins with a copy of another's record before ``from_position``.

    None: as in the original.
    """

    from_position: int
    input_data: dict[str, Json] | None = None
    task_description: str | None = None
    priority: int | None = None
    auto_execute: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ForkPlan:
    """What a fork takes over.

    ``position`` is where its own work begins: ``requested``, or before it, and then ``reason`` says
    why. ``edited`` says that the handler would see another input or description.
    """

    requested: int
    position: int
    reason: str
    edited: bool
    reused_steps: Sequence[RecordedStep]
    reused_decisions: Sequence[RecordedDecision]
    asked_again: Sequence[RecordedDecision]


@dataclass(frozen=True, slots=True, kw_only=True)
class Forked:
    """The new job and what it took over; ``replayed``: the request was a repetition."""

    job: Job
    plan: ForkPlan
    replayed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ForkLine:
    """A fork as its original's page lists it."""

    id: str
    status: JobStatus
    position: int
    user_name: str | None
    created_at: datetime
