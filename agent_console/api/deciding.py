"""Requests that decide a checkpoint: whoever they come from, one answer to all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Response

from agent_console.api.context import ServicesDep
from agent_console.api.guard import requires
from agent_console.api.parameters import IdempotencyKey, note_made
from agent_console.api.schemas.checkpoints import CheckpointOut, DecisionAnswer
from agent_console.api.schemas.review_policies import TallyOut
from agent_console.domain.access import Actor, Permission
from agent_console.domain.checkpoints import CheckpointStatus, Verdict
from agent_console.services.review import Decided

APPROVED = "Checkpoint approved successfully"
ANSWERED = "Checkpoint answered successfully"
REJECTED = "Checkpoint rejected successfully"
CHANGES_REQUESTED = "Changes requested successfully"

Reviewer = Annotated[Actor, requires(Permission.CHECKPOINTS_DECIDE)]
# Decides what the request's address names; the text is told when that was the last word needed.
Decide = Callable[[Verdict, str], DecisionAnswer]


async def _at_the_desk(
    *,
    actor: Reviewer,
    services: ServicesDep,
    checkpointId: str,  # noqa: N803 - the names in the address are camelCase like all others
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> Decide:
    def decide(verdict: Verdict, said: str) -> DecisionAnswer:
        done = services.review.decide_once(
            actor, checkpointId, verdict, idempotency_key=idempotency_key
        )
        return _answer(done, response, said)

    return decide


async def _in_a_session(
    *,
    actor: Reviewer,
    services: ServicesDep,
    projectId: str,  # noqa: N803
    sessionId: str,  # noqa: N803
    checkpointId: str,  # noqa: N803
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> Decide:
    def decide(verdict: Verdict, said: str) -> DecisionAnswer:
        done = services.sessions.decide(
            actor, projectId, sessionId, checkpointId, verdict, idempotency_key=idempotency_key
        )
        return _answer(done, response, said)

    return decide


DecideAtDesk = Annotated[Decide, Depends(_at_the_desk)]
DecideInSession = Annotated[Decide, Depends(_in_a_session)]


def _answer(done: Decided, response: Response, said: str) -> DecisionAnswer:
    """Return the answer to a decision, marked when the request was a repetition."""
    note_made(response, replayed=done.replayed)
    if done.checkpoint.status is CheckpointStatus.PENDING:
        said = "Recorded; more people have to agree"
    return DecisionAnswer(
        checkpoint=CheckpointOut.of(done.checkpoint),
        message=said,
        tally=None if done.tally is None else TallyOut.model_validate(done.tally),
    )
