"""Keys of unique jobs: the lock that makes requests take turns, and who is in the way.

The row of ``job_uniques`` is only the lock. Whether a key blocks is read from the jobs themselves,
behind that lock, so that no flag can say otherwise than a job's status does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from agent_console.domain.errors import Conflict
from agent_console.domain.jobs import JobStatus
from agent_console.store.transactions import Params, Row, Tx

TAKE = """
INSERT INTO job_uniques (job_type, key, job_id) VALUES (:job_type, :key, :job_id)
ON CONFLICT (job_type, key) DO NOTHING
"""
LOCK = "SELECT job_id FROM job_uniques WHERE job_type = :job_type AND key = :key {for_update}"
NAME = "UPDATE job_uniques SET job_id = :job_id WHERE job_type = :job_type AND key = :key"
RETAKEN = "id, job_type, unique_key, unique_while"  # columns that tell what a job must retake


def in_the_way(statuses: Iterable[JobStatus], *, locking: bool = False) -> str:
    """Return the query of other jobs with the key that are in one of ``statuses``, oldest first.

    ``locking`` them, nobody moves them on before this transaction ends, and one that moved on
    meanwhile is not among them.
    """
    listed = ", ".join(f"'{status.value}'" for status in statuses)
    return (
        "SELECT id, status FROM ai_jobs {unique_index}"
        " WHERE job_type = :job_type AND unique_key = :key"
        f" AND status IN ({listed}) AND id <> :job_id"
        f" ORDER BY id{' {for_update}' if locking else ''}"
    )


def lock(tx: Tx, job_type: str, key: str, job_id: str) -> None:
    """Take the key's lock until the end of the transaction, and note ``job_id`` as its holder."""
    params: Params = {"job_type": job_type, "key": key, "job_id": job_id}
    # Who deletes rows of jobs that are gone may do so between the two statements.
    while not tx.execute(TAKE, params):
        if tx.row(LOCK, params) is not None:
            tx.execute(NAME, params)
            return


def others(
    tx: Tx,
    job_type: str,
    key: str,
    job_id: str,
    statuses: Iterable[JobStatus],
    *,
    locking: bool = False,
) -> list[Row]:
    """Return id and status of the jobs that block ``job_id``, oldest first; under ``lock``."""
    params: Params = {"job_type": job_type, "key": key, "job_id": job_id}
    return tx.rows(in_the_way(statuses, locking=locking), params)


def taken(job_type: str, key: str, holder: Row) -> Conflict:
    """Return the error that says who is in the way; ``holder`` is its id and status."""
    return Conflict(
        f"Job {holder[0]} of type {job_type} has the unique key {key!r} and is {holder[1]}.",
        jobId=holder[0],
        currentStatus=holder[1],
        uniqueKey=key,
    )


def retake(tx: Tx, row: Mapping[str, Any], before: JobStatus, after: JobStatus) -> None:
    """Let the job of ``row`` (with ``RETAKEN``), if it comes back into its own statuses, do so.

    Raises:
        Conflict: another job has its key by now.
    """
    if row["unique_key"] is None:
        return
    key, statuses = str(row["unique_key"]), [JobStatus(one) for one in row["unique_while"].split()]
    if after not in statuses or before in statuses:
        return
    lock(tx, row["job_type"], key, row["id"])
    if holders := others(tx, row["job_type"], key, row["id"], statuses):
        raise taken(row["job_type"], key, holders[0])
