"""The jobs of a project by type and status, from the index alone: counts and tabs of sessions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

NAME, TABLE = "ix_ai_jobs_project_id", "ai_jobs"


def _make(*more: str) -> None:
    in_a_project = sa.text("project_id IS NOT NULL")
    op.create_index(
        NAME,
        TABLE,
        ["project_id", sa.text("id DESC"), *more],
        sqlite_where=in_a_project,
        postgresql_where=in_a_project,
    )


def upgrade() -> None:
    op.drop_index(NAME, table_name=TABLE)
    _make("job_type", "status")


def downgrade() -> None:
    op.drop_index(NAME, table_name=TABLE)
    _make()
