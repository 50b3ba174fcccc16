"""How many jobs and checkpoints there are, without counting history."""

from __future__ import annotations

from agent_console.domain.jobs import FINISHED, JobStatus
from agent_console.store.database import Reader
from agent_console.store.tables import COUNTED_SQL
from agent_console.store.tallies import JOBS_NOW, TOTALS

LIVE = """
SELECT status, count(*) FROM ai_jobs
WHERE status NOT IN ('COMPLETED', 'FAILED', 'CANCELED') GROUP BY status
"""
PENDING = f"SELECT count(*) FROM agent_checkpoints WHERE {COUNTED_SQL}"


def live_jobs(reader: Reader) -> dict[JobStatus, int]:
    """Count unfinished jobs by status, exactly, through the partial index."""
    return {JobStatus(status): int(count) for status, count in reader.rows(LIVE)}


def finished_jobs(reader: Reader) -> dict[JobStatus, int]:
    """Return the maintained numbers of finished jobs by status."""
    rows = reader.rows(
        f"SELECT labels, sum(value) FROM {TOTALS} WHERE name = :name GROUP BY labels",
        {"name": JOBS_NOW},
    )
    named = {str(labels): int(value) for labels, value in rows}
    return {status: max(0, named.get(status.value, 0)) for status in FINISHED}


def jobs_by_status(reader: Reader) -> dict[JobStatus, int]:
    """Return the number of jobs in every status, zeros included."""
    return {
        **dict.fromkeys(JobStatus, 0),
        **live_jobs(reader),
        **finished_jobs(reader),
    }


def pending_checkpoints(reader: Reader) -> int:
    """Count the checkpoints that wait for somebody, exactly, through the partial index."""
    row = reader.row(PENDING)
    return int(row[0]) if row else 0


def oldest_pending(reader: Reader) -> int | None:
    """Return when the checkpoint that waits longest was made (µs), None when none waits."""
    row = reader.row(
        "SELECT created_at FROM agent_checkpoints WHERE status = 'PENDING'"
        " ORDER BY created_at LIMIT 1",
        {},
    )
    return None if row is None else int(row[0])
