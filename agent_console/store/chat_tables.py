"""The tables of conversations; see ``store.tables``."""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, Text, text
from sqlmodel import Field, SQLModel

_ON_JOB = text("job_id IS NOT NULL AND checkpoint_id IS NULL")
_ON_CHECKPOINT = text("checkpoint_id IS NOT NULL")
_FROM_CLIENT = text("client_id IS NOT NULL")
_ANSWER = text("reply_to IS NOT NULL")


class ChatSession(SQLModel, table=True):
    """``chat_sessions``: one conversation, at most one per job and one per checkpoint."""

    __tablename__: ClassVar[str] = "chat_sessions"
    __table_args__ = (
        Index(
            "uq_chat_sessions_job",
            "job_id",
            unique=True,
            sqlite_where=_ON_JOB,
            postgresql_where=_ON_JOB,
        ),
        Index(
            "uq_chat_sessions_checkpoint",
            "checkpoint_id",
            unique=True,
            sqlite_where=_ON_CHECKPOINT,
            postgresql_where=_ON_CHECKPOINT,
        ),
        Index("ix_chat_sessions_updated", "updated_at", "id"),
        Index(
            "ix_chat_sessions_job",
            "job_id",
            sqlite_where=text("job_id IS NOT NULL"),
            postgresql_where=text("job_id IS NOT NULL"),
        ),
    )

    id: str = Field(sa_column=Column(Text, primary_key=True))
    title: str = Field(sa_type=Text)
    job_id: str | None = Field(default=None, sa_type=Text, foreign_key="ai_jobs.id")
    checkpoint_id: str | None = Field(
        default=None, sa_type=Text, foreign_key="agent_checkpoints.id"
    )
    created_by: str = Field(sa_type=Text)
    created_by_name: str = Field(sa_type=Text)
    last_seq: int = Field(sa_type=Integer)
    created_at: int = Field(sa_type=BigInteger)
    updated_at: int = Field(sa_type=BigInteger)


class ChatMessage(SQLModel, table=True):
    """``chat_messages``: what was said; ``seq`` has no gaps within a conversation."""

    __tablename__: ClassVar[str] = "chat_messages"
    __table_args__ = (
        CheckConstraint("role IN ('user', 'assistant', 'system')", name="ck_role_known"),
        Index(
            "uq_chat_messages_client",
            "session_id",
            "author_id",
            "client_id",
            unique=True,
            sqlite_where=_FROM_CLIENT,
            postgresql_where=_FROM_CLIENT,
        ),
        Index(
            "uq_chat_messages_answer",
            "session_id",
            "reply_to",
            unique=True,
            sqlite_where=_ANSWER,
            postgresql_where=_ANSWER,
        ),
    )

    session_id: str = Field(sa_type=Text, primary_key=True, foreign_key="chat_sessions.id")
    seq: int = Field(sa_type=Integer, primary_key=True)
    role: str = Field(sa_type=Text)
    content: str = Field(sa_type=Text)
    author_id: str | None = Field(default=None, sa_type=Text)
    author_name: str = Field(sa_type=Text)
    client_id: str | None = Field(default=None, sa_type=Text)
    reply_to: int | None = Field(default=None, sa_type=Integer)
    created_at: int = Field(sa_type=BigInteger)


class ChatParticipant(SQLModel, table=True):
    """``chat_participants``: who is in a conversation, and up to where they have read it."""

    __tablename__: ClassVar[str] = "chat_participants"

    session_id: str = Field(sa_type=Text, primary_key=True, foreign_key="chat_sessions.id")
    user_id: str = Field(sa_type=Text, primary_key=True)
    user_name: str = Field(sa_type=Text)
    joined_at: int = Field(sa_type=BigInteger)
    read_seq: int = Field(sa_type=Integer)
