"""Job types with their limits, pauses and live numbers; nothing here walks over a long queue."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from agent_console.domain.clock import MICROSECONDS, from_micros
from agent_console.domain.jobs import CLAIMABLE, Job
from agent_console.domain.limits import NO_CAPS, Caps, Pause, effective, held_because
from agent_console.store.job_type_writes import caps_of
from agent_console.store.tables import BEHIND_SQL, HELD_SQL, READY_SQL, TAKEN_SQL
from agent_console.store.transactions import Queries, Row

MOST_COUNTED = 10_000  # of the ready jobs of all types together, and of the held ones of each

ROWS = """
SELECT job_type, keyed, declared, overrides, paused_at, paused_by_name, pause_reason,
  (starts * start_interval + {now}
    - CASE WHEN spoken_until > {now} THEN spoken_until ELSE {now} END) / start_interval,
  spoken_until - (starts - 1) * start_interval - {now}
FROM job_types
"""

RUNNING = "SELECT job_type, count(*) FROM ai_jobs WHERE status = 'RUNNING' GROUP BY job_type"

READY = f"""
SELECT job_type, count(*) FROM (
  SELECT job_type FROM ai_jobs {{ready_index}} WHERE {READY_SQL} LIMIT {MOST_COUNTED + 1}) r
GROUP BY job_type
"""

# Held and due; held for later; behind others of their lane (which were due when they were moved).
HELD = f"""
SELECT
  (SELECT count(*) FROM (SELECT 1 FROM ai_jobs {{gated_due_index}} WHERE job_type = :job_type
    AND {HELD_SQL} AND run_at <= {{now}} ORDER BY run_at LIMIT {MOST_COUNTED + 1}) a),
  (SELECT count(*) FROM (SELECT 1 FROM ai_jobs {{gated_due_index}} WHERE job_type = :job_type
    AND {HELD_SQL} AND run_at > {{now}} ORDER BY run_at LIMIT {MOST_COUNTED + 1}) b),
  (SELECT count(*) FROM (SELECT 1 FROM ai_jobs {{behind_index}} WHERE job_type = :job_type
    AND {BEHIND_SQL} LIMIT {MOST_COUNTED + 1}) c)
"""

GATE = "SELECT gate, lane, run_at <= {now} FROM ai_jobs WHERE id = :id"

IN_LANES = f"""
SELECT count(*), coalesce(sum(CASE WHEN lane = :lane THEN 1 ELSE 0 END), 0)
FROM ai_jobs {{taken_index}} WHERE job_type = :job_type AND {TAKEN_SQL}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """The row of a job type. ``wait`` is seconds until the rate allows a start."""

    keyed: bool
    declared: Caps
    overrides: Caps
    pause: Pause | None
    starts_left: int | None
    wait: float

    @property
    def limits(self) -> Caps:
        """What applies."""
        return effective(self.declared, self.overrides)


NOTHING = Stored(
    keyed=False, declared=NO_CAPS, overrides=NO_CAPS, pause=None, starts_left=None, wait=0.0
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """Live numbers of a job type; ``capped``: ``queued`` and ``held`` are floors."""

    running: int
    queued: int
    held: int
    capped: bool


def stored(queries: Queries) -> dict[str, Stored]:
    """Return the rows of all job types."""
    return {row[0]: _stored(row) for row in queries.rows(ROWS)}


def _stored(row: Row) -> Stored:
    _, keyed, declared, overrides, paused_at, paused_by, reason, left, wait = row
    pause = None
    if paused_at is not None:
        pause = Pause(by=paused_by or "", at=from_micros(paused_at), reason=reason or "")
    return Stored(
        keyed=bool(keyed),
        declared=caps_of(declared),
        overrides=caps_of(overrides),
        pause=pause,
        starts_left=None if left is None else max(0, int(left)),
        wait=max(0, wait or 0) / MICROSECONDS,
    )


def numbers(queries: Queries, job_types: Collection[str]) -> Mapping[str, Numbers]:
    """Return the live numbers of each of ``job_types``."""
    running: dict[str, int] = dict(queries.rows(RUNNING))
    ready: dict[str, int] = dict(queries.rows(READY))
    many = sum(ready.values()) > MOST_COUNTED
    found = {}
    for job_type in job_types:
        due, later, behind = queries.rows(HELD, {"job_type": job_type})[0]
        found[job_type] = Numbers(
            running=running.get(job_type, 0),
            queued=ready.get(job_type, 0) + due + later + behind,
            held=due + behind,
            capped=many or max(due, later, behind) > MOST_COUNTED,
        )
    return found


def why_held(queries: Queries, job: Job) -> str:
    """Say what keeps ``job`` from being claimed although it is due; "" when nothing does."""
    if job.status not in CLAIMABLE:
        return ""
    row = queries.row(GATE, {"id": job.id})
    if row is None or not row[0] or not row[2]:
        return ""
    found = stored(queries).get(job.job_type, NOTHING)
    counted = queries.rows(IN_LANES, {"job_type": job.job_type, "lane": row[1]})[0]
    return held_because(
        found.limits,
        found.pause,
        running=int(counted[0]),
        in_lane=int(counted[1]),
        lane=row[1],
        wait=found.wait,
    )
