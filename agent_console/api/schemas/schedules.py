"""Wire models of schedules."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StrictInt, StrictStr, StringConstraints

from agent_console.api.parameters import PageParams
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
from agent_console.api.schemas.jobs import ApprovalStrategy
from agent_console.domain.jobs import DEFAULT_PRIORITY, MAX_PRIORITY, MIN_PRIORITY, JobStatus
from agent_console.domain.schedules import (
    MAX_INTERVAL,
    MIN_INTERVAL,
    UTC_ZONE,
    CatchUp,
    NewSchedule,
    Overlap,
    Rule,
    ScheduleChange,
    ScheduleKind,
    ScheduleQuery,
    ScheduleView,
)
from agent_console.services.recurrence import MAX_CRON
from agent_console.services.schedules import NEXT_RUNS

_Name = Annotated[StrictStr, StringConstraints(min_length=1, max_length=200)]
_Description = Annotated[StrictStr, StringConstraints(max_length=4_000)]
_Priority = Annotated[StrictInt, Field(ge=MIN_PRIORITY, le=MAX_PRIORITY)]
_Cron = Annotated[
    StrictStr,
    StringConstraints(min_length=1, max_length=MAX_CRON),
    Field(
        description="Minute, hour, day of month, month, day of week, in the wall time of"
        " `timeZone`; or `@daily` and the like.",
        examples=["0 3 * * *"],
    ),
]
_Zone = Annotated[
    StrictStr,
    StringConstraints(min_length=1, max_length=100),
    Field(description="An IANA time zone.", examples=["Europe/Berlin"]),
]
_Interval = Annotated[
    StrictInt,
    Field(ge=MIN_INTERVAL, le=MAX_INTERVAL, description="Seconds, instead of `cron`."),
]
_CatchUp = Annotated[
    CatchUp,
    Field(
        description="What becomes of slots that passed while nothing ran: one job for all of them"
        " (`latest`), a job each, the newest 100 at most (`all`), or none (`skip`)."
    ),
]
_Overlap = Annotated[
    Overlap,
    Field(description="`skip`: no job at a slot while an earlier one is unfinished."),
]


class ScheduleParams(PageParams):
    """Filters of the schedules."""

    job_type: Annotated[str, StringConstraints(max_length=200)] | None = None

    def to_query(self) -> ScheduleQuery:
        """Return the domain's value."""
        return ScheduleQuery(**self.model_dump())


class PreviewParams(In):
    """A rule to look at before it is kept: `cron` with `timeZone`, or `intervalSeconds`."""

    cron: Annotated[str, StringConstraints(min_length=1, max_length=MAX_CRON)] | None = None
    time_zone: Annotated[str, StringConstraints(min_length=1, max_length=100)] = UTC_ZONE
    interval_seconds: Annotated[int, Field(ge=MIN_INTERVAL, le=MAX_INTERVAL)] | None = None
    count: Annotated[int, Field(ge=1, le=50, description="How many runs ahead.")] = NEXT_RUNS

    def to_rule(self) -> Rule:
        """Return the domain's value."""
        return Rule(
            cron=self.cron, time_zone=self.time_zone, interval_seconds=self.interval_seconds
        )


class NewScheduleIn(In):
    """Work to be done again and again; give either `cron` or `intervalSeconds`."""

    model_config = example(
        name="Nightly greeting",
        jobType="simple-task",
        inputData={"userId": "u-1", "action": "greet"},
        cron="0 3 * * *",
        timeZone="Europe/Berlin",
    )

    name: _Name
    job_type: _Name
    input_data: dict[str, Any] = Field(default_factory=dict)
    task_description: _Description = ""
    priority: _Priority = DEFAULT_PRIORITY
    project_id: _Name | None = None
    approval_strategy: ApprovalStrategy | None = None
    cron: _Cron | None = None
    time_zone: _Zone = UTC_ZONE
    interval_seconds: _Interval | None = None
    catch_up: _CatchUp = CatchUp.LATEST
    overlap: _Overlap = Overlap.ALLOW

    def to_new(self) -> NewSchedule:
        """Return the domain's value."""
        return NewSchedule(
            name=self.name,
            job_type=self.job_type,
            rule=Rule(
                cron=self.cron, time_zone=self.time_zone, interval_seconds=self.interval_seconds
            ),
            input_data=self.input_data,
            task_description=self.task_description,
            priority=self.priority,
            project_id=self.project_id,
            approval_strategy=self.approval_strategy and self.approval_strategy.value,
            catch_up=self.catch_up,
            overlap=self.overlap,
        )


class ScheduleChangeIn(In):
    """What to change; what is left out stays, `""` takes project and strategy away."""

    model_config = example(cron="30 4 * * MON-FRI")

    name: _Name | None = None
    job_type: _Name | None = None
    input_data: dict[str, Any] | None = None
    task_description: _Description | None = None
    priority: _Priority | None = None
    project_id: Annotated[StrictStr, StringConstraints(max_length=200)] | None = None
    approval_strategy: Annotated[StrictStr, StringConstraints(max_length=200)] | None = None
    cron: _Cron | None = None
    time_zone: _Zone | None = None
    interval_seconds: _Interval | None = None
    catch_up: _CatchUp | None = None
    overlap: _Overlap | None = None

    def to_change(self) -> ScheduleChange:
        """Return the domain's value."""
        return ScheduleChange(**{name: getattr(self, name) for name in type(self).model_fields})


class ScheduleOut(Out):
    """A schedule. `declared`: a module of handlers declares it, and there it is changed.

    `pauseReason` is why the console paused it, `lastProblem` why its last slot made no job.
    `nextRuns` are the slots ahead; empty while it is paused. No `ownerId`: the system owns it.
    """

    id: str
    name: str
    job_type: str
    input_data: JsonOut
    task_description: str
    priority: int
    project_id: str | None
    approval_strategy: str | None
    kind: ScheduleKind
    cron: str | None
    time_zone: str
    interval_seconds: int | None
    words: str = Field(description="The rule, for people.")
    catch_up: CatchUp
    overlap: Overlap
    declared: bool
    paused: bool
    pause_reason: str
    next_fire_at: Instant | None
    next_runs: list[Instant]
    last_fire_at: Instant | None
    last_job_id: str | None
    last_job_status: JobStatus | None
    last_problem: str
    owner_id: str | None
    owner_name: str
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, view: ScheduleView) -> ScheduleOut:
        """Return the wire form of ``view``."""
        given = attributes(view)
        rule = given.pop("rule")
        given.pop("version")
        return cls(**given, kind=rule.kind, **attributes(rule))


class ScheduleAnswer(Success):
    """One schedule."""

    schedule: ScheduleOut

    @classmethod
    def of(cls, schedule: ScheduleView) -> ScheduleAnswer:
        """Return the answer."""
        return cls(schedule=ScheduleOut.of(schedule))


class SchedulePage(Success):
    """A page of schedules, newest first."""

    schedules: list[ScheduleOut]
    pagination: Pagination


class PreviewOut(Out):
    """What a rule means."""

    words: str
    next_runs: list[Instant]


class PreviewAnswer(Success):
    """The look ahead."""

    preview: PreviewOut
