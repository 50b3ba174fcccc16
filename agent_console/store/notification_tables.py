"""The tables of notifications; see ``store.tables``."""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, Text, text
from sqlmodel import Field, SQLModel

_PENDING = text("status = 'pending'")


class NotificationSubscription(SQLModel, table=True):
    """``notification_subscriptions``: who hears of what, where.

    ``target`` is ciphertext; ``topics``, ``job_types`` and ``reminders`` are JSON lists. Shared
    ones have no ``owner_id``.
    """

    __tablename__: ClassVar[str] = "notification_subscriptions"
    __table_args__ = (
        CheckConstraint("way IN ('apprise', 'webhook')", name="ck_way_known"),
        Index("ix_notification_subscriptions_owner", "owner_id"),
    )

    id: str = Field(sa_column=Column(Text, primary_key=True))
    name: str = Field(sa_type=Text)
    way: str = Field(sa_type=Text)
    target: str = Field(sa_type=Text)
    shown: str = Field(sa_type=Text)
    shared: int = Field(sa_type=Integer)
    owner_id: str | None = Field(default=None, sa_type=Text)
    owner_name: str = Field(sa_type=Text)
    topics: str = Field(sa_type=Text)
    job_types: str = Field(sa_type=Text)
    decidable: int = Field(sa_type=Integer)
    reminders: str = Field(sa_type=Text)
    digest_minutes: int = Field(
        default=0, sa_type=Integer, sa_column_kwargs={"server_default": "0"}
    )
    enabled: int = Field(sa_type=Integer)
    disabled_reason: str = Field(sa_type=Text)
    active_since: int = Field(sa_type=BigInteger)
    failing_since: int | None = Field(default=None, sa_type=BigInteger)
    created_at: int = Field(sa_type=BigInteger)
    updated_at: int = Field(sa_type=BigInteger)


class NotificationDelivery(SQLModel, table=True):
    """``notification_deliveries``: the outbox, and the log of what became of it.

    ``event_key`` names what is told, so that nothing is told twice. ``due_at`` is when it is to
    be sent; whoever sends it puts that off first, which is its lease. ``attempts`` counts all
    attempts and is the fence of the one under way; ``tries`` those since it was made or sent again
    by hand. ``log`` is a JSON list of attempts.
    """

    __tablename__: ClassVar[str] = "notification_deliveries"
    __table_args__ = (
        CheckConstraint(
            "status IN ('pending', 'sent', 'failed', 'dropped')", name="ck_status_known"
        ),
        Index("uq_notification_deliveries_event", "subscription_id", "event_key", unique=True),
        Index("ix_notification_deliveries_log", "subscription_id", "id"),
        Index("ix_notification_deliveries_job", "job_id"),
        Index(
            "ix_notification_deliveries_due",
            "due_at",
            "subscription_id",
            sqlite_where=_PENDING,
            postgresql_where=_PENDING,
        ),
        Index(
            "ix_notification_deliveries_next",
            "subscription_id",
            "due_at",
            sqlite_where=_PENDING,
            postgresql_where=_PENDING,
        ),
    )

    id: str = Field(sa_column=Column(Text, primary_key=True))
    subscription_id: str = Field(sa_type=Text)
    event_key: str = Field(sa_type=Text)
    topic: str = Field(sa_type=Text)
    job_id: str | None = Field(default=None, sa_type=Text)
    checkpoint_id: str | None = Field(default=None, sa_type=Text)
    body: str = Field(sa_type=Text)
    status: str = Field(sa_type=Text)
    attempts: int = Field(sa_type=Integer)
    tries: int = Field(sa_type=Integer)
    due_at: int = Field(sa_type=BigInteger)
    log: str = Field(sa_type=Text)
    created_at: int = Field(sa_type=BigInteger)
    finished_at: int | None = Field(default=None, sa_type=BigInteger)


class NotificationCursor(SQLModel, table=True):
    """``notification_cursor``: one row; how far the journal, and time, have been told of."""

    __tablename__: ClassVar[str] = "notification_cursor"

    id: str = Field(sa_column=Column(Text, primary_key=True))  # 'all'
    seq: int = Field(sa_type=BigInteger)
    reminded_until: int = Field(sa_type=BigInteger)
