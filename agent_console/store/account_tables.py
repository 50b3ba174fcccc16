"""The tables of accounts, and of how they prove who they are; see ``store.tables``."""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy import BigInteger, Column, Index, Integer, Text
from sqlmodel import Field, SQLModel


class ConsoleUser(SQLModel, table=True):
    """``users``: accounts; ``email`` is stored in lower case."""

    __tablename__: ClassVar[str] = "users"

    id: str = Field(sa_column=Column(Text, primary_key=True))
    email: str = Field(sa_column=Column(Text, unique=True, nullable=False))
    name: str = Field(sa_type=Text)
    role: str = Field(sa_type=Text)
    password_hash: str = Field(sa_type=Text)
    disabled: int = Field(default=0, sa_type=Integer)
    failed_logins: int = Field(default=0, sa_type=Integer)
    locked_until: int = Field(default=0, sa_type=BigInteger)
    created_at: int = Field(sa_type=BigInteger)
    updated_at: int = Field(sa_type=BigInteger)


class UserSession(SQLModel, table=True):
    """``sessions``: browser sessions; ``id`` is the SHA-256 of the cookie's secret."""

    __tablename__: ClassVar[str] = "sessions"
    __table_args__ = (Index("ix_sessions_user", "user_id"), Index("ix_sessions_end", "expires_at"))

    id: str = Field(sa_column=Column(Text, primary_key=True))
    user_id: str = Field(sa_type=Text, foreign_key="users.id")
    created_at: int = Field(sa_type=BigInteger)
    last_seen_at: int = Field(sa_type=BigInteger)
    expires_at: int = Field(sa_type=BigInteger)
    revoked_at: int | None = Field(default=None, sa_type=BigInteger)
    ip: str | None = Field(default=None, sa_type=Text)
    user_agent: str | None = Field(default=None, sa_type=Text)


class ApiToken(SQLModel, table=True):
    """``api_tokens``: ``ac_<id>_<secret>``; only the SHA-256 of the secret is stored."""

    __tablename__: ClassVar[str] = "api_tokens"
    __table_args__ = (Index("ix_api_tokens_user", "user_id"),)

    id: str = Field(sa_column=Column(Text, primary_key=True))
    user_id: str = Field(sa_type=Text, foreign_key="users.id")
    name: str = Field(sa_type=Text)
    secret_hash: str = Field(sa_type=Text)
    scopes: str = Field(sa_type=Text)
    created_at: int = Field(sa_type=BigInteger)
    expires_at: int | None = Field(default=None, sa_type=BigInteger)
    last_used_at: int | None = Field(default=None, sa_type=BigInteger)
    revoked_at: int | None = Field(default=None, sa_type=BigInteger)


class SetupLink(SQLModel, table=True):
    """``setup_links``: single-use invitations to make the first admin; ``id`` is a SHA-256."""

    __tablename__: ClassVar[str] = "setup_links"

    id: str = Field(sa_column=Column(Text, primary_key=True))
    expires_at: int = Field(sa_type=BigInteger)
    used_at: int | None = Field(default=None, sa_type=BigInteger)
