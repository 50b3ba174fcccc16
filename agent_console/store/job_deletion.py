"""Deleting finished jobs: whole, the least recently finished first, a bounded batch per commit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from agent_console.domain.access import Actor
from agent_console.domain.clock import MICROSECONDS, from_micros
from agent_console.domain.events import Event
from agent_console.domain.jobs import JobStatus
from agent_console.domain.retention import DELETED, KEY_OUTLIVES, OPEN_DELETED, Keep, Removed
from agent_console.store.database import Database
from agent_console.store.dialects import ids_param
from agent_console.store.transactions import Params, Queries, Tx

ROWS: Final = 1_000  # that a batch deletes at most, unless a single job has more
JOBS: Final = 200  # that a batch looks at
ALONE: Final = 4_170_019  # the advisory lock of whoever deletes (PostgreSQL)

# Literals, so that the plan is made for the status at hand.
CANDIDATES: Final[Mapping[JobStatus, str]] = {
    status: f"""
SELECT id, completed_at FROM ai_jobs {{finished_index}}
WHERE status = '{status}' AND completed_at < :before
ORDER BY completed_at, id LIMIT :limit"""
    for status in (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELED)
}
LOCKED: Final[Mapping[JobStatus, str]] = {
    status: f"{sql} {{skip_locked}}" for status, sql in CANDIDATES.items()
}
# The oldest of those that a count keeps. It reads as many entries of the index as it keeps: the
# tallies would be cheaper and, within a group of commits on SQLite, not up to date.
_OLDEST_KEPT: Final[Mapping[JobStatus, str]] = {
    status: f"""
