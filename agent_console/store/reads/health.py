"""What the health report asks of the database, each through an index."""

from __future__ import annotations

from agent_console.store.tables import READY_SQL
from agent_console.store.transactions import Queries

OLDEST_DUE = f"""
SELECT {{now}} - run_at FROM ai_jobs {{due_index}} WHERE {READY_SQL} AND run_at <= {{now}}
ORDER BY run_at LIMIT 1
"""


def revision(reader: Queries) -> str | None:
    """Return the schema's revision."""
    row = reader.row("SELECT version_num FROM alembic_version")
    return None if row is None else str(row[0])


def queue_age(reader: Queries) -> int:
    """Return for how long the oldest job that is not held has been due (µs); 0 when none is."""
    row = reader.row(OLDEST_DUE)
    return 0 if row is None else max(0, int(row[0]))
