"""What metrics are made of: sums of one moment, and what is looked up through small indexes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from agent_console.domain.clock import MICROSECONDS
from agent_console.domain.jobs import JobStatus
from agent_console.domain.records import BreakerState
from agent_console.domain.review_figures import Age
from agent_console.store import rows, tallies
from agent_console.store.database import Database
from agent_console.store.reads import counts, review_figures
from agent_console.store.tables import BEHIND_SQL, HELD_SQL, READY_SQL

# Of workers that may still call somebody; a dead one's last word is no news.
BREAKERS = """
SELECT breakers FROM agent_workers
WHERE breakers <> '{}' AND status <> 'DEAD' AND heartbeat_at > {now} - 60000000
"""
OLDEST_DUE = f"""
SELECT {{now}} - run_at FROM ai_jobs {{due_index}} WHERE {READY_SQL} AND run_at <= {{now}}
ORDER BY run_at LIMIT 1
"""
# The same minute for which the workers' other reports count.
RUNNING = """
SELECT count(*) FROM agent_workers
WHERE status = 'RUNNING' AND heartbeat_at > {now} - 60000000
"""
# Not yet due ones are held back by time alone; whoever is behind in a lane was due when moved.
HELD = f"""
SELECT job_type, count(*) FROM ai_jobs {{gated_due_index}}
WHERE {HELD_SQL} AND run_at <= {{now}} GROUP BY job_type
UNION ALL SELECT job_type, count(*) FROM ai_jobs {{behind_index}}
WHERE {BEHIND_SQL} GROUP BY job_type
"""
UNSENT = "SELECT count(*) FROM notification_deliveries WHERE status = 'pending'"
SUMS = f"SELECT name, labels, sum(value) FROM {tallies.TOTALS} GROUP BY name, labels"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricFigures:
    """Figures of one snapshot. ``sums`` maps a tally's name to its values by joined labels."""

    sums: Mapping[str, Mapping[str, float]]
    jobs_by_status: Mapping[str, int]
    checkpoints_pending: int
    active_jobs: int
    oldest_due: float = 0.0  # seconds since the job that waits longest could have been claimed
    running_workers: int = 0
    notifications_pending: int = 0
    held: Mapping[str, int] = field(default_factory=dict)  # by job type
    pending_ages: Sequence[Age] = ()
    # By allowlist entry, the worst of all workers.
    breakers: Mapping[str, BreakerState] = field(default_factory=dict)


def read_figures(db: Database) -> MetricFigures:
    """Read all figures in one snapshot; no statement touches history.

    Raises:
        Unavailable: the database cannot serve now.
    """
    sums: dict[str, dict[str, float]] = {}
    with db.read() as reader:
        for name, labels, value in reader.rows(SUMS):
            sums.setdefault(name, {})[labels] = float(value)
        due = reader.row(OLDEST_DUE)
        running = reader.row(RUNNING)
        unsent = reader.row(UNSENT)
        held: Counter[str] = Counter()
        for job_type, count in reader.rows(HELD):
            held[job_type] += count
        ages = review_figures.pending(reader, None)
        breakers = _worst(rows.breakers(text) for (text,) in reader.rows(BREAKERS))
    now = counts.standing(sums)
    return MetricFigures(
        sums=sums,
        jobs_by_status={status.value: count for status, count in now.jobs.items()},
        checkpoints_pending=now.pending,
        active_jobs=now.jobs[JobStatus.RUNNING],
        oldest_due=float(due[0]) / MICROSECONDS if due else 0.0,
        running_workers=int(running[0]) if running else 0,
        notifications_pending=int(unsent[0]) if unsent else 0,
        held=held,
        pending_ages=ages,
        breakers=breakers,
    )


def _worst(reports: Iterable[Mapping[str, BreakerState]]) -> dict[str, BreakerState]:
    found: dict[str, BreakerState] = {}
    for report in reports:
        for host, state in report.items():
            found[host] = max(found.get(host, state), state, key=list(BreakerState).index)
    return found
