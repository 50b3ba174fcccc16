"""Job types: limits and pauses, and the gate before each job of a limited type."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

TABLE = "ai_jobs"
CLAIMABLE = "status IN ('PENDING', 'QUEUED')"
READY = f"{CLAIMABLE} AND gate IN (0, 2)"
HELD = f"{CLAIMABLE} AND gate = 1"
BEHIND = f"{CLAIMABLE} AND gate = 3"
TAKEN = "status = 'RUNNING' AND gate > 0"
BEST = (sa.text("priority DESC"), "run_at", "id")
GATES = {
    "ix_ai_jobs_gated": (HELD, ("job_type", *BEST)),
    "ix_ai_jobs_gated_due": (HELD, ("job_type", "run_at")),
    "ix_ai_jobs_behind": (BEHIND, ("job_type", "lane", *BEST)),
    "ix_ai_jobs_taken": (TAKEN, ("job_type", "lane")),
}


def _index(name: str, condition: str, *columns: str | sa.TextClause) -> None:
    where = sa.text(condition)
    op.create_index(name, TABLE, list(columns), sqlite_where=where, postgresql_where=where)


def _queue(condition: str) -> None:
    """Make the indexes of what can be claimed anew, for rows that meet ``condition``."""
    for name in ("ix_ai_jobs_ready", "ix_ai_jobs_due"):
        op.drop_index(name, table_name=TABLE)
    _index("ix_ai_jobs_ready", condition, *BEST)
    _index("ix_ai_jobs_due", condition, "run_at")


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("gate", sa.Integer(), nullable=False, server_default="0"))
    op.add_column(TABLE, sa.Column("lane", sa.Text(), nullable=True))
    _queue(READY)
    for name, (condition, columns) in GATES.items():
        _index(name, condition, *columns)
    op.create_table(
        "job_types",
        sa.Column("job_type", sa.Text(), nullable=False),
        sa.Column("gated", sa.Integer(), nullable=False),
        sa.Column("keyed", sa.Integer(), nullable=False),
        sa.Column("declared", sa.Text(), nullable=False),
        sa.Column("overrides", sa.Text(), nullable=False),
        sa.Column("max_running", sa.Integer(), nullable=True),
        sa.Column("max_per_key", sa.Integer(), nullable=True),
        sa.Column("starts", sa.Integer(), nullable=True),
        sa.Column("start_interval", sa.BigInteger(), nullable=True),
        sa.Column("spoken_until", sa.BigInteger(), nullable=False),
        sa.Column("paused_at", sa.BigInteger(), nullable=True),
        sa.Column("paused_by", sa.Text(), nullable=True),
        sa.Column("paused_by_name", sa.Text(), nullable=True),
        sa.Column("pause_reason", sa.Text(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("job_type"),
    )


def downgrade() -> None:
    op.drop_table("job_types")
    for name in GATES:
        op.drop_index(name, table_name=TABLE)
    _queue(CLAIMABLE)
    op.drop_column(TABLE, "lane")
    op.drop_column(TABLE, "gate")
