"""Ending runs: one statement for everything that is ready."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from agent_console.domain.clock import MICROSECONDS
from agent_console.domain.crashpoints import crashpoint
from agent_console.domain.errors import ConsoleError
from agent_console.domain.events import Event
from agent_console.domain.jobs import FINISHED, JobError, JobStatus, JobVerb, after
from agent_console.domain.payload import dumps
from agent_console.store.claims import worker_actor
from agent_console.store.database import Database
from agent_console.store.engine_values import Finish
from agent_console.store.runs import insert_logs
from agent_console.store.transactions import Row, Tx

COLUMNS: Final = (
    "id, token, status, output, error, delay, park_reason, park_code, park_detail, version,"
    " uncharged, done"
)

# The casts are for PostgreSQL, which takes a column of NULLs for text.
FINISH: Final = """
UPDATE ai_jobs SET status = v.status, output_data = coalesce(v.output, output_data),
  error = CASE WHEN v.status = 'COMPLETED' THEN NULL ELSE coalesce(v.error, ai_jobs.error) END,
  run_at = CASE WHEN v.delay IS NULL THEN run_at ELSE {now} + CAST(v.delay AS BIGINT) END,
  park_reason = v.park_reason, park_code = v.park_code, park_detail = v.park_detail,
  code_version = coalesce(v.version, code_version),
  worker_id = NULL, claims = 0, resuming = v.uncharged,
  completed_at = CASE WHEN v.done = 1 THEN {now} ELSE NULL END, updated_at = {now}
FROM v WHERE ai_jobs.id = v.id AND ai_jobs.claim_token = v.token
  AND ai_jobs.status{by_id} = 'RUNNING'
RETURNING ai_jobs.id, ai_jobs.started_at, ai_jobs.updated_at, ai_jobs.claim_token
"""

_ACTIONS: Mapping[JobVerb, str] = MappingProxyType(
    {
        JobVerb.COMPLETE: "job.completed",
        JobVerb.FAIL: "job.failed",
        JobVerb.RETRY_LATER: "job.retrying",
        JobVerb.RELEASE: "job.released",
        JobVerb.PARK: "job.parked",
    }
)


def finish(db: Database, batch: Sequence[Finish]) -> set[str]:
    """End the runs of ``batch`` in one transaction; return the ids of the jobs that accepted it.

    A job missing from the answer was canceled, paused or rescued meanwhile: its run's outcome
    counts for nothing.
    """
    if not batch:
        return set()
    accepted = db.write(lambda tx: _finish(tx, batch))
    crashpoint("finish.committed")
    return accepted


def _finish(tx: Tx, batch: Sequence[Finish]) -> set[str]:
    insert_logs(tx, [line for end in batch for line in end.logs])
    rows = tx.values(COLUMNS, FINISH, [_row(end) for end in batch])
    # By token as well: the batch may hold a run that lost the job, and the one that ended it.
    seconds = {(row[0], row[3]): max(0, row[2] - row[1]) / MICROSECONDS for row in rows}
    for end in batch:
        claim = (end.key.job_id, end.key.token)
        if claim in seconds:
            tx.record(_event(end, seconds[claim]))
    crashpoint("finish.before_commit")
    return {job_id for job_id, _ in seconds}


def _row(end: Finish) -> Row:
    status = after(JobStatus.RUNNING, end.verb)
    delay = int(end.delay * MICROSECONDS) if end.verb is JobVerb.RETRY_LATER else None
    return (
        end.key.job_id,
        end.key.token,
        status.value,
        end.output,
        None if end.error is None else error_text(end.error),
        delay,
        end.park_reason,
        None if end.park_code is None else end.park_code.value,
        None if end.park_detail is None else dumps(dict(end.park_detail)),
        end.code_version,
        1 if end.verb is JobVerb.RELEASE else 0,
        1 if status in FINISHED else 0,
    )


def error_text(error: JobError) -> str:
    """Return ``error`` as the text of the ``error`` column."""
    return dumps({"type": error.type, "message": error.message, "traceback": error.traceback})


def _event(end: Finish, seconds: float) -> Event:
    status = after(JobStatus.RUNNING, end.verb)
    if end.verb not in _ACTIONS:
        raise ConsoleError(f"a run cannot end with {end.verb}")
    data = dict(end.data)
    if end.error is not None:
        data["error"] = f"{end.error.type}: {end.error.message}"
    if end.park_reason is not None:
        data["reason"] = end.park_reason
    if end.park_code is not None:
        data |= {"code": end.park_code.value, "detail": dict(end.park_detail or {})}
    return Event(
        action=_ACTIONS[end.verb],
        actor=worker_actor(end.key.worker_id),
        job_id=end.key.job_id,
        job_type=end.job_type,
        before=JobStatus.RUNNING,
        after=status,
        seconds=seconds if status in FINISHED else None,
        data=data,
    )
