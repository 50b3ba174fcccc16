"""The one place that says it: sums of what there is now are the rows, whatever has happened."""

from __future__ import annotations

from agent_console.store import tallies
from agent_console.store.database import Database
from agent_console.store.transactions import Queries

Sums = dict[tuple[str, str], int]

SUMS = f"""
SELECT name, labels, sum(value) FROM {tallies.TOTALS}
WHERE name IN ('jobs_now', 'checkpoints_now') GROUP BY name, labels
"""
ROWS = """
SELECT 'jobs_now', status, count(*) FROM ai_jobs GROUP BY status UNION ALL
SELECT 'checkpoints_now', status, count(*) FROM agent_checkpoints WHERE status = 'PENDING'
GROUP BY status
"""
MENDED = f"SELECT sum(value) FROM {tallies.TOTALS} WHERE name = 'tallies_mended'"


def read(queries: Queries, sql: str) -> Sums:
    return {(name, labels): int(n) for name, labels, n in queries.rows(sql) if n}


def differences(db: Database) -> list[str]:
    """Return what of the sums is not what the rows are, or had to be mended, in one snapshot."""
    with db.read() as reader:
        mended = [f"mended {n} times" for (n,) in reader.rows(MENDED) if n]
        return differences_in(reader) + mended


def differences_in(snapshot: Queries) -> list[str]:
    """Return what of the sums is not what the rows are, of every status."""
    kept, there = read(snapshot, SUMS), read(snapshot, ROWS)
    return [
        f"{name} {labels}: the sum is {kept.get((name, labels), 0)},"
        f" there are {there.get((name, labels), 0)}"
        for name, labels in sorted(kept.keys() | there.keys())
        if kept.get((name, labels)) != there.get((name, labels))
    ]
