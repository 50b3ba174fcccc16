"""External workers: callbacks of jobs, and the circuit breakers of each worker."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "job_callbacks",
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("token_hash"),
        sa.ForeignKeyConstraint(["job_id"], ["ai_jobs.id"]),
    )
    op.create_index("ix_job_callbacks_job", "job_callbacks", ["job_id", "position"])
    op.add_column(
        "agent_workers", sa.Column("breakers", sa.Text(), nullable=False, server_default="{}")
    )


def downgrade() -> None:
    op.drop_column("agent_workers", "breakers")
    op.drop_table("job_callbacks")
