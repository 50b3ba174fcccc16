"""An index from which the checkpoints that wait are counted, however many have been decided."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

NAME, TABLE = "ix_agent_checkpoints_counted", "agent_checkpoints"


def upgrade() -> None:
    waiting = sa.text("status = 'PENDING' AND created_at > 0")
    op.create_index(NAME, TABLE, ["status"], sqlite_where=waiting, postgresql_where=waiting)


def downgrade() -> None:
    op.drop_index(NAME, TABLE)
