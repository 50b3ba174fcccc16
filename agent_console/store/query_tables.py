"""The table of saved queries; see ``store.tables``."""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, Text, text
from sqlmodel import Field, SQLModel

_SHARED = text("shared = 1")


class SavedQuery(SQLModel, table=True):
    """``saved_queries``: filters of a list under a name; ``query`` is a JSON object of texts."""

    __tablename__: ClassVar[str] = "saved_queries"
    __table_args__ = (
        CheckConstraint("resource IN ('jobs', 'checkpoints', 'audit')", name="ck_resource_known"),
        Index("uq_saved_queries_name", "owner_id", "resource", "name", unique=True),
        Index(
            "ix_saved_queries_shared",
            "resource",
            "name",
            sqlite_where=_SHARED,
            postgresql_where=_SHARED,
        ),
    )

    id: str = Field(sa_column=Column(Text, primary_key=True))
    name: str = Field(sa_type=Text)
    resource: str = Field(sa_type=Text)
    query: str = Field(sa_type=Text)
    shared: int = Field(sa_type=Integer)
    owner_id: str = Field(sa_type=Text)
    owner_name: str = Field(sa_type=Text)
    created_at: int = Field(sa_type=BigInteger)
    updated_at: int = Field(sa_type=BigInteger)
