"""Comments on a line of what a checkpoint would change."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

TEXTS = ("anchor_path", "anchor_side", "anchor_text")


def upgrade() -> None:
    for name in TEXTS:
        op.add_column("checkpoint_comments", sa.Column(name, sa.Text(), nullable=True))
    op.add_column("checkpoint_comments", sa.Column("anchor_line", sa.Integer(), nullable=True))


def downgrade() -> None:
    for name in (*TEXTS, "anchor_line"):
        op.drop_column("checkpoint_comments", name)
