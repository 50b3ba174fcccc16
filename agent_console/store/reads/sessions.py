"""Work sessions: jobs of agents, as their project sees them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from agent_console.domain.checkpoints import CheckpointStatus
from agent_console.domain.queries import SessionQuery
from agent_console.domain.records import Page
from agent_console.domain.sessions import SessionStatus, WorkSession, job_statuses
from agent_console.store import rows
from agent_console.store.cursors import decode, encode
from agent_console.store.database import Reader
from agent_console.store.reads.paging import CHECKPOINTS, JOBS, capped_count, read_page
from agent_console.store.reads.records import ARTIFACTS

_BIG = {"input_data", "output_data"}
_SESSION = select(
    *(column for column in JOBS.c if column.name not in _BIG),
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
