"""Jobs as the list and the job page see them."""

from __future__ import annotations

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
    "code_version",
}  # fmt: skip
_SUMMARY = [column for column in JOBS.c if column.name not in _PAYLOADS]


def get(reader: Reader, job_id: str) -> Job | None:
    """Return the job, or None."""
    found = reader.select(select(JOBS).where(JOBS.c.id == job_id))
    return rows.job(found[0]) if found else None


def page(reader: Reader, query: JobQuery) -> Page[JobSummary]:
    """Return one page of jobs, newest first."""
    filters = _filters(query)
    statement = select(*_SUMMARY).where(*_after(query), *filters)
    everything = select(*_SUMMARY).where(*filters)
    if query.search:
        statement = _search(statement, query, [*_after(query), *filters])
        everything = _search(everything, query, filters)
    return read_page(
        reader,
        statement.order_by(JOBS.c.id.desc()),
        query,
        rows.job_summary,
        key=lambda row: encode(row["id"]),
        total=_total(reader, query, everything),
    )


def _filters(query: JobQuery) -> list[ColumnElement[bool]]:
    return [JOBS.c[name] == value for name, value in _wanted(query)]


def _wanted(query: JobQuery) -> list[tuple[str, str]]:
    wanted = [("status", query.status), ("user_id", query.user_id), ("job_type", query.job_type)]
    return [(name, value) for name, value in wanted if value is not None]


def _after(query: JobQuery) -> list[ColumnElement[bool]]:
    return [JOBS.c.id < decode(query.cursor, str)[0]] if query.cursor else []


def _search(
    statement: Select[Any], query: JobQuery, filters: list[ColumnElement[bool]]
) -> Select[Any]:
    """Narrow to matches among the newest rows; a whole id is found at any age."""
    newest = select(JOBS.c.id).where(*filters).order_by(JOBS.c.id.desc()).limit(SEARCH_WINDOW)
    text = query.search
    match = or_(
        JOBS.c.id.startswith(text, autoescape=True),
        JOBS.c.task_description.icontains(text, autoescape=True),
    )
    return statement.where(or_(JOBS.c.id == text, and_(JOBS.c.id.in_(newest), match)))


def _total(reader: Reader, query: JobQuery, everything: Select[Any]) -> tuple[int, bool]:
    filters = _filters(query)
    if query.search:
        return capped_count(reader, everything)
    if query.job_type is None and query.user_id is None:
        numbers = counts.jobs_by_status(reader)
        chosen = [JobStatus(query.status)] if query.status is not None else list(numbers)
        return sum(numbers[status] for status in chosen), False
    if len(filters) == 1:
        return capped_count(reader, everything)
    # One filter through its index, the others on the newest rows that it finds.
    newest = (
        select(JOBS.c.user_id, JOBS.c.job_type)
        .where(filters[0])
        .order_by(JOBS.c.id.desc())
        .limit(COUNT_CAP + 1)
    )
    looked_at = newest.subquery()
    rest = [looked_at.c[name] == value for name, value in _wanted(query)[1:]]
    return bounded_count(reader, looked_at, and_(*rest))
