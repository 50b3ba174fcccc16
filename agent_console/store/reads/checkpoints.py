"""Checkpoints as the desk, the card and the job page see them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select, text, tuple_

from agent_console.domain.checkpoints import (
    Checkpoint,
    CheckpointStatus,
    CheckpointSummary,
    Round,
)
from agent_console.domain.queries import COUNT_CAP, SEARCH_WINDOW, CheckpointQuery
from agent_console.domain.records import Page
from agent_console.store import rows
from agent_console.store.cursors import decode, encode
from agent_console.store.database import Reader
from agent_console.store.reads import counts, desk
from agent_console.store.reads.paging import (
    CHECKPOINTS,
    JOBS,
    bounded_count,
    capped_count,
    read_page,
)

_WHOLE = select(
    CHECKPOINTS,
    JOBS.c.job_type,
    JOBS.c.status.label("job_status"),
    JOBS.c.user_id.label("requested_by"),
    JOBS.c.user_name.label("requested_by_name"),
).join(JOBS, JOBS.c.id == CHECKPOINTS.c.job_id)
_SUMMARY = select(
    *(
        CHECKPOINTS.c[name]
        for name in (
            "id", "job_id", "checkpoint_type", "status", "message", "approved_by_name",
            "approved_at", "expires_at", "created_at", "payload_digest", "round", "rounds",
        )
    ),
    func.substr(CHECKPOINTS.c.payload, 1, rows.PAYLOAD_HEAD).label("payload_head"),
    CHECKPOINTS.c.answer_schema.is_not(None).label("asks"),
    JOBS.c.job_type,
    JOBS.c.task_description,
    JOBS.c.user_name.label("requested_by_name"),
).join(JOBS, JOBS.c.id == CHECKPOINTS.c.job_id)  # fmt: skip
_ROUND = select(
    *(
        CHECKPOINTS.c[name]
        for name in (
            "id", "round", "status", "rejection_reason", "feedback", "approved_by_name",
            "approved_at", "created_at", "previous_id",
        )
    )
)  # fmt: skip
_IS_PENDING = text("agent_checkpoints.status = 'PENDING'")
_BY_AGE = (CHECKPOINTS.c.created_at, CHECKPOINTS.c.id)
_NEWEST_FIRST = tuple(column.desc() for column in _BY_AGE)
_WHOLE_ID = re.compile("chk_[0-9a-f]{32}")


def get(reader: Reader, checkpoint_id: str) -> Checkpoint | None:
    """Return the checkpoint, or None."""
    found = reader.select(_WHOLE.where(CHECKPOINTS.c.id == checkpoint_id))
    return rows.checkpoint(found[0]) if found else None


def exists(reader: Reader, checkpoint_id: str) -> bool:
    """Say whether there is such a checkpoint."""
    return bool(reader.select(select(CHECKPOINTS.c.id).where(CHECKPOINTS.c.id == checkpoint_id)))


def edit_schema(reader: Reader, checkpoint_id: str) -> dict[str, Any] | None:
    """Return the JSON Schema of what may be edited; None when nothing may."""
    column = CHECKPOINTS.c.edit_schema
    found = reader.select(select(column).where(CHECKPOINTS.c.id == checkpoint_id))
    return rows.json_object(found[0]["edit_schema"]) or None if found else None


def of_job(reader: Reader, job_id: str) -> list[Checkpoint]:
    """Return all checkpoints of the job, oldest first, those of earlier tries included."""
    found = reader.select(_WHOLE.where(CHECKPOINTS.c.job_id == job_id).order_by(*_BY_AGE))
    return [rows.checkpoint(row) for row in found]


def approved(reader: Reader, job_id: str, limit: int = 20) -> list[Checkpoint]:
    """Return the newest approved checkpoints of the job, oldest of them first."""
    wanted = _WHOLE.where(
        CHECKPOINTS.c.job_id == job_id, CHECKPOINTS.c.status == CheckpointStatus.APPROVED.value
    )
    newest = wanted.order_by(*_NEWEST_FIRST).limit(limit)
    return [rows.checkpoint(row) for row in reversed(reader.select(newest))]


def rounds_of(reader: Reader, job_id: str) -> list[tuple[Round, str | None]]:
    """Return the job's proposals in rounds, oldest first, each with the id of the one before."""
    statement = _ROUND.where(CHECKPOINTS.c.job_id == job_id, CHECKPOINTS.c.rounds.is_not(None))
    found = reader.select(statement.order_by(*_BY_AGE))
    return [(rows.round_of(row), row["previous_id"]) for row in found]


