"""Workers as the Workers page sees them."""

from __future__ import annotations

from agent_console.domain.records import Worker
from agent_console.store import rows
from agent_console.store.database import Reader

_LIMIT = 200


def listed(reader: Reader) -> list[Worker]:
    """Return worker rows, latest heartbeat first."""
    found = reader.dicts(
        "SELECT w.*, {now} AS read_at FROM agent_workers w"
        " ORDER BY heartbeat_at DESC, id LIMIT :limit",
        {"limit": _LIMIT},
    )
    return [rows.worker(row, int(row["read_at"])) for row in found]
