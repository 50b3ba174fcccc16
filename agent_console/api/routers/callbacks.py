"""``/api/agent-jobs/{jobId}/callback``: where an external worker answers a job's call."""

from __future__ import annotations

from typing import Annotated

from starlette.requests import Request

from agent_console.api.context import ApiContext, ServicesDep
from agent_console.api.documented import WRITING, problems
from agent_console.api.guard import bearer, checked
from agent_console.api.routing import resource_router
from agent_console.api.schemas.callbacks import CallbackAnswer, CallbackIn
from agent_console.domain.access import Actor
from agent_console.domain.errors import Unauthenticated

router = resource_router("Callbacks")


def _token(request: Request) -> str:
    token = bearer(request)
    if token is None:
        raise Unauthenticated("Send the token that came with the call as bearer token.")
    return token


def _holds_token(request: Request, context: ApiContext) -> Actor:
    job_id = str(request.path_params["jobId"])
    return context.services.callbacks.caller(job_id, _token(request))


Caller = Annotated[Actor, checked(_holds_token, "the token that the job handed out with its call")]


@router.post(
    "/api/agent-jobs/{jobId}/callback",
    response_model=CallbackAnswer,
    summary="Answer the call of a job",
    responses=problems(*WRITING),
)
def answer(
    actor: Caller,  # noqa: ARG001 - holding the token is all there is to it
    services: ServicesDep,
    request: Request,
    jobId: str,  # noqa: N803 - the name in the address is camelCase like all others
    body: CallbackIn,
) -> CallbackAnswer:
    """Keep the answer and wake the job; the same answer again changes nothing."""
    fresh = services.callbacks.receive(jobId, _token(request), body.root)
    return CallbackAnswer(replayed=not fresh)
