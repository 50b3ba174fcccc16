"""What spans need to know of a job that no event says."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from agent_console.store.database import Reader

_QUEUED = """
SELECT at, action FROM audit_logs
WHERE job_id = :job_id AND after IN ('PENDING', 'QUEUED') AND at <= :before
ORDER BY seq DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Queued:
    """Since when a job waited to be claimed (microseconds since 1970), and what put it there."""

    since: int
    action: str


def traceparents(reader: Reader, job_ids: Collection[str]) -> dict[str, str | None]:
    """Return the stored ``traceparent`` of each job; ids that do not exist are left out."""
    names: dict[str, object] = {f"id{n}": job_id for n, job_id in enumerate(sorted(job_ids))}
    listed = ", ".join(f":{name}" for name in names)
    found = reader.rows(f"SELECT id, traceparent FROM ai_jobs WHERE id IN ({listed})", names)
    return {str(row[0]): row[1] for row in found}


def queued(reader: Reader, job_id: str, before: int) -> Queued | None:
    """Return how the job last came into the queue, not after ``before`` (microseconds)."""
    row = reader.row(_QUEUED, {"job_id": job_id, "before": before})
    return None if row is None else Queued(int(row[0]), str(row[1]))
