"""What running a job again from its record shows: what its handler asks today, beside the record.

A replay has no effects. Recorded calls answer from the record, decisions included, and the replay
ends where the record ends, so that two reports differ only when the code or its input does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from agent_console.domain.jobs import JobStatus

MAX_SHOWN = 500  # characters of a value in a report
MAX_DIFFERENCES = 50


class ReplayEnd(StrEnum):
    """How a replay ended."""

    COMPLETED = "completed"  # the handler returned
    FAILED = "failed"  # the handler raised
    RECORD_END = "record_end"  # the record holds no further answer
    DIVERGED = "diverged"  # the handler asks for another call than the record holds
    STOPPED = "stopped"  # it took too long, or tried to act outside its recorded calls
    NO_HANDLER = "no_handler"


class DifferenceKind(StrEnum):
    """What differs."""

    HANDLER = "handler"
    CALL = "call"  # kind or name of a recorded call, or their number
    DETAIL = "detail"  # what was handed to a recorded call: a payload, a content, figures
    OUTPUT = "output"
    ERROR = "error"
    END = "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that is not as it was; ``position`` is of the recorded call, None: of the whole.

    ``recorded`` and ``replayed`` are JSON text, cut to ``MAX_SHOWN``; empty when there is none.
    """

    kind: DifferenceKind
    message: str
    position: int | None = None
    recorded: str = ""
    replayed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayReport:
    """What came of a replay. ``calls`` counts those the record holds, ``replayed`` those reached.

    ``last`` says in words what came after the last of them. At most ``MAX_DIFFERENCES`` are kept.
    """

    job_id: str
    job_status: JobStatus
    code_version: str | None
    code_version_now: str | None
    calls: int
    replayed: int
    end: ReplayEnd
    last: str
    differences: tuple[Difference, ...]
    at: datetime

    @property
    def same(self) -> bool:
        """Whether everything was as it was."""
        return not self.differences
