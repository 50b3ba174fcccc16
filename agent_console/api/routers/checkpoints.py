"""``/api/admin/agent-checkpoints``: the review desk over REST."""

from __future__ import annotations

from typing import Annotated

from fastapi import Body, Query, Response

from agent_console.api.context import ServicesDep
from agent_console.api.deciding import (
    ANSWERED,
    APPROVED,
    CHANGES_REQUESTED,
    REJECTED,
    DecideAtDesk,
    Reviewer,
)
from agent_console.api.documented import READING, READING_ONE, WRITING, problems
from agent_console.api.parameters import CheckpointParams, IdempotencyKey, note_made
from agent_console.api.routing import resource_router
from agent_console.api.schemas.base import Pagination
from agent_console.api.schemas.checkpoints import (
    AnswerIn,
    ApproveIn,
    CheckpointAnswer,
    CheckpointDetailOut,
    CheckpointOut,
    CheckpointPage,
    CheckpointSummaryOut,
    ClaimAnswer,
    ClaimIn,
    ClaimOut,
    DecisionAnswer,
    RejectIn,
    RequestChangesIn,
)
from agent_console.api.schemas.rulings import BulkDecideAnswer, BulkDecideIn

router = resource_router("Checkpoints")


@router.get(
    "/api/admin/agent-checkpoints",
    response_model=CheckpointPage,
    summary="List checkpoints, pending ones by default",
    responses=problems(*READING),
)
def list_checkpoints(
    actor: Reviewer,
    services: ServicesDep,
    query: Annotated[CheckpointParams, Query()],
) -> CheckpointPage:
    """Return one page: pending ones by deadline, soonest first; others newest first."""
    page = services.review.page(actor, query.to_query())
    return CheckpointPage(
        checkpoints=[CheckpointSummaryOut.model_validate(one) for one in page.items],
        pagination=Pagination.of(page),
    )


@router.get(
    "/api/admin/agent-checkpoints/{checkpointId}",
    response_model=CheckpointAnswer,
    summary="Show a checkpoint: what would be approved",
    responses=problems(*READING_ONE),
)
def show(
    actor: Reviewer,
    services: ServicesDep,
    checkpointId: str,  # noqa: N803 - the name in the address is camelCase like all others
) -> CheckpointAnswer:
    """Return the payload with its digest, the job's log tail, and whether you may decide."""
    return CheckpointAnswer(
        checkpoint=CheckpointDetailOut.of_detail(services.review.get(actor, checkpointId))
    )


@router.post(
    "/api/admin/agent-checkpoints/{checkpointId}",
    response_model=DecisionAnswer,
    summary="Approve",
    responses=problems(*WRITING),
)
def approve(
    decide: DecideAtDesk, body: Annotated[ApproveIn | None, Body()] = None
) -> DecisionAnswer:
    """Approve exactly the payload that is stored; the job resumes where it stopped."""
    return decide((body or ApproveIn()).to_verdict(), APPROVED)


@router.post(
    "/api/admin/agent-checkpoints/{checkpointId}/answer",
    response_model=DecisionAnswer,
    summary="Answer a question",
    responses=problems(*WRITING),
)
def answer(decide: DecideAtDesk, body: AnswerIn) -> DecisionAnswer:
    """Answer what the checkpoint asks; the job goes on with it. 422 names what does not fit."""
    return decide(body.to_verdict(), ANSWERED)


@router.delete(
    "/api/admin/agent-checkpoints/{checkpointId}",
    response_model=DecisionAnswer,
    summary="Reject",
    responses=problems(*WRITING),
)
def reject(decide: DecideAtDesk, body: RejectIn) -> DecisionAnswer:
    """Reject with a reason; the job fails with it, unless its handler knows better."""
    return decide(body.to_verdict(), REJECTED)


@router.post(
    "/api/agent-checkpoints/bulk-decide",
    response_model=BulkDecideAnswer,
    summary="Approve or reject up to 1,000 checkpoints",
    responses=problems(*WRITING),
)
def bulk_decide(
    actor: Reviewer,
    services: ServicesDep,
    body: BulkDecideIn,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> BulkDecideAnswer:
    """Decide each as if it were alone; `results` tells what became of each, in the order asked."""
    done = services.review.decide_many(
        actor, body.to_items(), body.to_verdict(), idempotency_key=idempotency_key
    )
    note_made(response, replayed=done.replayed)
    return BulkDecideAnswer.of(done)


@router.post(
    "/api/admin/agent-checkpoints/{checkpointId}/request-changes",
    response_model=DecisionAnswer,
    summary="Request changes",
    responses=problems(*WRITING),
)
def request_changes(decide: DecideAtDesk, body: RequestChangesIn) -> DecisionAnswer:
    """Send it back with feedback: the job proposes again. 409 where there is no next round."""
    return decide(body.to_verdict(), CHANGES_REQUESTED)


@router.post(
    "/api/admin/agent-checkpoints/{checkpointId}/undo",
    response_model=DecisionAnswer,
    summary="Take a decision back",
    responses=problems(*WRITING),
)
def undo(
    actor: Reviewer,
    services: ServicesDep,
    checkpointId: str,  # noqa: N803
) -> DecisionAnswer:
    """Open again what you decided in the console, before `undoUntil`; after it, a 409."""
    reopened = services.review.undo(actor, checkpointId)
    return DecisionAnswer(
        checkpoint=CheckpointOut.of(reopened), message="Decision undone successfully"
    )


@router.post(
    "/api/admin/agent-checkpoints/{checkpointId}/claim",
    response_model=ClaimAnswer,
    summary="Claim for ten minutes",
    responses=problems(*WRITING),
)
def claim(
    actor: Reviewer,
    services: ServicesDep,
    checkpointId: str,  # noqa: N803
    body: Annotated[ClaimIn | None, Body()] = None,
) -> ClaimAnswer:
    """Keep others from deciding meanwhile; again: ten minutes more. 409 names who was first."""
    take_over = (body or ClaimIn()).take_over
    taken = services.claims.claim(actor, checkpointId, take_over=take_over)
    return ClaimAnswer(claim=ClaimOut.model_validate(taken))


@router.delete(
    "/api/admin/agent-checkpoints/{checkpointId}/claim",
    response_model=ClaimAnswer,
    summary="Give a claim back",
    responses=problems(*READING_ONE),
)
def release(
    actor: Reviewer,
    services: ServicesDep,
    checkpointId: str,  # noqa: N803
) -> ClaimAnswer:
    """Let others decide again; a claim that is not yours stays."""
    services.claims.release(actor, checkpointId)
    left = services.claims.of(actor, [checkpointId]).get(checkpointId)
    return ClaimAnswer(claim=None if left is None else ClaimOut.model_validate(left))
