"""Slots of schedules that made no job are found by their age, so that they can be pruned."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    jobless = sa.text("job_id IS NULL")
    op.create_index(
        "ix_schedule_fires_jobless",
        "schedule_fires",
        ["fired_at"],
        sqlite_where=jobless,
        postgresql_where=jobless,
    )


def downgrade() -> None:
    op.drop_index("ix_schedule_fires_jobless", table_name="schedule_fires")
