"""The table of job types; see ``store.tables``."""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy import BigInteger, Column, Integer, Text
from sqlmodel import Field, SQLModel


class JobType(SQLModel, table=True):
    """``job_types``: limits and pause of each job type that a worker has ever registered.

    ``declared`` and ``overrides`` are JSON; ``max_running`` to ``start_interval`` are what follows
    from them, for the statements that admit jobs. A row is never deleted.
    """

    __tablename__: ClassVar[str] = "job_types"

    job_type: str = Field(sa_column=Column(Text, primary_key=True))
    gated: int = Field(default=0, sa_type=Integer)  # 1: limited or paused, jobs need admission
    keyed: int = Field(default=0, sa_type=Integer)  # 1: its handler declares a key
    declared: str = Field(default="{}", sa_type=Text)
    overrides: str = Field(default="{}", sa_type=Text)
    max_running: int | None = Field(default=None, sa_type=Integer)
    max_per_key: int | None = Field(default=None, sa_type=Integer)
    starts: int | None = Field(default=None, sa_type=Integer)
    start_interval: int | None = Field(default=None, sa_type=BigInteger)  # µs per start
    spoken_until: int = Field(default=0, sa_type=BigInteger)  # to when starts are given away
    paused_at: int | None = Field(default=None, sa_type=BigInteger)
    paused_by: str | None = Field(default=None, sa_type=Text)
    paused_by_name: str | None = Field(default=None, sa_type=Text)
    pause_reason: str | None = Field(default=None, sa_type=Text)
    updated_at: int = Field(sa_type=BigInteger)
