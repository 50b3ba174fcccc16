"""Schedules as lists, pages and the firing see them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent_console.domain.clock import MICROSECONDS, from_micros
from agent_console.domain.jobs import JobStatus
from agent_console.domain.records import Page
from agent_console.domain.schedules import (
    CatchUp,
    JobOrigin,
    Overlap,
    Rule,
    Schedule,
    ScheduleQuery,
)
from agent_console.store import rows
from agent_console.store.cursors import decode, encode
from agent_console.store.reads.paging import make_page
from agent_console.store.transactions import Queries

# Of how many of its last jobs a schedule looks whether one is unfinished.
RECENT = 20

_SELECT = """
SELECT s.*, j.status AS last_job_status FROM schedules s
LEFT JOIN ai_jobs j ON j.id = s.last_job_id
"""
DUE = f"{_SELECT} WHERE s.next_fire_at <= {{now}} ORDER BY s.next_fire_at LIMIT :limit"
NEXT = """
SELECT next_fire_at - {now} FROM schedules WHERE next_fire_at IS NOT NULL
ORDER BY next_fire_at LIMIT 1
"""
UNFINISHED = f"""
SELECT 1 FROM (
  SELECT job_id FROM schedule_fires WHERE schedule_id = :id AND job_id IS NOT NULL
  ORDER BY slot DESC LIMIT {RECENT}) f
JOIN ai_jobs j ON j.id = f.job_id
WHERE j.status NOT IN ('COMPLETED', 'FAILED', 'CANCELED') LIMIT 1
"""
ORIGIN = """
SELECT f.schedule_id, f.slot, f.manual, s.name FROM schedule_fires f
LEFT JOIN schedules s ON s.id = f.schedule_id WHERE f.job_id = :job_id AND f.job_id IS NOT NULL
"""


def get(reader: Queries, schedule_id: str) -> Schedule | None:
    """Return the schedule, or None."""
    return _one(reader, "s.id = :value", schedule_id)


def by_name(reader: Queries, name: str) -> Schedule | None:
    """Return the schedule of that name, or None."""
    return _one(reader, "s.name = :value", name)


def page(reader: Queries, query: ScheduleQuery) -> Page[Schedule]:
    """Return one page of schedules, newest first."""
    conditions, params = ["1 = 1"], dict[str, object](limit=query.limit + 1, offset=query.offset)
    if query.job_type is not None:
        conditions.append("s.job_type = :job_type")
        params["job_type"] = query.job_type
    bare = " AND ".join(conditions)
    if query.cursor:
        conditions.append("s.id < :after")
        params["after"] = decode(query.cursor, str)[0]
    found = reader.dicts(
        f"{_SELECT} WHERE {' AND '.join(conditions)} ORDER BY s.id DESC"
        " LIMIT :limit OFFSET :offset",
        params,
    )
    counted = reader.row(  # bounded by ``MAX_SCHEDULES``
        f"SELECT count(*) FROM schedules s WHERE {bare}", {"job_type": query.job_type}
    )
    return make_page(
        found,
        query,
        _schedule,
        key=lambda row: encode(row["id"]),
        total=(int(counted[0]), False) if counted else None,
    )


def due(reader: Queries, limit: int) -> list[Schedule]:
    """Return schedules one of whose slots has come, the one due longest first."""
    return [_schedule(row) for row in reader.dicts(DUE, {"limit": limit})]


def next_due(reader: Queries) -> float | None:
    """Return the seconds until a slot comes: 0 means now, None that none is planned."""
    row = reader.row(NEXT)
    return None if row is None else max(0.0, row[0] / MICROSECONDS)


def unfinished(reader: Queries, schedule_id: str) -> bool:
    """Say whether one of the schedule's last jobs is unfinished."""
    return reader.row(UNFINISHED, {"id": schedule_id}) is not None


def origin(reader: Queries, job_id: str) -> JobOrigin | None:
    """Return which schedule made the job; None when none did."""
    row = reader.row(ORIGIN, {"job_id": job_id})
    if row is None:
        return None
    return JobOrigin(
        schedule_id=row[0], name=row[3] or "", slot=from_micros(row[1]), manual=bool(row[2])
    )


def _one(reader: Queries, condition: str, value: str) -> Schedule | None:
    found = reader.dicts(f"{_SELECT} WHERE {condition}", {"value": value})
    return _schedule(found[0]) if found else None


def _schedule(row: Mapping[str, Any]) -> Schedule:
    same = (
        "id", "name", "job_type", "task_description", "priority", "project_id",
        "approval_strategy", "pause_reason", "last_job_id", "last_problem", "version", "owner_id",
        "owner_name",
    )  # fmt: skip
    status = row["last_job_status"]
    return Schedule(
        **{name: row[name] for name in same},
        input_data=rows.json_object(row["input_data"]),
        rule=Rule(
            cron=row["cron"],
            time_zone=row["time_zone"],
            interval_seconds=row["interval_seconds"],
        ),
        catch_up=CatchUp(row["catch_up"]),
        overlap=Overlap(row["overlap"]),
        declared=bool(row["declared"]),
        paused=bool(row["paused"]),
        next_fire_at=rows.instant(row["next_fire_at"]),
        last_fire_at=rows.instant(row["last_fire_at"]),
        last_job_status=None if status is None else JobStatus(status),
        created_at=from_micros(row["created_at"]),
        updated_at=from_micros(row["updated_at"]),
    )
