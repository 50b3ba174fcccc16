"""What is deleted once it has served, in small pieces."""

from __future__ import annotations

from typing import Final

from agent_console.domain.clock import MICROSECONDS
from agent_console.store import review_sums, tally_slots
from agent_console.store.database import Database
from agent_console.store.transactions import Params, Tx

# Tables of slots, and for how many seconds slots of a width stay in them.
SLOTS: Final = {"tally_slots": tally_slots.KEPT, "review_slots": review_sums.KEPT}
OLDEST = "SELECT min(slot) FROM {table} WHERE width = :width"
PRUNE = "DELETE FROM {table} WHERE width = :width AND slot < :before"

FIRES: Final = 1_000  # rows of slots without a job that a commit deletes at most
_JOBLESS: Final = "FROM schedule_fires WHERE job_id IS NULL AND fired_at < :before"
OLD_FIRES: Final = (
    "DELETE FROM schedule_fires WHERE (schedule_id, slot) IN"
    f" (SELECT schedule_id, slot {_JOBLESS} ORDER BY fired_at LIMIT :limit)"
)


def prune_fires(db: Database, seconds: int) -> int:
    """Forget slots of schedules that made no job, ``seconds`` after they came; return how many.

    At most ``FIRES`` at once. Looks first, so that nothing is written when nothing is due.

    Raises:
        Unavailable: the database is out of reach.
    """
    with db.read() as reader:
        due: dict[str, object] = {"before": reader.now() - seconds * MICROSECONDS}
        if reader.row(f"SELECT 1 {_JOBLESS} LIMIT 1", due) is None:
            return 0
    return db.write(lambda tx: tx.execute(OLD_FIRES, {**due, "limit": FIRES}))


def prune_slots(db: Database) -> int:
    """Delete slots that no chart reaches any more; return how many rows.

    Looks first, so that a sweep with nothing to do writes nothing.
    """
    due: list[tuple[str, Params]] = []
    with db.read() as reader:
        now = reader.now()
        for table, kept in SLOTS.items():
            for width, seconds in kept.items():
                before = now // tally_slots.micros(width) - seconds // width
                oldest = reader.row(OLDEST.replace("{table}", table), {"width": width})
                if oldest is not None and oldest[0] is not None and oldest[0] < before:
                    due.append((table, {"width": width, "before": before}))

    def work(tx: Tx) -> int:
        return sum(tx.execute(PRUNE.replace("{table}", table), params) for table, params in due)

    return db.write(work) if due else 0
