"""Reviews that are over, read for export: keys first, then a few whole at a time.

However rare a job type is, a statement looks at a bounded number of checkpoints.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from agent_console.domain.clock import to_micros
from agent_console.domain.events import JournalEntry
from agent_console.domain.presence import Viewer
from agent_console.domain.review_export import ExportQuery, Reviewed
from agent_console.store import comments, rows
from agent_console.store.database import Database, Reader
from agent_console.store.dialects import ids_param

KEYS: Final = 500  # checkpoints that one statement looks at
WHOLE: Final = 20  # that are held in memory at a time, payloads included

FOUND: Final = """
SELECT c.created_at, c.id, c.status, j.job_type FROM agent_checkpoints c
JOIN ai_jobs j ON j.id = c.job_id
WHERE c.checkpoint_type = 'APPROVAL_REQUIRED' AND c.created_at < :until
  AND (c.created_at, c.id) > (:at, :id)
ORDER BY c.created_at, c.id LIMIT :limit
"""
_WHOLE: Final = """
SELECT c.*, j.job_type, j.status AS job_status, j.user_id AS requested_by,
  j.user_name AS requested_by_name, j.task_description
FROM agent_checkpoints c JOIN ai_jobs j ON j.id = c.job_id WHERE c.id {among_ids}
"""
_VIEWS: Final = """
SELECT * FROM checkpoint_views WHERE checkpoint_id {among_ids} ORDER BY first_seen, user_id
"""
# By the job's index; the checkpoint itself has none in the journal.
_ENTRIES: Final = """
SELECT * FROM audit_logs WHERE job_id {among_ids} AND checkpoint_id IS NOT NULL
  AND verdict IS NOT NULL ORDER BY seq
"""
_FOR_EVER: Final = 2**62


def read(db: Database, query: ExportQuery) -> Iterator[Reviewed]:
    """Yield the reviews of ``query`` by the time they were asked for, each page of one moment."""
    at, last = 0 if query.since is None else to_micros(query.since), ""  # before every id
    until = _FOR_EVER if query.until is None else to_micros(query.until)
    while True:
        with db.read() as reader:
            page = reader.rows(FOUND, {"at": at, "id": last, "until": until, "limit": KEYS})
        ids = [
            checkpoint_id
            for _, checkpoint_id, status, job_type in page
            if status != "PENDING" and query.job_type in {None, job_type}
        ]
        for first in range(0, len(ids), WHOLE):
            with db.read() as reader:
                found = _reviewed(reader, ids[first : first + WHOLE])
            yield from found
        if len(page) < KEYS:
            return
        at, last = page[-1][0], page[-1][1]


def _reviewed(reader: Reader, ids: list[str]) -> list[Reviewed]:
    params: dict[str, object] = {"ids": ids_param(ids, reader.dialect)}
    found = {row["id"]: row for row in reader.dicts(_WHOLE, params)}
    views: dict[str, list[Viewer]] = {}
    for row in reader.dicts(_VIEWS, params):
        views.setdefault(row["checkpoint_id"], []).append(rows.viewer(row))
    threads, told = comments.of_many(reader, ids), _entries(reader, found)
    # What was deleted, or is open again, since its key was read is left out.
    return [
        Reviewed(
            checkpoint=rows.checkpoint(found[one]),
            task_description=found[one]["task_description"],
            risk=found[one]["risk"],
            views=views.get(one, []),
            comments=threads.get(one, []),
            entries=told.get(one, []),
        )
        for one in ids
        if one in found and found[one]["status"] != "PENDING"
    ]


def _entries(reader: Reader, found: dict[str, dict[str, Any]]) -> dict[str, list[JournalEntry]]:
    jobs = sorted({row["job_id"] for row in found.values()})
    told: dict[str, list[JournalEntry]] = {}
    for row in reader.dicts(_ENTRIES, {"ids": ids_param(jobs, reader.dialect)}):
        if row["checkpoint_id"] in found:
            told.setdefault(row["checkpoint_id"], []).append(rows.journal_entry(row))
    return told
