"""What is deleted once it has served, in small pieces."""

from __future__ import annotations

from agent_console.store.database import Database
from agent_console.store.tally_slots import KEPT, WIDTHS, micros
from agent_console.store.transactions import Tx

OLDEST = "SELECT min(slot) FROM tally_slots WHERE width = :width"
PRUNE = "DELETE FROM tally_slots WHERE width = :width AND slot < :before"


def prune_slots(db: Database) -> int:
    """Delete slots that no chart reaches any more; return how many rows.

    Looks first, so that a sweep with nothing to do writes nothing.
    """
    due: list[dict[str, object]] = []
    with db.read() as reader:
        now = reader.now()
        for width in WIDTHS:
            before = (now // micros(width)) - KEPT[width] // width
            oldest = reader.row(OLDEST, {"width": width})
            if oldest is not None and oldest[0] is not None and oldest[0] < before:
                due.append({"width": width, "before": before})

    def work(tx: Tx) -> int:
        return sum(tx.execute(PRUNE, params) for params in due)

    return db.write(work) if due else 0
