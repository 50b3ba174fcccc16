"""``/api/agent-jobs/batch`` and ``/bulk``: many new jobs, and one action on many."""

from __future__ import annotations

from typing import Annotated

from fastapi import Response

from agent_console.api.context import ServicesDep
from agent_console.api.documented import WRITING, problems
from agent_console.api.guard import requires
from agent_console.api.parameters import IdempotencyKey, note_made
from agent_console.api.routing import resource_router
from agent_console.api.schemas.batches import (
    BatchAnswer,
    BatchIn,
    BulkCounted,
    BulkIn,
    BulkStarted,
    QueuedOut,
)
from agent_console.api.schemas.jobs import JobOut
from agent_console.domain.access import Actor, Permission

router = resource_router("Jobs")

Creator = Annotated[Actor, requires(Permission.JOBS_CREATE)]
Controller = Annotated[Actor, requires(Permission.JOBS_CONTROL)]
COUNTED = {"model": BulkCounted, "description": "With `dryRun`: how many jobs match."}


@router.post(
    "/api/agent-jobs/batch",
    status_code=201,
    response_model=BatchAnswer,
    summary="Enqueue up to 1,000 jobs, all or none",
    responses=problems(*WRITING),
)
def enqueue_batch(
    actor: Creator,
    services: ServicesDep,
    body: BatchIn,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> BatchAnswer:
    """Validate every job and put all into the queue; refused fields read `jobs.3.inputData.…`."""
    done = services.jobs.enqueue_many(
        actor,
        [one.to_new_job() for one in body.jobs],
        keys=[one.idempotency_key for one in body.jobs],
        idempotency_key=idempotency_key,
    )
    note_made(response, replayed=done.replayed)
    return BatchAnswer(jobs=[QueuedOut.model_validate(one) for one in done.jobs])


@router.post(
    "/api/agent-jobs/bulk",
    status_code=201,
    response_model=BulkStarted,
    summary="Cancel or retry all jobs that match a filter",
    responses={200: COUNTED, **problems(*WRITING)},
)
def control_many(
    actor: Controller,
    services: ServicesDep,
    body: BulkIn,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> BulkStarted | Response:
    """Make a job that does it, with progress; with `dryRun` only count, up to 10,000."""
    wanted = body.filter.to_filter()
    if body.dry_run:
        found = services.bulk.count(actor, body.action, wanted)
        answer = BulkCounted(count=found.count, capped=found.capped)
        return Response(answer.model_dump_json(), media_type="application/json")
    done = services.bulk.start(actor, body.action, wanted, idempotency_key=idempotency_key)
    note_made(response, f"/api/agent-jobs/{done.job.id}", replayed=done.replayed)
    return BulkStarted(job=JobOut.model_validate(done.job))
