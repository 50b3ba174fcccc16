"""Unique jobs: who holds a key, and what a job asked for; answers to whole batches."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_KEYED = sa.text("unique_key IS NOT NULL")


def upgrade() -> None:
    op.add_column("ai_jobs", sa.Column("unique_key", sa.Text(), nullable=True))
    op.add_column("ai_jobs", sa.Column("unique_while", sa.Text(), nullable=True))
    op.create_index(
        "ix_ai_jobs_unique",
        "ai_jobs",
        ["job_type", "unique_key", "status"],
        sqlite_where=_KEYED,
        postgresql_where=_KEYED,
    )
    op.create_table(
        "job_uniques",
        *[sa.Column(name, sa.Text(), nullable=False) for name in ("job_type", "key", "job_id")],
        sa.PrimaryKeyConstraint("job_type", "key"),
    )
    op.create_index("ix_job_uniques_job_id", "job_uniques", ["job_id"])
    op.create_table(
        "job_batches",
        *[sa.Column(name, sa.Text(), nullable=False) for name in ("id", "answer")],
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    op.drop_table("job_batches")
    op.drop_table("job_uniques")
    op.drop_index("ix_ai_jobs_unique", "ai_jobs")
    op.drop_column("ai_jobs", "unique_while")
    op.drop_column("ai_jobs", "unique_key")