def page(reader: Reader, query: CheckpointQuery) -> Page[CheckpointSummary]:
    """Return one page: pending ones by deadline (every pending one has one), others by age."""
    if query.search:
        return _found(reader, query)
    if query.status == CheckpointStatus.PENDING:
        return desk.page(reader, query, _total(reader, query))
    return _by_age(reader, _after(_of_type(query), query), query, _total(reader, query))


def _by_age(
    reader: Reader, statement: Select[Any], query: CheckpointQuery, total: tuple[int, bool] | None
) -> Page[CheckpointSummary]:
    return read_page(
        reader,
        statement.order_by(*_NEWEST_FIRST),
        query,
        rows.checkpoint_summary,
        key=lambda row: encode(row["created_at"], row["id"]),
        total=total,
    )


def _found(reader: Reader, query: CheckpointQuery) -> Page[CheckpointSummary]:
    """Return one page of what the search finds among the newest; a whole id at any age."""
    everything = searched(replace(query, cursor=None))
    total = capped_count(reader, everything) if query.counted else None
    return _by_age(reader, searched(query), query, total)


def searched(query: CheckpointQuery) -> Select[Any]:
    """Return what finds the matches, in no order: it looks at the newest rows, or at one."""
    wanted = query.search
    if _WHOLE_ID.fullmatch(wanted):
        return _after(_of_type(query), query).where(CHECKPOINTS.c.id == wanted)
    newest = _after(_filtered(select(CHECKPOINTS.c.id, CHECKPOINTS.c.message), query), query)
    seen = newest.order_by(*_NEWEST_FIRST).limit(SEARCH_WINDOW).subquery()
    match = or_(
        seen.c.id.startswith(wanted, autoescape=True),
        seen.c.message.icontains(wanted, autoescape=True),
    )
    # Joined from there: asked for "id IN", SQLite goes through all rows of a status instead.
    found = _SUMMARY.join(seen, seen.c.id == CHECKPOINTS.c.id).where(match)
    return found if query.job_type is None else found.where(JOBS.c.job_type == query.job_type)


def _after(statement: Select[Any], query: CheckpointQuery) -> Select[Any]:
    if not query.cursor:
        return statement
    return statement.where(tuple_(*_BY_AGE) < decode(query.cursor, int, str))


def _of_type(query: CheckpointQuery) -> Select[Any]:
    statement = _filtered(_SUMMARY, query)
    if query.job_type is None:
        return statement
    return statement.where(JOBS.c.job_type == query.job_type)


def _filtered(statement: Select[Any], query: CheckpointQuery) -> Select[Any]:
    """Add the conditions on checkpoints alone; the job's type is added by the callers."""
    conditions: list[ColumnElement[bool]] = []
    if query.checkpoint_type is not None:
        conditions.append(CHECKPOINTS.c.checkpoint_type == query.checkpoint_type)
    if query.job_id is not None:
        conditions.append(CHECKPOINTS.c.job_id == query.job_id)
    statement = statement.where(*conditions)
    if query.status == CheckpointStatus.PENDING:
        return statement.where(_IS_PENDING)
    if query.status is not None:
        return statement.where(CHECKPOINTS.c.status == query.status)
    return statement


def _total(reader: Reader, query: CheckpointQuery) -> tuple[int, bool]:
    narrower = (query.checkpoint_type, query.job_id, query.job_type)
    if query.status == CheckpointStatus.PENDING and narrower == (None, None, None):
        return counts.pending_checkpoints(reader), False
    alone = _filtered(select(CHECKPOINTS.c.job_id), query)
    if query.job_type is None:
        return capped_count(reader, alone)
    some = alone.limit(COUNT_CAP + 1).subquery()
    joined = some.join(JOBS, JOBS.c.id == some.c.job_id)
    return bounded_count(reader, joined, JOBS.c.job_type == query.job_type)
