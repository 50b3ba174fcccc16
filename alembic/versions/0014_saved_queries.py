"""Saved queries: filters of lists that accounts keep, alone or for everybody."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_TEXTS = ("id", "name", "resource", "query", "owner_id", "owner_name")


def upgrade() -> None:
    op.create_table(
        "saved_queries",
        *[sa.Column(name, sa.Text(), nullable=False) for name in _TEXTS],
        sa.Column("shared", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.CheckConstraint(
            "resource IN ('jobs', 'checkpoints', 'audit')", name="ck_resource_known"
        ),
    )
    names = ["owner_id", "resource", "name"]
    op.create_index("uq_saved_queries_name", "saved_queries", names, unique=True)
    shared = sa.text("shared = 1")
    op.create_index(
        "ix_saved_queries_shared",
        "saved_queries",
        ["resource", "name"],
        sqlite_where=shared,
        postgresql_where=shared,
    )


def downgrade() -> None:
    op.drop_table("saved_queries")
