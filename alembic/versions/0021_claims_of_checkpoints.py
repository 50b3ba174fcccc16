"""Claims of checkpoints: who has taken one on, and until when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "checkpoint_claims",
        sa.Column("checkpoint_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("claimed_at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("checkpoint_id"),
        sa.ForeignKeyConstraint(["checkpoint_id"], ["agent_checkpoints.id"]),
    )


def downgrade() -> None:
    op.drop_table("checkpoint_claims")
