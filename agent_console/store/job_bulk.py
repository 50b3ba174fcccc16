"""Canceling or retrying some jobs in one transaction: few statements, however many jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agent_console.domain.access import Actor
from agent_console.domain.errors import Conflict
from agent_console.domain.jobs import JobStatus, JobVerb, Json, after
from agent_console.store import rows, uniques
from agent_console.store.job_retry import prepare_retry
from agent_console.store.job_writes import (
    CHANGES,
    FOUND,
    MOVES,
    PAST,
    changed_event,
    leave_gate,
)
from agent_console.store.record_cuts import checkpoint_canceled
from agent_console.store.transactions import Params, Tx


def control_many(
    tx: Tx,
    job_ids: Sequence[str],
    verb: JobVerb,
    actor: Actor,
    *,
    cause: Mapping[str, Json] | None = None,
) -> dict[str, str]:
    """Apply ``verb`` (cancel or retry) where it is possible; return why not, by id.

    What it does to one job is what ``job_writes.control`` does.
    """
    listed, params = _listed(job_ids)
    # In one order everywhere: two that act on the same jobs never wait for each other.
    found = tx.dicts(
        f"SELECT {FOUND} FROM ai_jobs WHERE id IN ({listed}) ORDER BY id {{for_update}}",
        params,
    )
    refused = {one: f"There is no job {one}." for one in job_ids}
    before: dict[str, JobStatus] = {}
    for row in found:
        status = JobStatus(row["status"])
        try:
            uniques.retake(tx, row, status, after(status, verb))
        except Conflict as conflict:
            refused[row["id"]] = conflict.message
        else:
            before[row["id"]] = status
            del refused[row["id"]]
    if before:
        _change(tx, verb, before, actor, dict(cause or {}))
    for row in found:
        if row["id"] in before:
            leave_gate(tx, row, before[row["id"]])
            if verb is JobVerb.RETRY:
                prepare_retry(tx, row["id"], before[row["id"]], row["error"])
    return refused


def _change(
    tx: Tx, verb: JobVerb, before: Mapping[str, JobStatus], actor: Actor, cause: dict[str, Json]
) -> None:
    listed, params = _listed(list(before))
    target = after(next(iter(before.values())), verb)  # a cancel, or a retry, leads to one status
    changed = tx.dicts(
        f"UPDATE ai_jobs SET {MOVES}, claim_token = claim_token + 1{CHANGES[verb]}"
        f" WHERE id IN ({listed}) RETURNING *",
        {**params, "after": target.value},
    )
    types: dict[str, str] = {row["id"]: row["job_type"] for row in changed}
    if verb is JobVerb.CANCEL:
        canceled: list[Any] = tx.rows(
            "UPDATE agent_checkpoints SET status = 'CANCELED', updated_at = {now}"
            f" WHERE job_id IN ({listed}) AND status = 'PENDING' RETURNING id, job_id",
            params,
        )
        tx.record(
            *(checkpoint_canceled(one, job_id, types[job_id], actor) for one, job_id in canceled)
        )
    for job in sorted((rows.job(row) for row in changed), key=lambda job: job.id):
        tx.record(changed_event(PAST[verb], actor, job, before[job.id], cause))


def _listed(job_ids: Sequence[str]) -> tuple[str, Params]:
    params: Params = {f"id{number}": one for number, one in enumerate(job_ids)}
    return ", ".join(f":{name}" for name in params) or "NULL", params
