"""Checkpoints that ask for an answer: the schema it has to fit, and the default."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("agent_checkpoints", sa.Column("answer_schema", sa.Text(), nullable=True))
    op.add_column("agent_checkpoints", sa.Column("answer_default", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("agent_checkpoints", "answer_default")
    op.drop_column("agent_checkpoints", "answer_schema")
