"""Keys of unique jobs: the lock that makes requests take turns, and who is in the way.

The row of ``job_uniques`` is only the lock. Whether a key blocks is read from the jobs themselves,
behind that lock, so that no flag can say otherwise than a job's status does.
"""

from __future__ import annotations

from collections.abc import Iterable

from agent_console.domain.errors import Conflict
from agent_console.domain.jobs import JobStatus
from agent_console.store.transactions import Params, Row, Tx

TAKE = """
INSERT INTO job_uniques (job_type, key, job_id) VALUES (:job_type, :key, :job_id)
ON CONFLICT (job_type, key) DO NOTHING
"""
LOCK = "SELECT job_id FROM job_uniques WHERE job_type = :job_type AND key = :key {for_update}"
NAME = "UPDATE job_uniques SET job_id = :job_id WHERE job_type = :job_type AND key = :key"
ASKED = "SELECT unique_key, unique_while FROM ai_jobs WHERE id = :id"


def in_the_way(statuses: Iterable[JobStatus]) -> str:
    """Return the query of other jobs with the key that are in one of ``statuses``, oldest first.

    It locks them: nobody moves them on before this transaction ends, and one that moved on
    meanwhile is not among them.
    """
    listed = ", ".join(f"'{status.value}'" for status in statuses)
    return (
        "SELECT id, status FROM ai_jobs WHERE job_type = :job_type AND unique_key = :key"
        f" AND status IN ({listed}) AND id <> :job_id ORDER BY id {{for_update}}"
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
    tx: Tx, job_type: str, key: str, job_id: str, statuses: Iterable[JobStatus]
) -> list[Row]:
    """Return id and status of the jobs that block ``job_id``, oldest first; under ``lock``."""
    params: Params = {"job_type": job_type, "key": key, "job_id": job_id}
    return tx.rows(in_the_way(statuses), params)


def taken(job_type: str, key: str, holder: Row) -> Conflict:
    """Return the error that says who is in the way; ``holder`` is its id and status."""
    return Conflict(
        f"Job {holder[0]} of type {job_type} has the unique key {key!r} and is {holder[1]}.",
        jobId=holder[0],
        currentStatus=holder[1],
        uniqueKey=key,
    )


def retake(tx: Tx, job_id: str, job_type: str, before: JobStatus, after: JobStatus) -> None:
    """Let a job that comes back into its own statuses take its key again.

    Raises:
        Conflict: another job has it by now.
    """
    row = tx.row(ASKED, {"id": job_id})
    if row is None or row[0] is None:
        return
    key, statuses = str(row[0]), [JobStatus(word) for word in str(row[1]).split()]
    if after not in statuses or before in statuses:
        return
    lock(tx, job_type, key, job_id)
    if holders := others(tx, job_type, key, job_id, statuses):
        raise taken(job_type, key, holders[0])
