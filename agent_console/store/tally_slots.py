"""The tallies by slot of time: what charts are drawn from, however long the history is.

Each commit adds its sums to the slots of the moment, a minute and a quarter of an hour wide, in
the statement that adds to the tallies. Labels that charts do not show are left out, so that the
number of rows per slot has a small bound.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

from agent_console.domain.clock import MICROSECONDS
from agent_console.store import tallies

MINUTE: Final = 60
QUARTER: Final = 900
WIDTHS: Final = (MINUTE, QUARTER)  # seconds
KEPT: Final = {MINUTE: 6 * 3600, QUARTER: 15 * 86_400}  # seconds that slots of a width stay
SHARDS: Final = 4  # on PostgreSQL several of the tallies' shards share one: fewer rows to read

COLUMNS: Final = ("width", "slot", "name", "labels", "shard", "value")

UPSERT: Final = """
INSERT INTO tally_slots (width, slot, name, labels, shard, value) {rows}
ON CONFLICT (width, slot, name, labels, shard) DO UPDATE
SET value = tally_slots.value + excluded.value
"""

_WHOLE = frozenset({tallies.JOBS_TOTAL, tallies.CHECKPOINTS_TOTAL})
_PER_TYPE = f"{tallies.JOB_SECONDS}_"
_WAITS = f"{tallies.WAIT_SECONDS}_"


def charted(sums: Iterable[tuple[tuple[str, str], float]]) -> list[tuple[str, str, float]]:
    """Return name, labels and value of what is kept by slot: durations without their job type.

    Sorted, so that two transactions lock the same rows in the same order.
    """
    kept: Counter[tuple[str, str]] = Counter()
    for (name, labels), value in sums:
        if name in _WHOLE or name.startswith(_WAITS):
            kept[name, labels] += value  # type: ignore[assignment]  # a Counter of floats
        elif name.startswith(_PER_TYPE):
            status, _, rest = labels.partition("|")
            short = f"{status}|{rest.rpartition('|')[2]}" if name.endswith("_bucket") else status
            kept[name, short] += value  # type: ignore[assignment]
    return [(name, labels, float(value)) for (name, labels), value in sorted(kept.items())]


def micros(width: int) -> int:
    """Return the length of a slot in microseconds."""
    return width * MICROSECONDS
