"""The tables of schedules; see ``store.tables``."""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, Text, text
from sqlmodel import Field, SQLModel

_PLANNED = text("next_fire_at IS NOT NULL")
_MADE_A_JOB = text("job_id IS NOT NULL")
_MADE_NONE = text("job_id IS NULL")


class Schedule(SQLModel, table=True):
    """``schedules``: what comes again. ``next_fire_at`` is NULL while nothing is planned.

    ``owner_id`` is whom its jobs are asked by; NULL for the system and the command line.
    """

    __tablename__: ClassVar[str] = "schedules"
    __table_args__ = (
        CheckConstraint("catch_up IN ('latest', 'all', 'skip')", name="ck_catch_up_known"),
        CheckConstraint("overlap IN ('allow', 'skip')", name="ck_overlap_known"),
        Index("uq_schedules_name", "name", unique=True),
        Index(
            "ix_schedules_due",
            "next_fire_at",
            sqlite_where=_PLANNED,
            postgresql_where=_PLANNED,
        ),
    )

    id: str = Field(sa_column=Column(Text, primary_key=True))
    name: str = Field(sa_type=Text)
    job_type: str = Field(sa_type=Text)
    input_data: str = Field(sa_type=Text)
    task_description: str = Field(sa_type=Text)
    priority: int = Field(sa_type=Integer)
    project_id: str | None = Field(default=None, sa_type=Text)
    approval_strategy: str | None = Field(default=None, sa_type=Text)
    cron: str | None = Field(default=None, sa_type=Text)
    time_zone: str = Field(sa_type=Text)  # IANA
    interval_seconds: int | None = Field(default=None, sa_type=Integer)
    catch_up: str = Field(sa_type=Text)
    overlap: str = Field(sa_type=Text)
    declared: int = Field(sa_type=Integer)  # 1: in a module of handlers
    paused: int = Field(sa_type=Integer)
    pause_reason: str = Field(sa_type=Text)
    next_fire_at: int | None = Field(default=None, sa_type=BigInteger)
    last_fire_at: int | None = Field(default=None, sa_type=BigInteger)
    last_job_id: str | None = Field(default=None, sa_type=Text)
    last_problem: str = Field(sa_type=Text)
    version: int = Field(sa_type=Integer)
    owner_id: str | None = Field(default=None, sa_type=Text)
    owner_name: str = Field(sa_type=Text)
    created_at: int = Field(sa_type=BigInteger)
    updated_at: int = Field(sa_type=BigInteger)


class ScheduleFire(SQLModel, table=True):
    """``schedule_fires``: what became of a slot. Its key is why no slot ever fires twice.

    Rows outlive their schedule: they tell where a job came from, and go with it. Those of slots
    that made none go with the journal's entry of them.
    """

    __tablename__: ClassVar[str] = "schedule_fires"
    __table_args__ = (
        CheckConstraint("outcome IN ('fired', 'skipped', 'refused')", name="ck_outcome_known"),
        Index(
            "uq_schedule_fires_job",
            "job_id",
            unique=True,
            sqlite_where=_MADE_A_JOB,
            postgresql_where=_MADE_A_JOB,
        ),
        Index(
            "ix_schedule_fires_jobs",
            "schedule_id",
            "slot",
            sqlite_where=_MADE_A_JOB,
            postgresql_where=_MADE_A_JOB,
        ),
        Index(
            "ix_schedule_fires_jobless",
            "fired_at",
            sqlite_where=_MADE_NONE,
            postgresql_where=_MADE_NONE,
        ),
    )

    schedule_id: str = Field(sa_column=Column(Text, primary_key=True))
    slot: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    manual: int = Field(sa_type=Integer)  # 1: somebody had it run beside its slots
    outcome: str = Field(sa_type=Text)
    job_id: str | None = Field(default=None, sa_type=Text)
    fired_at: int = Field(sa_type=BigInteger)
