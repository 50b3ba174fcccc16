"""Rounds: which proposal of how many a checkpoint is, and the one before it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLE = "agent_checkpoints"


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("round", sa.Integer(), nullable=False, server_default="1"))
    op.add_column(TABLE, sa.Column("rounds", sa.Integer(), nullable=True))
    op.add_column(TABLE, sa.Column("previous_id", sa.Text(), nullable=True))


def downgrade() -> None:
    for column in ("previous_id", "rounds", "round"):
        op.drop_column(TABLE, column)
