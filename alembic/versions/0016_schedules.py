"""Schedules: work that comes again, and what became of each of its slots."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_PLANNED = sa.text("next_fire_at IS NOT NULL")
_MADE_A_JOB = sa.text("job_id IS NOT NULL")


def upgrade() -> None:
    _schedules()
    _fires()


def _schedules() -> None:
    def text(name: str, null: bool = False) -> sa.Column[str]:
        return sa.Column(name, sa.Text(), nullable=null)

    def number(name: str, null: bool = False) -> sa.Column[int]:
        return sa.Column(name, sa.Integer(), nullable=null)

    def instant(name: str, null: bool = False) -> sa.Column[int]:
        return sa.Column(name, sa.BigInteger(), nullable=null)

    op.create_table(
        "schedules",
        *[text(name) for name in ("id", "name", "job_type", "input_data", "task_description")],
        number("priority"),
        *[text(name, null=True) for name in ("project_id", "approval_strategy", "cron")],
        text("time_zone"),
        number("interval_seconds", null=True),
        *[text(name) for name in ("catch_up", "overlap", "pause_reason", "last_problem")],
        *[number(name) for name in ("declared", "paused", "version")],
        *[instant(name, null=True) for name in ("next_fire_at", "last_fire_at")],
        *[text(name, null=True) for name in ("last_job_id", "owner_id")],
        text("owner_name"),
        *[instant(name) for name in ("created_at", "updated_at")],
        sa.PrimaryKeyConstraint("id"),
        sa.CheckConstraint("catch_up IN ('latest', 'all', 'skip')", name="ck_catch_up_known"),
        sa.CheckConstraint("overlap IN ('allow', 'skip')", name="ck_overlap_known"),
    )
    op.create_index("uq_schedules_name", "schedules", ["name"], unique=True)
    op.create_index(
        "ix_schedules_due",
        "schedules",
        ["next_fire_at"],
        sqlite_where=_PLANNED,
        postgresql_where=_PLANNED,
    )


def _fires() -> None:
    op.create_table(
        "schedule_fires",
        sa.Column("schedule_id", sa.Text(), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("manual", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Text(), nullable=True),
        sa.Column("fired_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("schedule_id", "slot"),
        sa.CheckConstraint("outcome IN ('fired', 'skipped', 'refused')", name="ck_outcome_known"),
    )
    op.create_index(
        "uq_schedule_fires_job",
        "schedule_fires",
        ["job_id"],
        unique=True,
        sqlite_where=_MADE_A_JOB,
        postgresql_where=_MADE_A_JOB,
    )
    op.create_index(
        "ix_schedule_fires_jobs",
        "schedule_fires",
        ["schedule_id", "slot"],
        sqlite_where=_MADE_A_JOB,
        postgresql_where=_MADE_A_JOB,
    )


def downgrade() -> None:
    op.drop_table("schedule_fires")
    op.drop_table("schedules")
