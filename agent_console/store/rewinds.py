"""What a person may do with a record that stands in the way: cut it, or give the job up."""

from __future__ import annotations

from typing import Final

from agent_console.domain.access import Actor
from agent_console.domain.errors import Conflict, Invalid, NotFound
from agent_console.domain.forks import Cut
from agent_console.domain.jobs import Job, JobError, JobStatus, JobVerb, Json, after
from agent_console.domain.parking import divergence_of
from agent_console.store import job_writes, rows
from agent_console.store.finishes import error_text
from agent_console.store.job_retry import refusal_position
from agent_console.store.record_cuts import preview, steps_of
from agent_console.store.transactions import Queries, Tx

GIVEN_UP: Final = "GivenUp"  # the error type of a job that a person failed
NOT_DIVERGED = (
    "The job is not parked because its code changed; resume it without onThisVersion to try again."
)
LOCK = "SELECT id FROM ai_jobs WHERE id = :id {for_update}"


def resume_here(tx: Tx, job_id: str, actor: Actor) -> tuple[Job, Cut]:
    """Cut the record where the code parted from it, and let the job go on with the code of now.

    Raises:
        NotFound: there is no such job.
        Conflict: it is not parked for a difference; names its status.
    """
    done = divergence_cut(tx, locked(tx, job_id))
    return _cut(tx, job_id, JobVerb.RESUME, done, actor), done


def retry_from(tx: Tx, job_id: str, position: int, actor: Actor) -> tuple[Job, Cut]:
    """Cut the record before ``position`` and let the job go on there.

    Raises:
        NotFound: there is no such job.
        Conflict: its status allows no retry; names it.
        Invalid: its record has no call at ``position``.
    """
    done = retry_cut(tx, locked(tx, job_id), position)
    return _cut(tx, job_id, JobVerb.RETRY, done, actor), done


def give_up(tx: Tx, job_id: str, reason: str, actor: Actor) -> Job:
    """Fail a parked job, with ``reason`` as its error.

    Raises:
        NotFound: there is no such job.
        Conflict: it is not parked; names its status.
    """
    job = locked(tx, job_id)
    refuse_to_fail(job.status)
    error = error_text(JobError(GIVEN_UP, reason))
    facts: dict[str, Json] = {"reason": reason, "parkReason": job.park_reason}
    return job_writes.control(tx, job_id, JobVerb.FAIL, actor, error=error, facts=facts)


def refuse_to_fail(status: JobStatus) -> None:
    """Let a parked job be failed by hand, and no other.

    Raises:
        Conflict: names the status.
    """
    if status is not JobStatus.PARKED:
        message = f"The job is {status}; fail is possible by hand only from PARKED."
        raise Conflict(message, currentStatus=status.value)


def divergence_cut(queries: Queries, job: Job) -> Cut:
    """Return what going on with the code of now drops.

    Raises:
        Conflict: the job is not parked for a difference; names its status.
    """
    after(job.status, JobVerb.RESUME)
    found = divergence_of(job.park_code, job.park_detail)
    if found is None:
        raise Conflict(NOT_DIVERGED, currentStatus=job.status.value)
    return preview(queries, job.id, found.position)


def retry_cut(queries: Queries, job: Job, position: int) -> Cut:
    """Return what a retry from ``position`` drops.

    Raises:
        Conflict: the job's status allows no retry; names it.
        Invalid: its record has no call at ``position``.
    """
    after(job.status, JobVerb.RETRY)
    calls = len(steps_of(queries, job.id))
    if not 0 <= position < calls:
        last = f"from 0 to {calls - 1}" if calls else "nothing: nothing is recorded"
        raise Invalid.field("fromPosition", f"must be {last}.")
    return preview(queries, job.id, position)


def goes_on_at(queries: Queries, job: Job) -> int:
    """Return the position at which a plain retry of ``job`` goes on."""
    error = None if job.error is None else error_text(job.error)
    refused = refusal_position(queries, job.id, job.status, error)
    return len(steps_of(queries, job.id)) if refused is None else refused


def found(queries: Queries, job_id: str) -> Job:
    """Return the job as ``queries`` sees it.

    Raises:
        NotFound: there is none.
    """
    rows_found = queries.dicts("SELECT * FROM ai_jobs WHERE id = :id", {"id": job_id})
    if not rows_found:
        raise NotFound(f"There is no job {job_id}.")
    return rows.job(rows_found[0])


def locked(tx: Tx, job_id: str) -> Job:
    """Return the job, held against everybody else until the transaction ends.

    Raises:
        NotFound: there is none.
    """
    tx.row(LOCK, {"id": job_id})
    return found(tx, job_id)


def _cut(tx: Tx, job_id: str, verb: JobVerb, done: Cut, actor: Actor) -> Job:
    facts: dict[str, Json] = {
        "fromPosition": done.position,
        "droppedSteps": len(done.steps),
        "droppedDecisions": [one.checkpoint_id for one in done.decisions],
    }
    return job_writes.control(tx, job_id, verb, actor, cut_before=done.position, facts=facts)
