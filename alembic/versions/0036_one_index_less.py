"""What is not finished is found by the index of all statuses: one entry less for every change.

Counts that went through the index of what is live are sums since the revision before.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

NAME, TABLE = "ix_ai_jobs_live", "ai_jobs"


def upgrade() -> None:
    op.drop_index(NAME, TABLE)


def downgrade() -> None:
    live = sa.text("status NOT IN ('COMPLETED', 'FAILED', 'CANCELED')")
    op.create_index(NAME, TABLE, ["status"], sqlite_where=live, postgresql_where=live)
