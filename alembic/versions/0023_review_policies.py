"""Review policies in versions, and approvals that need more than one person."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "review_policies",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("job_type", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("removed", sa.Integer(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("saved_by", sa.Text(), nullable=True),
        sa.Column("saved_by_name", sa.Text(), nullable=False),
        sa.Column("saved_at", sa.BigInteger(), nullable=False),
        sa.Column("superseded_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "uq_review_policies_version",
        "review_policies",
        ["job_type", "action", "version"],
        unique=True,
    )
    op.create_index(
        "uq_review_policies_current",
        "review_policies",
        ["job_type", "action"],
        unique=True,
        sqlite_where=sa.text("superseded_at IS NULL"),
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_table(
        "checkpoint_votes",
        sa.Column("checkpoint_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("said", sa.Text(), nullable=True),
        sa.Column("edited_data", sa.Text(), nullable=True),
        sa.Column("for_id", sa.Text(), nullable=True),
        sa.Column("voted_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("checkpoint_id", "user_id"),
        sa.ForeignKeyConstraint(["checkpoint_id"], ["agent_checkpoints.id"]),
    )
    op.create_table(
        "review_delegations",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("from_id", sa.Text(), nullable=False),
        sa.Column("from_name", sa.Text(), nullable=False),
        sa.Column("to_id", sa.Text(), nullable=False),
        sa.Column("to_name", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=True),
        sa.Column("created_by_name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["from_id"], ["users.id"]),
        sa.ForeignKeyConstraint(["to_id"], ["users.id"]),
    )
    op.create_index("ix_review_delegations_to", "review_delegations", ["to_id", "ends_at"])
    op.add_column("agent_checkpoints", sa.Column("policy_id", sa.Text(), nullable=True))
    op.add_column(
        "agent_checkpoints",
        sa.Column("extensions", sa.Integer(), nullable=False, server_default="0"),
    )
    op.add_column("agent_checkpoints", sa.Column("escalated_at", sa.BigInteger(), nullable=True))
    op.add_column("agent_checkpoints", sa.Column("reminded", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    for name in ("reminded", "escalated_at", "extensions", "policy_id"):
        op.drop_column("agent_checkpoints", name)
    op.drop_table("review_delegations")
    op.drop_table("checkpoint_votes")
    op.drop_table("review_policies")
