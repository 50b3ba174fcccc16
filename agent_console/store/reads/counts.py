"""How many jobs and checkpoints there are: from sums, which cost the same however many wait."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agent_console.domain.jobs import JobStatus
from agent_console.store.tallies import CHECKPOINTS_NOW, JOBS_NOW, OPEN, TOTALS
from agent_console.store.transactions import Queries

NOW = f"""
SELECT name, labels, sum(value) FROM {TOTALS}
WHERE name IN ('{JOBS_NOW}', '{CHECKPOINTS_NOW}') GROUP BY name, labels
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """How many jobs are in each status, zeros included, and how many checkpoints wait."""

    jobs: dict[JobStatus, int]
    pending: int


def now(reader: Queries) -> Standing:
    """Return the numbers of this snapshot."""
    sums: dict[str, dict[str, float]] = {}
    for name, labels, value in reader.rows(NOW):
        sums.setdefault(name, {})[labels] = float(value)
    return standing(sums)


def standing(sums: Mapping[str, Mapping[str, float]]) -> Standing:
    """Return the numbers that ``sums``, values by labels by name, hold."""
    jobs, checkpoints = sums.get(JOBS_NOW, {}), sums.get(CHECKPOINTS_NOW, {})
    return Standing(
        jobs={status: max(0, int(jobs.get(status.value, 0))) for status in JobStatus},
        pending=max(0, int(checkpoints.get(OPEN, 0))),
    )


def jobs_by_status(reader: Queries) -> dict[JobStatus, int]:
    """Return the number of jobs in every status, zeros included."""
    return now(reader).jobs


def pending_checkpoints(reader: Queries) -> int:
    """Return the number of checkpoints that wait for somebody."""
    return now(reader).pending


def oldest_pending(reader: Queries) -> int | None:
    """Return when the checkpoint that waits longest was made (µs), None when none waits."""
    row = reader.row(
        "SELECT created_at FROM agent_checkpoints WHERE status = 'PENDING'"
        " ORDER BY created_at LIMIT 1",
        {},
    )
    return None if row is None else int(row[0])
