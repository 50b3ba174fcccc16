"""Jobs as the list and the job page see them."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select

from agent_console.domain.jobs import Job, JobStatus, JobSummary
from agent_console.domain.queries import COUNT_CAP, SEARCH_WINDOW, JobQuery
from agent_console.domain.records import Page
from agent_console.store import rows
from agent_console.store.cursors import decode, encode
from agent_console.store.database import Reader
from agent_console.store.reads import counts
from agent_console.store.reads.paging import JOBS, bounded_count, capped_count, read_page

_PAYLOADS = {
    "input_data", "output_data", "error", "task_configuration", "metadata", "claim_token",
    "claims", "resuming", "idempotency_key", "context_document_id", "approval_strategy",
    "code_version", "park_code", "park_detail", "forked_from", "forked_position",
    "unique_key", "unique_while",
}  # fmt: skip
_WHOLE_ID = re.compile("job_[0-9a-f]{32}")
_SUMMARY = [column for column in JOBS.c if column.name not in _PAYLOADS]


def get(reader: Reader, job_id: str) -> Job | None:
    """Return the job, or None."""
    found = reader.select(select(JOBS).where(JOBS.c.id == job_id))
    return rows.job(found[0]) if found else None


def names(reader: Reader, job_ids: Collection[str]) -> dict[str, str]:
    """Return what the jobs are called, by id: by their description, or else by their type."""
    columns = (JOBS.c.id, JOBS.c.job_type, JOBS.c.task_description)
    found = reader.select(select(*columns).where(JOBS.c.id.in_(job_ids)))
    return {row["id"]: row["task_description"] or row["job_type"] for row in found}


def page(reader: Reader, query: JobQuery) -> Page[JobSummary]:
    """Return one page of jobs, newest first."""
    filters = _filters(query)
    after = [JOBS.c.id < decode(query.cursor, str)[0]] if query.cursor else []
    statement = _newest_first(filters + after)
    total = _total(reader, query, filters) if query.counted else None
    if query.search:
        statement = _search(query.search, filters + after)
    return read_page(
        reader,
        statement,
        query,
        rows.job_summary,
        key=lambda row: encode(row["id"]),
        total=total,
    )


def _newest_first(conditions: list[ColumnElement[bool]]) -> Select[Any]:
    return select(*_SUMMARY).where(*conditions).order_by(JOBS.c.id.desc())


def _filters(query: JobQuery) -> list[ColumnElement[bool]]:
    return [JOBS.c[name] == value for name, value in _wanted(query)]


def _wanted(query: JobQuery) -> list[tuple[str, str]]:
    wanted = [("status", query.status), ("user_id", query.user_id), ("job_type", query.job_type)]
    return [(name, value) for name, value in wanted if value is not None]


def _search(wanted: str, conditions: list[ColumnElement[bool]]) -> Select[Any]:
    """Select matches among the newest rows; a whole id is found at any age."""
    if _WHOLE_ID.fullmatch(wanted):
        return _newest_first([*conditions, JOBS.c.id == wanted])
    newest = _newest_first(conditions).limit(SEARCH_WINDOW).subquery()
    match = or_(
        newest.c.id.startswith(wanted, autoescape=True),
        newest.c.task_description.icontains(wanted, autoescape=True),
    )
    return select(newest).where(match).order_by(newest.c.id.desc())


def _total(reader: Reader, query: JobQuery, filters: list[ColumnElement[bool]]) -> tuple[int, bool]:
    if query.search:
        return capped_count(reader, _search(query.search, filters))
    if not filters:
        return sum(counts.jobs_by_status(reader).values()), False
    if query.status is not None and len(filters) == 1:
        return counts.jobs_by_status(reader)[JobStatus(query.status)], False
    if len(filters) == 1:
        return capped_count(reader, select(JOBS.c.status).where(*filters))
    # One filter through its index, the others on the newest rows that it finds.
    newest = select(JOBS.c.user_id, JOBS.c.job_type).where(filters[0])
    looked_at = newest.order_by(JOBS.c.id.desc()).limit(COUNT_CAP + 1).subquery()
    rest = [looked_at.c[name] == value for name, value in _wanted(query)[1:]]
    return bounded_count(reader, looked_at, and_(*rest))
