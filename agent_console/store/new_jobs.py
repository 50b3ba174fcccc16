"""The row of a new job: waiting to be claimed, or begun by the worker of the process it is made in.

Who enqueues where a worker has a slot free need not wait for a claim: the row is stored as one
that this worker holds, in the same statement. Nothing else may tell the two apart afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from agent_console.domain.access import Actor
from agent_console.domain.clock import MICROSECONDS, to_micros
from agent_console.domain.jobs import JobStatus, NewJob
from agent_console.domain.payload import dumps
from agent_console.store import admission
from agent_console.store.prepared import KEPT
from agent_console.store.transactions import Params, Tx

# A job of a limited type is held from the beginning; see ``admission``.
GATE: Final = "coalesce((SELECT gated FROM job_types WHERE job_type = {0}), 0)"
# Every column a new job has a value in, with its SQL. One job or a thousand are inserted by this
# one table: what is a parameter here is named in ``params_of``.
COLUMNS: Final[Mapping[str, str]] = {
    **{
        name: f":{name}"
        for name in (
            "id", "job_type", "status", "task_description", "input_data", "priority", "user_id",
            "user_name", "project_id", "task_configuration", "context_document_id",
            "approval_strategy", "max_attempts", "metadata", "idempotency_key", "traceparent",
            "unique_key", "unique_while", "lane",
        )
    },
    **dict.fromkeys(("attempts", "claims", "resuming", "claim_token"), "0"),
    "gate": GATE.format(":job_type"),
    "run_at": "coalesce(:run_at, {now} + CAST(:delay AS BIGINT))",
    "created_at": "{now}",
    "updated_at": "{now}",
}  # fmt: skip
# The same as if it had been claimed at once.
_BEGUN: Final[Mapping[str, str]] = {
    **COLUMNS,
    "status": "'RUNNING'",
    "worker_id": ":worker_id",
    **dict.fromkeys(("attempts", "claims", "claim_token"), "1"),
    "gate": "0",
    "started_at": "{now}",
}
_INSERT: Final = (
    f"{KEPT} INSERT INTO ai_jobs ({', '.join(COLUMNS)})"
    f" VALUES ({', '.join(COLUMNS.values())}) RETURNING *"
)
# Nothing where jobs of the type have to be let in.
_INSERT_BEGUN: Final = (
    f"{KEPT} INSERT INTO ai_jobs ({', '.join(_BEGUN)}) SELECT {', '.join(_BEGUN.values())}"
    " WHERE NOT EXISTS (SELECT 1 FROM job_types WHERE job_type = :job_type AND gated = 1)"
    " RETURNING *"
)


def params_of(
    job_id: str,
    new: NewJob,
    asker: Actor,
    idempotency_key: str | None,
    *,
    max_attempts: int,
    traceparent: str | None,
) -> Params:
    """Return the values of a new job's row by the names that ``COLUMNS`` uses."""
    configuration, unique = new.task_configuration, new.unique
    user_id, user_name = asker_of(asker)
    return {
        "id": job_id,
        "job_type": new.job_type,
        "status": (JobStatus.PENDING if new.auto_execute else JobStatus.INITIALIZED).value,
        "task_description": new.task_description,
        "input_data": dumps(new.input_data),
        "priority": new.priority,
        "user_id": user_id,
        "user_name": user_name,
        "project_id": new.project_id,
        "task_configuration": None if configuration is None else dumps(configuration),
        "context_document_id": new.context_document_id,
        "approval_strategy": new.approval_strategy,
        "max_attempts": max_attempts,
        "metadata": dumps(new.metadata) if new.metadata else "{}",
        "lane": new.lane,
        "idempotency_key": idempotency_key,
        "traceparent": traceparent,
        "unique_key": None if unique is None else unique.settled(),
        "unique_while": None if unique is None else " ".join(unique.while_in),
        "run_at": None if new.run_at is None else to_micros(new.run_at),
        "delay": round((new.delay_seconds or 0) * MICROSECONDS),
    }


def asker_of(asker: Actor) -> tuple[str | None, str | None]:
    """Return the account and the name under which a job of ``asker`` is kept."""
    return asker.id, asker.name or None


def insert(tx: Tx, params: Params) -> Mapping[str, Any]:
    """Insert the job to be claimed by somebody; return its row."""
    return tx.dicts(_INSERT, params)[0]


def insert_begun(tx: Tx, params: Params, worker_id: str) -> Mapping[str, Any] | None:
    """Insert the job as claimed by ``worker_id``; None, and no job, if its type is limited."""
    tx.share(admission.BEGINNING)
    found = tx.dicts(_INSERT_BEGUN, {**params, "worker_id": worker_id})
    return found[0] if found else None


def as_made(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the row of a job that has begun as it was made: who asked for it is told of that."""
    waiting = JobStatus.PENDING.value
    return {**row, "status": waiting, "attempts": 0, "worker_id": None, "started_at": None}
