"""Jobs of every status and checkpoints that wait are sums, kept as those of finished jobs were.

A process of the version before that still runs keeps the sums of finished jobs alone; the sweep
that mends sums puts the others right once it has ended.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

NAME, TABLE = "ix_agent_checkpoints_counted", "agent_checkpoints"


def upgrade() -> None:
    _forget()
    op.execute(
        "INSERT INTO tallies (name, labels, shard, value)"
        " SELECT 'jobs_now', status, 0, count(*) FROM ai_jobs"
        " WHERE status NOT IN ('COMPLETED', 'FAILED', 'CANCELED') GROUP BY status"
    )
    op.execute(
        "INSERT INTO tallies (name, labels, shard, value)"
        " SELECT 'checkpoints_now', status, 0, count(*) FROM agent_checkpoints"
        " WHERE status = 'PENDING' GROUP BY status"
    )
    op.drop_index(NAME, TABLE)


def downgrade() -> None:
    _forget()
    waiting = sa.text("status = 'PENDING' AND created_at > 0")
    op.create_index(NAME, TABLE, ["status"], sqlite_where=waiting, postgresql_where=waiting)


def _forget() -> None:
    for name in ("tallies", "tally_deltas"):
        table = sa.table(name, sa.column("name", sa.Text()), sa.column("labels", sa.Text()))
        live = table.c.labels.not_in(["COMPLETED", "FAILED", "CANCELED"])
        added = table.c.name.in_(["checkpoints_now", "tallies_mended"])
        op.execute(table.delete().where(added | ((table.c.name == "jobs_now") & live)))
