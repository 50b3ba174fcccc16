"""Wire models of replays."""

from __future__ import annotations

from pydantic import Field

from agent_console.api.schemas.base import Instant, Out, Success
from agent_console.domain.jobs import JobStatus
from agent_console.domain.replays import DifferenceKind, ReplayEnd


class DifferenceOut(Out):
    """One thing that is not as it was; `position` is of the recorded call, counted from 0."""

    kind: DifferenceKind
    message: str
    position: int | None
    recorded: str = Field(description="What the record holds, as JSON text; may be cut.")
    replayed: str = Field(description="What the handler says now, as JSON text; may be cut.")


class ReplayOut(Out):
    """What came of a replay; `same` says that nothing differs.

    `calls` counts the recorded calls, `replayed` those that the handler made again.
    """

    job_id: str
    job_status: JobStatus
    same: bool
    end: ReplayEnd
    last: str
    calls: int
    replayed: int
    code_version: str | None
    code_version_now: str | None
    differences: list[DifferenceOut]
    at: Instant


class ReplayAnswer(Success):
    """The report on a replay."""

    replay: ReplayOut
