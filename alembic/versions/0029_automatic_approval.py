"""What review policies approve by themselves, or would have approved."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "agent_checkpoints",
        sa.Column("insists", sa.Integer(), nullable=False, server_default="0"),
    )
    op.add_column("agent_checkpoints", sa.Column("rule_id", sa.Text(), nullable=True))
    op.add_column(
        "agent_checkpoints",
        sa.Column("rule_shadow", sa.Integer(), nullable=False, server_default="0"),
    )
    op.create_index(
        "ix_agent_checkpoints_rule",
        "agent_checkpoints",
        ["rule_id", "created_at", "id"],
        sqlite_where=sa.text("rule_id IS NOT NULL"),
        postgresql_where=sa.text("rule_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_agent_checkpoints_rule", "agent_checkpoints")
    for name in ("rule_shadow", "rule_id", "insists"):
        op.drop_column("agent_checkpoints", name)
