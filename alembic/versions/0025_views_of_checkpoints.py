"""Views of checkpoints: who has seen one, first and last."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "checkpoint_views",
        sa.Column("checkpoint_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.Column("present_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("checkpoint_id", "user_id"),
        sa.ForeignKeyConstraint(["checkpoint_id"], ["agent_checkpoints.id"]),
    )


def downgrade() -> None:
    op.drop_table("checkpoint_views")
