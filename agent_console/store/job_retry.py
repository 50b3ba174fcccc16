"""What a retry keeps of a job's record, and what it asks for again.

A retry goes on from the record: steps that were done stay done. One thing would make it fail again
at once: a refusal (rejected, expired, canceled, changes that the handler could not make) on record,
which replay would hand to the handler as before. So when a refusal is what ended the job, the
record is cut at that call, and the handler asks again (``record_cuts``).
"""

from __future__ import annotations

from agent_console.domain.checkpoints import CheckpointStatus
from agent_console.domain.jobs import JobStatus
from agent_console.store.record_cuts import cut
from agent_console.store.rows import json_object
from agent_console.store.transactions import Queries, Tx

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
    position = refusal_position(tx, job_id, before, error)
    if position is not None:
        cut(tx, job_id, position)


def refusal_position(
    queries: Queries, job_id: str, before: JobStatus, error: str | None
) -> int | None:
    """Return where a retry cuts the record: at the refusal that ended the job, if one did."""
    refused = _last_refusal(queries, job_id)
    if refused is None:
        return None
    position, status = refused
    failed_by_it = before is JobStatus.FAILED and _error_type(error) in _REFUSAL_ERRORS
    never_answered = status == CheckpointStatus.CANCELED
    # Requested changes are work to go on with, unless the handler does not know what to do.
    goes_on = status == CheckpointStatus.CHANGES_REQUESTED
    stays = goes_on or _recorded_after(queries, job_id, position)
    return position if failed_by_it or never_answered or not stays else None


def _last_refusal(queries: Queries, job_id: str) -> tuple[int, str] | None:
    """Return position and status of the last asked question if its answer was a refusal."""
    row = queries.row(
        "SELECT position, status FROM agent_checkpoints WHERE job_id = :id AND position >= 0"
        " AND checkpoint_type = 'APPROVAL_REQUIRED' ORDER BY position DESC LIMIT 1",
        {"id": job_id},
    )
    return (row[0], row[1]) if row is not None and row[1] in _REFUSALS else None


def _error_type(error: str | None) -> str:
    """Return the bare class name in a stored job error."""
    return str(json_object(error).get("type", "")).rsplit(".", 1)[-1]


def _recorded_after(queries: Queries, job_id: str, position: int) -> bool:
    row = queries.row(
        "SELECT 1 FROM job_steps WHERE job_id = :id AND position > :position",
        {"id": job_id, "position": position},
    )
    return row is not None
