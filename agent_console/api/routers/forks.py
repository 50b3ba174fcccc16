"""``/api/agent-jobs/{jobId}/fork``: a new job from a step of another."""

from __future__ import annotations

from typing import Annotated

from fastapi import Response

from agent_console.api.context import ServicesDep
from agent_console.api.documented import WRITING, problems
from agent_console.api.guard import requires
from agent_console.api.parameters import IdempotencyKey, note_made
from agent_console.api.routing import resource_router
from agent_console.api.schemas.forks import ForkAnswer, ForkIn, ForkOut
from agent_console.api.schemas.jobs import JobOut
from agent_console.domain.access import Actor, Permission

router = resource_router("Jobs")

Creator = Annotated[Actor, requires(Permission.JOBS_CREATE)]


@router.post(
    "/api/agent-jobs/{jobId}/fork",
    status_code=201,
    response_model=ForkAnswer,
    summary="Fork a job from a step",
    responses={
        200: {"model": ForkAnswer, "description": "A dry run: nothing was made."},
        **problems(*WRITING),
    },
)
def fork(
    *,
    actor: Creator,
    services: ServicesDep,
    jobId: str,  # noqa: N803 - the name in the address is camelCase like all others
    body: ForkIn,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> ForkAnswer:
    """Make a job that begins with a copy of the record before `fromPosition`."""
    wanted = body.to_request()
    if body.dry_run:
        response.status_code = 200
        planned = services.forks.plan(actor, jobId, wanted)
        return ForkAnswer(job=None, fork=ForkOut.model_validate(planned))
    done = services.forks.fork(actor, jobId, wanted, idempotency_key=idempotency_key)
    note_made(response, f"/api/agent-jobs/{done.job.id}", replayed=done.replayed)
    return ForkAnswer(job=JobOut.model_validate(done.job), fork=ForkOut.model_validate(done.plan))
