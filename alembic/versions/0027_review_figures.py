"""Figures of reviews by slot of time, and the gravest finding of each checkpoint."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("agent_checkpoints", sa.Column("risk", sa.Text(), nullable=True))
    op.create_table(
        "review_slots",
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("job_type", sa.Text(), nullable=False),
        sa.Column("risk", sa.Text(), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("width", "slot", "job_type", "risk", "measure", "shard"),
    )


def downgrade() -> None:
    op.drop_table("review_slots")
    op.drop_column("agent_checkpoints", "risk")
