"""Work sessions: jobs of agents, as their project sees them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from agent_console.domain.checkpoints import CheckpointStatus
from agent_console.domain.clock import from_micros
from agent_console.domain.jobs import JobStatus, Json
from agent_console.domain.queries import COUNT_CAP, SessionQuery
from agent_console.domain.records import Page
from agent_console.domain.sessions import (
    STATUS_OF,
    Project,
    SessionCounts,
    SessionStatus,
    WorkSession,
    job_statuses,
)
from agent_console.store import rows
from agent_console.store.cursors import decode, encode
from agent_console.store.database import Reader
from agent_console.store.reads.paging import CHECKPOINTS, JOBS, capped_count, read_page
from agent_console.store.reads.records import ARTIFACTS
from agent_console.store.rows import Row

MAX_PROJECTS = 200  # by name
_BIG = {"input_data", "output_data"}
_SESSION = select(
    *(column for column in JOBS.c if column.name not in _BIG),
    # Stored JSON is canonical: this is how a list of findings begins in it.
    JOBS.c.output_data.like('%"findings":[{%').label("has_findings"),
    select(func.count())
    .where(ARTIFACTS.c.job_id == JOBS.c.id)
    .correlate(JOBS)
    .scalar_subquery()
    .label("artifacts_count"),
    select(func.count())
    .where(
        CHECKPOINTS.c.job_id == JOBS.c.id,
        CHECKPOINTS.c.status == CheckpointStatus.PENDING.value,
    )
    .correlate(JOBS)
    .scalar_subquery()
    .label("pending_checkpoints"),
)


def get(
    reader: Reader, project_id: str, session_id: str, agent_types: Sequence[str]
) -> WorkSession | None:
    """Return the session of that project, or None; a job of another type is no session."""
    found = reader.select(
        _SESSION.where(
            JOBS.c.id == session_id,
            JOBS.c.project_id == project_id,
            JOBS.c.job_type.in_(agent_types),
        )
    )
    return rows.work_session(found[0]) if found else None


def page(
    reader: Reader, project_id: str, query: SessionQuery, agent_types: Sequence[str]
) -> Page[WorkSession]:
    """Return one page of the project's sessions of ``agent_types``, newest first."""
    return read_page(
        reader,
        listed(project_id, query, agent_types),
        query,
        rows.work_session,
        key=lambda row: encode(row["id"]),
        total=capped_count(
            reader, select(JOBS.c.id).where(*_filters(project_id, query, agent_types))
        ),
    )


def listed(project_id: str, query: SessionQuery, agent_types: Sequence[str]) -> Select[Any]:
    """Select the project's sessions from the cursor of ``query`` on, newest first."""
    statement = _SESSION.where(*_filters(project_id, query, agent_types))
    if query.cursor:
        statement = statement.where(JOBS.c.id < decode(query.cursor, str)[0])
    return statement.order_by(JOBS.c.id.desc())


def _filters(
    project_id: str, query: SessionQuery, agent_types: Sequence[str]
) -> list[ColumnElement[bool]]:
    wanted = [one for one in agent_types if query.agent_type in (None, one)]
    filters = [JOBS.c.project_id == project_id, JOBS.c.job_type.in_(wanted)]
    if query.status is not None:
        statuses = [one.value for one in job_statuses(SessionStatus(query.status))]
        filters.append(JOBS.c.status.in_(statuses))
    return filters


def finished(
    reader: Reader, project_id: str, agent_types: Sequence[str], limit: int
) -> list[tuple[WorkSession, Json]]:
    """Return the project's newest completed sessions, newest first, each with its output."""
    statement = (
        _SESSION.add_columns(JOBS.c.output_data)
        .where(*_filters(project_id, SessionQuery(status=SessionStatus.COMPLETED), agent_types))
        .order_by(JOBS.c.id.desc())
        .limit(limit)
    )
    return [
        (rows.work_session(row), rows.json_or_none(row["output_data"]))
        for row in reader.select(statement)
    ]


def counts(reader: Reader, project_id: str, agent_types: Sequence[str]) -> SessionCounts:
    """Count the project's sessions by status: of the newest ``COUNT_CAP``, if there are more."""
    newest = (
        select(JOBS.c.status)
        .where(JOBS.c.project_id == project_id, JOBS.c.job_type.in_(agent_types))
        .order_by(JOBS.c.id.desc())
        .limit(COUNT_CAP + 1)
        .subquery()
    )
    found = reader.select(
        select(newest.c.status, func.count().label("n")).group_by(newest.c.status)
    )
    by_status = dict.fromkeys(SessionStatus, 0)
    for row in found:
        by_status[STATUS_OF[JobStatus(row["status"])]] += int(row["n"])
    return SessionCounts(by_status=by_status, capped=sum(by_status.values()) > COUNT_CAP)


# From one name to the next through the index: as many looks as there are projects, not jobs.
PROJECTS = f"""
WITH RECURSIVE names(id) AS (
  SELECT min(project_id) FROM ai_jobs WHERE project_id IS NOT NULL
  UNION ALL
  SELECT (SELECT min(j.project_id) FROM ai_jobs j WHERE j.project_id > names.id)
  FROM names WHERE names.id IS NOT NULL
)
SELECT id FROM names WHERE id IS NOT NULL LIMIT {MAX_PROJECTS}
"""


def projects(reader: Reader, agent_types: Sequence[str]) -> list[Project]:
    """Return the projects that have sessions, the one with the newest session first.

    There are at most ``MAX_PROJECTS``, the first by name.
    """
    names = [str(row[0]) for row in reader.rows(PROJECTS)]
    waiting = _waiting(reader, names, agent_types)
    found = [
        Project(
            id=name,
            pending_review=waiting.get(name, 0),
            latest_session_id=latest["id"],
            latest_at=from_micros(latest["created_at"]),
        )
        for name in names
        if (latest := _latest(reader, name, agent_types)) is not None
    ]
    return sorted(found, key=lambda one: one.latest_session_id, reverse=True)


def _latest(reader: Reader, project_id: str, agent_types: Sequence[str]) -> Row | None:
    newest = (
        select(JOBS.c.id, JOBS.c.created_at)
        .where(JOBS.c.project_id == project_id, JOBS.c.job_type.in_(agent_types))
        .order_by(JOBS.c.id.desc())
        .limit(1)
    )
    found = reader.select(newest)
    return found[0] if found else None


def _waiting(reader: Reader, names: Sequence[str], agent_types: Sequence[str]) -> dict[str, int]:
    """Count the sessions in review by project, through the index of jobs that are not over."""
    found = reader.select(
        select(JOBS.c.project_id, func.count().label("n"))
        .where(
            JOBS.c.status == JobStatus.WAITING.value,
            JOBS.c.job_type.in_(agent_types),
            JOBS.c.project_id.in_(names),
        )
        .group_by(JOBS.c.project_id)
    )
    return {row["project_id"]: int(row["n"]) for row in found}
