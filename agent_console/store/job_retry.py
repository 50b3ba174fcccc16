"""What a retry keeps of a job's record, and what it asks for again.

A retry goes on from the record: steps that were done stay done. One thing would make it fail again
at once: a refusal (rejected, expired, canceled, changes that the handler could not make) on record,
which replay would hand to the handler as before. So when a refusal is what ended the job, the
record is cut at that call, and the handler asks again. Checkpoints, artifacts and usage from there
on stay as history under negative positions, outside of the handler's numbering, which frees their
own for the new try.
"""

from __future__ import annotations

from agent_console.domain.checkpoints import CheckpointStatus
from agent_console.domain.jobs import JobStatus
from agent_console.store.rows import json_object
from agent_console.store.transactions import Tx

_REFUSALS = frozenset(
    {
        CheckpointStatus.REJECTED,
        CheckpointStatus.CHANGES_REQUESTED,
        CheckpointStatus.EXPIRED,
        CheckpointStatus.CANCELED,
    }
)
_REFUSAL_ERRORS = frozenset({"Rejected", "Expired", "ChangesRequested"})


def prepare_retry(tx: Tx, job_id: str, before: JobStatus, error: str | None) -> None:
    """Cut the record of ``job_id`` at the refusal that ended it, if one did.

    ``before`` and ``error`` are the job's status and stored error before the retry.
    """
    refused = _last_refusal(tx, job_id)
    if refused is None:
        return
    position, status = refused
    failed_by_it = before is JobStatus.FAILED and _error_type(error) in _REFUSAL_ERRORS
    never_answered = status == CheckpointStatus.CANCELED
    # Requested changes are work to go on with, unless the handler does not know what to do.
    goes_on = status == CheckpointStatus.CHANGES_REQUESTED
    if failed_by_it or never_answered or not (goes_on or _recorded_after(tx, job_id, position)):
        _cut(tx, job_id, position)


def _last_refusal(tx: Tx, job_id: str) -> tuple[int, str] | None:
    """Return position and status of the last asked question if its answer was a refusal."""
    row = tx.row(
        "SELECT position, status FROM agent_checkpoints WHERE job_id = :id AND position >= 0"
        " AND checkpoint_type = 'APPROVAL_REQUIRED' ORDER BY position DESC LIMIT 1",
        {"id": job_id},
    )
    return (row[0], row[1]) if row is not None and row[1] in _REFUSALS else None


def _error_type(error: str | None) -> str:
    """Return the bare class name in a stored job error."""
    return str(json_object(error).get("type", "")).rsplit(".", 1)[-1]


def _recorded_after(tx: Tx, job_id: str, position: int) -> bool:
    row = tx.row(
        "SELECT 1 FROM job_steps WHERE job_id = :id AND position > :position",
        {"id": job_id, "position": position},
    )
    return row is not None


def _cut(tx: Tx, job_id: str, position: int) -> None:
    tx.execute(
        "DELETE FROM job_steps WHERE job_id = :id AND position >= :position",
        {"id": job_id, "position": position},
    )
    tx.execute(  # their answers belong to calls that are made anew
        "DELETE FROM job_callbacks WHERE job_id = :id AND position >= :position",
        {"id": job_id, "position": position},
    )
    for table in ("agent_checkpoints", "work_artifacts", "job_usage"):
        row = tx.row(f"SELECT min(position) FROM {table} WHERE job_id = :id", {"id": job_id})
        lowest = min(0, row[0]) if row is not None and row[0] is not None else 0
        tx.execute(
            f"UPDATE {table} SET position = :lowest - 1 - (position - :position)"
            " WHERE job_id = :id AND position >= :position",
            {"id": job_id, "lowest": lowest, "position": position},
        )
