"""Putting right the sums of what there is now, should they ever differ from the rows they count.

Nothing that the console does makes them differ. A process of an older version that still runs
after an update does, or somebody who changes rows by hand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

from agent_console.store import tallies
from agent_console.store.database import Database
from agent_console.store.tables import LIVE_SQL
from agent_console.store.tallies import CHECKPOINTS_NOW, JOBS_NOW, OPEN, TOTALS
from agent_console.store.transactions import Queries, Tx

MENDED: Final = "tallies_mended"  # how often; whoever mends compares it with what they have seen
ALONE: Final = 4_170_035  # the advisory lock of whoever mends (PostgreSQL)

# Finished jobs are not counted: that would go through history.
JOBS: Final = f"SELECT status, count(*) FROM ai_jobs WHERE {LIVE_SQL} GROUP BY status"
CHECKPOINTS: Final = "SELECT count(*) FROM agent_checkpoints WHERE status = 'PENDING'"
_SUMS: Final = f"""
SELECT name, labels, sum(value) FROM {TOTALS}
WHERE (name = '{JOBS_NOW}' AND {LIVE_SQL.replace("status", "labels")})
  OR name = '{CHECKPOINTS_NOW}' GROUP BY name, labels
"""
_MENDED: Final = f"SELECT coalesce(sum(value), 0) FROM {TOTALS} WHERE name = '{MENDED}'"

Sum = tuple[str, str]


def mend(db: Database) -> Mapping[Sum, int]:
    """Add to the sums what they lack; return what was added, nothing when they are right.

    What is lacking is found in one snapshot, in which rows and sums are of the same moment; what
    others commit until it is added changes both alike. So it may be added once, whenever.

    Raises:
        Unavailable: the database is out of reach.
    """
    with db.read() as reader:
        seen, lacking = _times(reader), difference(reader)
    if not lacking or not db.write(lambda tx: _add(tx, seen, lacking)):
        return {}
    return lacking


def difference(queries: Queries) -> dict[Sum, int]:
    """Return what the sums lack of the rows, in a snapshot; nothing of what is as it should be.

    Never within a write: on SQLite the sums of others in the same commit are not there yet.
    """
    found: Counter[Sum] = Counter()
    for status, count in queries.rows(JOBS):
        found[JOBS_NOW, status] += count
    for (count,) in queries.rows(CHECKPOINTS):
        found[CHECKPOINTS_NOW, OPEN] += count
    for name, labels, value in queries.rows(_SUMS):
        found[name, labels] -= int(value)
    return {key: value for key, value in sorted(found.items()) if value}


def _add(tx: Tx, seen: int, lacking: Mapping[Sum, int]) -> bool:
    """Add ``lacking`` unless somebody else has done so since it was found."""
    lock = tx.row("SELECT {alone}", {"alone": ALONE})
    if lock is None or not lock[0] or _times(tx) != seen:
        return False
    now = tx.now()
    rows = [(now, *key, float(value)) for key, value in lacking.items()]
    tx.insert("tally_deltas", tallies.COLUMNS, [*rows, (now, MENDED, "", 1.0)])
    tx.touch()  # no event tells the screens, which show these numbers
    return True


def _times(queries: Queries) -> int:
    row = queries.row(_MENDED)
    return int(row[0]) if row else 0
