"""Why a job is parked, as data; forks: jobs that begin with a copy of another's record."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_COPIED = ("agent_checkpoints", "work_artifacts")


def upgrade() -> None:
    op.add_column("ai_jobs", sa.Column("park_code", sa.Text(), nullable=True))
    op.add_column("ai_jobs", sa.Column("park_detail", sa.Text(), nullable=True))
    op.add_column("ai_jobs", sa.Column("forked_from", sa.Text(), nullable=True))
    op.add_column("ai_jobs", sa.Column("forked_position", sa.Integer(), nullable=True))
    forked = sa.text("forked_from IS NOT NULL")
    op.create_index(
        "ix_ai_jobs_forked_from",
        "ai_jobs",
        ["forked_from", sa.text("id DESC")],
        sqlite_where=forked,
        postgresql_where=forked,
    )
    for table in _COPIED:
        op.add_column(table, sa.Column("forked_from", sa.Text(), nullable=True))


def downgrade() -> None:
    for table in _COPIED:
        op.drop_column(table, "forked_from")
    op.drop_index("ix_ai_jobs_forked_from", table_name="ai_jobs")
    for column in ("forked_position", "forked_from", "park_detail", "park_code"):
        op.drop_column("ai_jobs", column)
