"""Notifications that are gathered: for how many minutes, by subscription."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

TABLE = "notification_subscriptions"


def upgrade() -> None:
    op.add_column(
        TABLE, sa.Column("digest_minutes", sa.Integer(), nullable=False, server_default="0")
    )


def downgrade() -> None:
    # What was gathered and not sent has no meaning to the versions before.
    op.execute("DELETE FROM notification_deliveries WHERE topic = 'digest'")
    op.drop_column(TABLE, "digest_minutes")
