"""The tables of unique jobs and of batches; see ``store.tables``."""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy import BigInteger, Column, Index, Text
from sqlmodel import Field, SQLModel


class JobUnique(SQLModel, table=True):
    """``job_uniques``: the lock of a key, and the job that took it last.

    Whether that key blocks is never read here, but from the jobs themselves.
    """

    __tablename__: ClassVar[str] = "job_uniques"
    __table_args__ = (Index("ix_job_uniques_job_id", "job_id"),)

    job_type: str = Field(sa_type=Text, primary_key=True)
    key: str = Field(sa_type=Text, primary_key=True)
    job_id: str = Field(sa_type=Text)


class JobBatch(SQLModel, table=True):
    """``job_batches``: what a batch with an idempotency key was answered, as canonical JSON."""

    __tablename__: ClassVar[str] = "job_batches"

    id: str = Field(sa_column=Column(Text, primary_key=True))
    answer: str = Field(sa_type=Text)
    created_at: int = Field(sa_type=BigInteger)
