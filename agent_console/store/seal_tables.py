"""The table of the journal's seals; see ``domain.seals`` and ``store.tables``."""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy import BigInteger, Column, Index, Integer, Text, text
from sqlmodel import Field, SQLModel


class AuditSeal(SQLModel, table=True):
    """``audit_seals``: one row per sealed batch; what it says of pruning is all that changes."""

    __tablename__: ClassVar[str] = "audit_seals"
    __table_args__ = (
        Index("uq_audit_seals_last", "last_seq", unique=True),
        Index(
            "ix_audit_seals_held",
            "number",
            sqlite_where=text("count > 0"),
            postgresql_where=text("count > 0"),
        ),
    )

    number: int | None = Field(
        default=None,
        sa_column=Column(
            BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
        ),
    )
    first_seq: int = Field(sa_type=BigInteger)
    last_seq: int = Field(sa_type=BigInteger)
    count: int = Field(sa_type=Integer)
    root: str = Field(sa_type=Text)
    newest_at: int = Field(sa_type=BigInteger)  # of its rows, when it was made
    sealed_at: int = Field(sa_type=BigInteger)
    previous: str = Field(sa_type=Text)
    hash: str = Field(sa_type=Text)
    pruned_at: int | None = Field(default=None, sa_type=BigInteger)
    anchor: int = Field(default=0, sa_type=Integer)
    key_id: str = Field(sa_type=Text)
    mac: str = Field(sa_type=Text)
    prints: str = Field(sa_type=Text)  # large, so it is last: SQLite reads a row from its front
