"""What each commit adds to the tallies, as rows of its own, until a sweep adds it up.

A commit that added to the sums themselves would wait for all that do so at the same moment, and
pay for three changed rows with their index entries for each sum. What is read is always both:
the sums, and what has not been added to them yet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from agent_console.store import tally_slots
from agent_console.store.database import Database, Tx

BATCH: Final = 5_000  # rows that are added up in one transaction

LEFT: Final = "SELECT 1 FROM tally_deltas LIMIT 1"
TAKE: Final = f"""
WITH c AS {{materialized}} (SELECT seq FROM tally_deltas ORDER BY seq LIMIT {BATCH} {{skip_locked}})
DELETE FROM tally_deltas WHERE seq IN (SELECT seq FROM c) RETURNING at, name, labels, value
"""
# Sorted: two sweeps that add to the same rows lock them in the same order.
ADD: Final = """
INSERT INTO tallies (name, labels, shard, value)
SELECT v.name, v.labels, 0, v.value FROM v WHERE true ORDER BY v.name, v.labels
ON CONFLICT (name, labels, shard) DO UPDATE
SET value = tallies.value + excluded.value RETURNING name
"""
ADD_SLOTS: Final = """
INSERT INTO tally_slots (width, slot, name, labels, shard, value)
SELECT v.width, v.slot, v.name, v.labels, 0, v.value FROM v WHERE true
ORDER BY v.width, v.slot, v.name, v.labels
ON CONFLICT (width, slot, name, labels, shard) DO UPDATE
SET value = tally_slots.value + excluded.value RETURNING slot
"""


def settle(db: Database) -> int:
    """Add up what commits have left; return how many rows that were.

    Looks first, so that a sweep with nothing to do writes nothing. Several processes may do it at
    the same time.

    Raises:
        Unavailable: the database is out of reach; every batch stands by itself.
    """
    with db.read() as reader:
        if reader.row(LEFT) is None:
            return 0
    total = 0
    while True:
        taken = db.write(_settle)
        total += taken
        if taken < BATCH:
            return total


def _settle(tx: Tx) -> int:
    rows = tx.rows(TAKE)
    sums: Counter[tuple[str, str]] = Counter()
    for _, name, labels, value in rows:
        sums[name, labels] += value
    tx.values("name, labels, value", ADD, [(*key, value) for key, value in sums.items()])
    slots = [(*key, value) for key, value in _by_slot(rows).items()]
    tx.values("width, slot, name, labels, value", ADD_SLOTS, slots)
    return len(rows)


def _by_slot(rows: Iterable[tuple[Any, ...]]) -> Counter[tuple[int, int, str, str]]:
    found: Counter[tuple[int, int, str, str]] = Counter()
    for at, name, labels, value in rows:
        kept = tally_slots.charted(name, labels)
        if kept is not None:
            for width in tally_slots.WIDTHS:
                found[width, at // tally_slots.micros(width), name, kept] += value
    return found