SELECT completed_at, id FROM ai_jobs {{finished_index}}
WHERE status = '{status}' AND completed_at IS NOT NULL
ORDER BY completed_at DESC, id DESC LIMIT 1 OFFSET :others"""
    for status in CANDIDATES
}

_OF_JOB: Final = "job_id {among_ids}"
_CONVERSATION: Final = (
    "session_id IN (SELECT id FROM chat_sessions WHERE job_id {among_ids} UNION"
    " SELECT id FROM chat_sessions WHERE checkpoint_id IN"
    " (SELECT id FROM agent_checkpoints WHERE job_id {among_ids}))"
)
# Everything that goes with a job, in an order that no reference forbids; a test holds the list
# against the references that the tables have. The words of an artifact go with it by cascade.
PARTS: Final[Mapping[str, str]] = {
    "chat_messages": _CONVERSATION,
    "chat_participants": _CONVERSATION,
    "chat_sessions": "job_id {among_ids} OR checkpoint_id IN"
    " (SELECT id FROM agent_checkpoints WHERE job_id {among_ids})",
    "checkpoint_claims": "checkpoint_id IN"
    " (SELECT id FROM agent_checkpoints WHERE job_id {among_ids})",
    "checkpoint_votes": "checkpoint_id IN"
    " (SELECT id FROM agent_checkpoints WHERE job_id {among_ids})",
    "checkpoint_comments": "checkpoint_id IN"
    " (SELECT id FROM agent_checkpoints WHERE job_id {among_ids})",
    "checkpoint_views": "checkpoint_id IN"
    " (SELECT id FROM agent_checkpoints WHERE job_id {among_ids})",
    "job_steps": _OF_JOB,
    "agent_logs": _OF_JOB,
    "job_usage": _OF_JOB,
    "job_previews": _OF_JOB,
    "job_callbacks": _OF_JOB,
    "job_uniques": _OF_JOB,
    "schedule_fires": _OF_JOB,
    "notification_deliveries": _OF_JOB,
    "work_artifacts": _OF_JOB,
    "agent_checkpoints": _OF_JOB,
    "ai_jobs": "id {among_ids}",
}
# How many rows that is for each job: a batch is measured before it is deleted.
_INNER: Final = (
    ("chat_messages", "session_id", "chat_sessions"),
    ("chat_participants", "session_id", "chat_sessions"),
    ("artifact_texts", "artifact_id", "work_artifacts"),
    ("checkpoint_claims", "checkpoint_id", "agent_checkpoints"),
    ("checkpoint_votes", "checkpoint_id", "agent_checkpoints"),
    ("checkpoint_views", "checkpoint_id", "agent_checkpoints"),
    ("checkpoint_comments", "checkpoint_id", "agent_checkpoints"),
)
_SIZE: Final = " UNION ALL ".join(
    [
        f"SELECT job_id, count(*) AS n FROM {name} WHERE job_id {{among_ids}} GROUP BY job_id"
        for name in (*(n for n, of in PARTS.items() if of == _OF_JOB), "chat_sessions")
    ]
    + [
        f"SELECT p.job_id, count(*) FROM {name} c JOIN {parent} p ON p.id = c.{key}"
        " WHERE p.job_id {among_ids} GROUP BY p.job_id"
        for name, key, parent in _INNER
    ]
)
# Whoever ends a job closes its questions; should one be left, the count of them loses it here.
_OPEN: Final = (
    "SELECT count(*) FROM agent_checkpoints"
    " WHERE job_id {among_ids} AND {indexable}status = 'PENDING'"
)
# A repeated request must go on finding its key: whoever asks again may not make a second job.
_END_KEYS: Final = (
    "UPDATE idempotency_keys SET expires_at = {now} + :stay WHERE subject_id {among_ids}"
    " OR subject_id IN (SELECT id FROM agent_checkpoints WHERE job_id {among_ids})"
)
_KEYS: Final = "FROM idempotency_keys WHERE expires_at < {now}"
OLD_KEYS: Final = (
    f"DELETE FROM idempotency_keys WHERE (scope, key) IN (SELECT scope, key {_KEYS} LIMIT :limit)"
)


@dataclass(frozen=True, slots=True)
class _Candidate:
    id: str
    completed_at: int
    status: JobStatus


def delete_batch(db: Database, policy: Mapping[JobStatus, Keep], actor: Actor) -> Removed | None:
    """Delete the next finished jobs beyond their bounds; None: there are none, or others do it.

    One transaction with one event. A job goes whole: a job with more than ``ROWS`` rows is a batch
    of its own. Looks first, so that nothing is written when nothing is due.

    Raises:
        Unavailable: the database is out of reach.
    """
    if not is_due(db, policy):
        return None
    return db.write(lambda tx: _delete(tx, policy, actor))


def is_due(db: Database, policy: Mapping[JobStatus, Keep]) -> bool:
    """Say whether there is a job to delete."""
    with db.read() as reader:
        return any(
            _candidates(reader, status, keep, 1, CANDIDATES) for status, keep in policy.items()
        )


def expire_keys(db: Database) -> int:
    """Forget the keys of jobs that were deleted a day ago; return how many.

    Raises:
        Unavailable: the database is out of reach.
    """
    with db.read() as reader:
        if reader.row(f"SELECT 1 {_KEYS} LIMIT 1") is None:
            return 0
    return db.write(lambda tx: tx.execute(OLD_KEYS, {"limit": ROWS}))


def count_due(reader: Queries, policy: Mapping[JobStatus, Keep], most: int) -> dict[JobStatus, int]:
    """Count the jobs beyond their bounds by status, each up to ``most``."""
    return {
        status: len(_candidates(reader, status, keep, most, CANDIDATES))
        for status, keep in policy.items()
    }


def _delete(tx: Tx, policy: Mapping[JobStatus, Keep], actor: Actor) -> Removed | None:
    lock = tx.row("SELECT {alone}", {"alone": ALONE})
    if lock is None or not lock[0]:
        return None
    found = [
        one
        for status, keep in policy.items()
        for one in _candidates(tx, status, keep, JOBS, LOCKED)
    ]
    found.sort(key=lambda one: (one.completed_at, one.id))
    batch = _bounded(tx, found[:JOBS])
    if not batch:
        return None
    params = _ids(tx, [one.id for one in batch])
    tx.execute(_END_KEYS, {**params, "stay": KEY_OUTLIVES * MICROSECONDS})
    left = tx.row(_OPEN, params)
    rows = {
        name: tx.execute(f"DELETE FROM {name} WHERE {of}", params) for name, of in PARTS.items()
    }
    counts = Counter(one.status for one in batch)
    jobs = {status: counts[status] for status in sorted(counts)}
    tx.record(
        Event(
            action=DELETED,
            actor=actor,
            data={
                "jobs": {status.value: n for status, n in jobs.items()},
                "rows": sum(rows.values()),
                **({OPEN_DELETED: left[0]} if left is not None and left[0] else {}),
                "finishedFrom": from_micros(batch[0].completed_at).isoformat(),
                "finishedTo": from_micros(batch[-1].completed_at).isoformat(),
            },
        )
    )
    return Removed(jobs=jobs, rows=sum(rows.values()))


def _candidates(
    queries: Queries, status: JobStatus, keep: Keep, limit: int, sql: Mapping[JobStatus, str]
) -> list[_Candidate]:
    """Return the oldest jobs in ``status`` that are beyond a bound, at most ``limit``."""
    if keep.forever:
        return []
    kept: tuple[Any, ...] | None = None
    if keep.count is not None:
        kept = queries.row(_OLDEST_KEPT[status], {"others": keep.count - 1})
    aged = 0 if keep.seconds is None else queries.now() - keep.seconds * MICROSECONDS
    before = aged if kept is None else max(aged, kept[0] + 1)
    rows = queries.rows(sql[status], {"before": before, "limit": limit})
    return [
        _Candidate(str(job_id), int(at), status)
        for job_id, at in rows
        if at < aged or (kept is not None and (at, job_id) < (kept[0], kept[1]))
    ]


def _bounded(tx: Tx, found: Sequence[_Candidate]) -> list[_Candidate]:
    """Return as many of ``found``, from the first, as have ``ROWS`` rows together; at least one."""
    if not found:
        return []
    sizes: Counter[str] = Counter()
    for job_id, count in tx.rows(_SIZE, _ids(tx, [one.id for one in found])):
        sizes[job_id] += count
    batch, rows = [found[0]], 1 + sizes[found[0].id]
    for one in found[1:]:
        rows += 1 + sizes[one.id]
        if rows > ROWS:
            break
        batch.append(one)
    return batch


def _ids(tx: Tx, ids: Sequence[str]) -> Params:
    return {"ids": ids_param(ids, tx.dialect)}
