"""Commits leave what they add to the tallies in rows of their own, which a sweep adds up."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tally_deltas",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )


def downgrade() -> None:
    # What no sweep has added up yet would be lost to the sums.
    op.execute(
        "INSERT INTO tallies (name, labels, shard, value)"
        " SELECT name, labels, 0, sum(value) FROM tally_deltas WHERE true GROUP BY name, labels"
        " ON CONFLICT (name, labels, shard) DO UPDATE SET value = tallies.value + excluded.value"
    )
    op.drop_table("tally_deltas")
