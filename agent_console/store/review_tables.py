"""The tables of the desk beside the checkpoints themselves; see ``store.tables``."""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Text, text
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


class ReviewPolicyVersion(SQLModel, table=True):
    """``review_policies``: a row per version; only ``superseded_at`` is ever written again.

    ``action`` is "" for all actions of the type; ``terms`` is JSON (``store.review_policies``).
    """

    __tablename__: ClassVar[str] = "review_policies"
    __table_args__ = (
        Index("uq_review_policies_version", "job_type", "action", "version", unique=True),
        Index(
            "uq_review_policies_current",
            "job_type",
            "action",
            unique=True,
            sqlite_where=text("superseded_at IS NULL"),
            postgresql_where=text("superseded_at IS NULL"),
        ),
    )

    id: str = Field(sa_column=Column(Text, primary_key=True))
    job_type: str = Field(sa_type=Text)
    action: str = Field(sa_type=Text)
    version: int = Field(sa_type=Integer)
    removed: int = Field(sa_type=Integer)
    terms: str = Field(sa_type=Text)
    saved_by: str | None = Field(default=None, sa_type=Text)
    saved_by_name: str = Field(sa_type=Text)
    saved_at: int = Field(sa_type=BigInteger)
    superseded_at: int | None = Field(default=None, sa_type=BigInteger)


class CheckpointVote(SQLModel, table=True):
    """``checkpoint_votes``: what each person said of a checkpoint that several have to decide."""

    __tablename__: ClassVar[str] = "checkpoint_votes"

    checkpoint_id: str = Field(
        sa_column=Column(Text, ForeignKey("agent_checkpoints.id"), primary_key=True)
    )
    user_id: str = Field(sa_column=Column(Text, primary_key=True))
    user_name: str = Field(sa_type=Text)
    verb: str = Field(sa_type=Text)
    digest: str = Field(sa_type=Text)  # of the payload, and of the edit if there is one
    said: str | None = Field(default=None, sa_type=Text)
    edited_data: str | None = Field(default=None, sa_type=Text)
    for_id: str | None = Field(default=None, sa_type=Text)  # in whose stead
    voted_at: int = Field(sa_type=BigInteger)


class ReviewDelegation(SQLModel, table=True):
    """``review_delegations``: whose right to decide somebody else has, from when until when."""

    __tablename__: ClassVar[str] = "review_delegations"
    __table_args__ = (Index("ix_review_delegations_to", "to_id", "ends_at"),)

    id: str = Field(sa_column=Column(Text, primary_key=True))
    from_id: str = Field(sa_type=Text, foreign_key="users.id")
    from_name: str = Field(sa_type=Text)
    to_id: str = Field(sa_type=Text, foreign_key="users.id")
    to_name: str = Field(sa_type=Text)
    starts_at: int = Field(sa_type=BigInteger)
    ends_at: int = Field(sa_type=BigInteger)
    created_by: str | None = Field(default=None, sa_type=Text)
    created_by_name: str = Field(sa_type=Text)
    created_at: int = Field(sa_type=BigInteger)
    revoked_at: int | None = Field(default=None, sa_type=BigInteger)


class ReviewerGroupRow(SQLModel, table=True):
    """``reviewer_groups``: accounts under one name; ``name_key`` is the name whatever its case."""

    __tablename__: ClassVar[str] = "reviewer_groups"
    __table_args__ = (Index("uq_reviewer_groups_name", "name_key", unique=True),)

    id: str = Field(sa_column=Column(Text, primary_key=True))
    name: str = Field(sa_type=Text)
    name_key: str = Field(sa_type=Text)
    note: str = Field(sa_type=Text)
    created_by: str | None = Field(default=None, sa_type=Text)
    created_by_name: str = Field(sa_type=Text)
    created_at: int = Field(sa_type=BigInteger)
    updated_at: int = Field(sa_type=BigInteger)


class ReviewerGroupMember(SQLModel, table=True):
    """``reviewer_group_members``: who is in which group."""

    __tablename__: ClassVar[str] = "reviewer_group_members"

    group_id: str = Field(
        sa_column=Column(Text, ForeignKey("reviewer_groups.id"), primary_key=True)
    )
    user_id: str = Field(sa_column=Column(Text, ForeignKey("users.id"), primary_key=True))
    added_by_name: str = Field(sa_type=Text)
    added_at: int = Field(sa_type=BigInteger)


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


class CheckpointComment(SQLModel, table=True):
    """``checkpoint_comments``: what was said about a checkpoint; ``body`` is "" once deleted.

    The anchor is a line of the payload and how it reads; its columns are all NULL, or none is.
    """

    __tablename__: ClassVar[str] = "checkpoint_comments"
    __table_args__ = (Index("ix_checkpoint_comments_thread", "checkpoint_id", "created_at", "id"),)

    id: str = Field(sa_column=Column(Text, primary_key=True))
    checkpoint_id: str = Field(sa_type=Text, foreign_key="agent_checkpoints.id")
    author_id: str = Field(sa_type=Text)
    author_name: str = Field(sa_type=Text)
    body: str = Field(sa_type=Text)
    mentions: str = Field(sa_type=Text)  # ids of accounts, canonical JSON
    created_at: int = Field(sa_type=BigInteger)
    edited_at: int | None = Field(default=None, sa_type=BigInteger)
    deleted_at: int | None = Field(default=None, sa_type=BigInteger)
    anchor_path: str | None = Field(default=None, sa_type=Text)
    anchor_side: str | None = Field(default=None, sa_type=Text)
    anchor_line: int | None = Field(default=None, sa_type=Integer)
    anchor_text: str | None = Field(default=None, sa_type=Text)


class ReviewSlot(SQLModel, table=True):
    """``review_slots``: how reviews went, by slot of time; old slots are pruned.

    ``slot`` counts slots of ``width`` seconds since 1970; ``measure`` is an outcome, or a stage and
    the upper bound of a bucket of its histogram (``stage|bound``); ``seconds`` is their sum.
    """

    __tablename__: ClassVar[str] = "review_slots"

    width: int = Field(sa_type=Integer, primary_key=True)
    slot: int = Field(sa_type=BigInteger, primary_key=True)
    job_type: str = Field(sa_type=Text, primary_key=True)
    risk: str = Field(sa_type=Text, primary_key=True)
    measure: str = Field(sa_type=Text, primary_key=True)
    shard: int = Field(sa_type=Integer, primary_key=True)
    value: int = Field(sa_type=BigInteger)
    seconds: float
