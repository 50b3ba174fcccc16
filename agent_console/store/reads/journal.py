"""The journal, read back: a job's timeline, a checkpoint's history, the audit page."""

from __future__ import annotations

from sqlalchemy import ColumnElement, select

from agent_console.domain.clock import to_micros
from agent_console.domain.events import JournalEntry
from agent_console.domain.queries import AuditQuery
from agent_console.domain.records import Page
from agent_console.store import rows, tables
from agent_console.store.cursors import decode, encode
from agent_console.store.database import Reader
from agent_console.store.reads.paging import CHECKPOINTS, read_page, table

JOURNAL = table(tables.AuditLog)
TIMELINE_LIMIT = 500  # newest entries of one job


def timeline(reader: Reader, job_id: str) -> list[JournalEntry]:
    """Return the newest entries about the job, oldest of them first."""
    statement = select(JOURNAL).where(JOURNAL.c.job_id == job_id)
    newest = statement.order_by(JOURNAL.c.seq.desc()).limit(TIMELINE_LIMIT)
    return [rows.journal_entry(row) for row in reversed(reader.select(newest))]


def page(reader: Reader, query: AuditQuery) -> Page[JournalEntry]:
    """Return one page of the journal, newest first; history is never counted."""
    statement = select(JOURNAL).where(*_filters(query))
    if query.cursor:
        statement = statement.where(JOURNAL.c.seq < decode(query.cursor, int)[0])
    return read_page(
        reader,
        statement.order_by(JOURNAL.c.seq.desc()),
        query,
        rows.journal_entry,
        key=lambda row: encode(int(row["seq"])),
        total=None,
    )


def _filters(query: AuditQuery) -> list[ColumnElement[bool]]:
    wanted = {
        "action": query.action,
        "actor_id": query.actor_id,
        "job_id": query.job_id,
        "checkpoint_id": query.checkpoint_id,
    }
    filters: list[ColumnElement[bool]] = [
        JOURNAL.c[name] == value for name, value in wanted.items() if value is not None
    ]
    if query.checkpoint_id is not None:
        # Its job has an index in the journal; the checkpoint itself has none.
        of_it = select(CHECKPOINTS.c.job_id).where(CHECKPOINTS.c.id == query.checkpoint_id)
        filters.append(JOURNAL.c.job_id == of_it.scalar_subquery())
    if query.since is not None:
        filters.append(JOURNAL.c.at >= to_micros(query.since))
    if query.until is not None:
        filters.append(JOURNAL.c.at < to_micros(query.until))
    return filters
