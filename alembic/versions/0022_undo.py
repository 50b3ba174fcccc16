"""Decisions that may be taken back for some seconds, before the job goes on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("agent_checkpoints", sa.Column("undo_until", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("agent_checkpoints", "undo_until")
