"""The tables of the desk beside the checkpoints themselves; see ``store.tables``."""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy import BigInteger, Column, ForeignKey, Text
from sqlmodel import Field, SQLModel


class CheckpointClaim(SQLModel, table=True):
    """``checkpoint_claims``: the latest claim of each checkpoint; over when ``until`` has come."""

    __tablename__: ClassVar[str] = "checkpoint_claims"

    checkpoint_id: str = Field(
        sa_column=Column(Text, ForeignKey("agent_checkpoints.id"), primary_key=True)
    )
    user_id: str = Field(sa_type=Text)
    user_name: str = Field(sa_type=Text)
    claimed_at: int = Field(sa_type=BigInteger)
    until: int = Field(sa_type=BigInteger)


class CheckpointView(SQLModel, table=True):
    """``checkpoint_views``: who has seen a checkpoint, and looks at it until ``present_until``."""

    __tablename__: ClassVar[str] = "checkpoint_views"

    checkpoint_id: str = Field(
        sa_column=Column(Text, ForeignKey("agent_checkpoints.id"), primary_key=True)
    )
    user_id: str = Field(sa_type=Text, primary_key=True)
    user_name: str = Field(sa_type=Text)
    first_seen: int = Field(sa_type=BigInteger)
    last_seen: int = Field(sa_type=BigInteger)
    present_until: int = Field(sa_type=BigInteger)
