"""Notifications: who hears of checkpoints, the outbox, and how far it has come."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_PENDING = sa.text("status = 'pending'")


def upgrade() -> None:
    _subscriptions()
    _deliveries()
    op.create_table(
        "notification_cursor",
        _text("id"),
        _instant("seq"),
        _instant("reminded_until"),
        sa.PrimaryKeyConstraint("id"),
    )


def _text(name: str, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=null)


def _instant(name: str, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=null)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _subscriptions() -> None:
    op.create_table(
        "notification_subscriptions",
        *[_text(name) for name in ("id", "name", "way", "target", "shown")],
        _number("shared"),
        _text("owner_id", null=True),
        *[_text(name) for name in ("owner_name", "topics", "job_types")],
        _number("decidable"),
        _text("reminders"),
        _number("enabled"),
        _text("disabled_reason"),
        _instant("active_since"),
        _instant("failing_since", null=True),
        *[_instant(name) for name in ("created_at", "updated_at")],
        sa.PrimaryKeyConstraint("id"),
        sa.CheckConstraint("way IN ('apprise', 'webhook')", name="ck_way_known"),
    )
    op.create_index(
        "ix_notification_subscriptions_owner", "notification_subscriptions", ["owner_id"]
    )


def _deliveries() -> None:
    table = "notification_deliveries"
    op.create_table(
        table,
        *[_text(name) for name in ("id", "subscription_id", "event_key", "topic")],
        *[_text(name, null=True) for name in ("job_id", "checkpoint_id")],
        *[_text(name) for name in ("body", "status")],
        *[_number(name) for name in ("attempts", "tries")],
        _instant("due_at"),
        _text("log"),
        _instant("created_at"),
        _instant("finished_at", null=True),
        sa.PrimaryKeyConstraint("id"),
        sa.CheckConstraint(
            "status IN ('pending', 'sent', 'failed', 'dropped')", name="ck_status_known"
        ),
    )
    op.create_index(
        "uq_notification_deliveries_event", table, ["subscription_id", "event_key"], unique=True
    )
    op.create_index("ix_notification_deliveries_log", table, ["subscription_id", "id"])
    op.create_index("ix_notification_deliveries_job", table, ["job_id"])
    for name, columns in {
        "ix_notification_deliveries_due": ["due_at", "subscription_id"],
        "ix_notification_deliveries_next": ["subscription_id", "due_at"],
    }.items():
        op.create_index(name, table, columns, sqlite_where=_PENDING, postgresql_where=_PENDING)


def downgrade() -> None:
    op.drop_table("notification_cursor")
    op.drop_table("notification_deliveries")
    op.drop_table("notification_subscriptions")
