"""Schedules: work that comes again and again, by a cron expression or at an interval."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from agent_console.domain.jobs import DEFAULT_PRIORITY, JobStatus, Json
from agent_console.domain.queries import Paging

MIN_INTERVAL, MAX_INTERVAL = 1, 31_622_400  # seconds; the latter is a leap year
CATCH_UP_CAP = 100  # jobs that one fire makes up for
SKIP_GRACE = 60  # seconds; a slot that is later than this was missed, for the policy `skip`
UTC_ZONE = "UTC"


class ScheduleKind(StrEnum):
    """What tells the slots of a schedule."""

    CRON = "cron"
    INTERVAL = "interval"


class CatchUp(StrEnum):
    """What becomes of slots that passed while no process could fire."""

    LATEST = "latest"  # one job for all of them
    ALL = "all"  # a job each, of the newest ``CATCH_UP_CAP``
    SKIP = "skip"  # none


class Overlap(StrEnum):
    """What happens at a slot while an earlier job of the schedule is unfinished."""

    ALLOW = "allow"
    SKIP = "skip"


class FireOutcome(StrEnum):
    """What became of a slot."""

    FIRED = "fired"
    SKIPPED = "skipped"  # an earlier job was unfinished
    REFUSED = "refused"  # its job type does not take the input, or is unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """When: ``cron`` in the wall time of ``time_zone`` (IANA), or every ``interval_seconds``."""

    cron: str | None = None
    time_zone: str = UTC_ZONE
    interval_seconds: int | None = None

    @property
    def kind(self) -> ScheduleKind:
        """Which of the two it is."""
        return ScheduleKind.INTERVAL if self.cron is None else ScheduleKind.CRON


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSchedule:
    """What a client asks to be run, and when. ``name`` is unique in the console."""

    name: str
    job_type: str
    rule: Rule
    input_data: dict[str, Json] = field(default_factory=dict)
    task_description: str = ""
    priority: int = DEFAULT_PRIORITY
    project_id: str | None = None
    approval_strategy: str | None = None
    catch_up: CatchUp = CatchUp.LATEST
    overlap: Overlap = Overlap.ALLOW


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleChange:
    """What to change; None stays as it is. ``project_id`` and ``approval_strategy``: "" for none.

    ``time_zone`` alone moves a cron expression to another zone.
    """

    name: str | None = None
    job_type: str | None = None
    cron: str | None = None
    time_zone: str | None = None
    interval_seconds: int | None = None
    input_data: dict[str, Json] | None = None
    task_description: str | None = None
    priority: int | None = None
    project_id: str | None = None
    approval_strategy: str | None = None
    catch_up: CatchUp | None = None
    overlap: Overlap | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule(NewSchedule):
    """A schedule as it stands. Its owner is the asker of its jobs; no ``owner_id``: the system.

    ``declared`` says that a module of handlers declares it: there it is changed. ``pause_reason``
    is why the console paused it, empty when somebody did. ``last_problem`` is why the last slot
    made no job, empty when it did. ``version`` rises with every change of what it does.
    """

    id: str
    declared: bool
    paused: bool
    pause_reason: str
    next_fire_at: datetime | None
    last_fire_at: datetime | None
    last_job_id: str | None
    last_job_status: JobStatus | None
    last_problem: str
    version: int
    owner_id: str | None
    owner_name: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleView(Schedule):
    """A schedule with what follows from it: its rule in words, and its next slots."""

    words: str
    next_runs: tuple[datetime, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOrigin:
    """Which schedule made a job, and for which slot; ``name`` is empty once it is deleted.

    ``manual`` says that somebody had it run at once, beside its slots.
    """

    schedule_id: str
    name: str
    slot: datetime
    manual: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleQuery(Paging):
    """Schedules, newest first."""

    job_type: str | None = None
