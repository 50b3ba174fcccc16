"""``/api/agent-checkpoints/{id}/comments``: what people say about a checkpoint."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from agent_console.api.context import ServicesDep
from agent_console.api.documented import READING_ONE, WRITING, problems
from agent_console.api.guard import requires
from agent_console.api.parameters import PageParams
from agent_console.api.routing import resource_router
from agent_console.api.schemas.base import Pagination
from agent_console.api.schemas.comments import (
    CommentAnswer,
    CommentChangeIn,
    CommentIn,
    CommentOut,
    CommentPage,
    LineCommentOut,
    LineComments,
)
from agent_console.domain.access import Actor, Permission
from agent_console.domain.comments import CommentQuery

router = resource_router("Checkpoints")

THREAD = "/api/agent-checkpoints/{checkpointId}/comments"
Reader = Annotated[Actor, requires(Permission.CHECKPOINTS_READ)]
Speaker = Annotated[Actor, requires(Permission.CHECKPOINTS_COMMENT)]


@router.get(
    THREAD, response_model=CommentPage, summary="Read comments", responses=problems(*READING_ONE)
)
def comments(
    actor: Reader,
    services: ServicesDep,
    checkpointId: str,  # noqa: N803 - the name in the address is camelCase like all others
    query: Annotated[PageParams, Query()],
) -> CommentPage:
    """Return the latest page in the order in which it was said; `cursor` goes back."""
    page = services.comments.page(actor, checkpointId, CommentQuery(**query.model_dump()))
    return CommentPage(
        comments=[CommentOut.model_validate(one) for one in page.items],
        pagination=Pagination.of(page),
    )


@router.get(
    THREAD + "/lines",
    response_model=LineComments,
    summary="Read comments on lines",
    responses=problems(*READING_ONE),
)
def on_lines(
    actor: Reader,
    services: ServicesDep,
    checkpointId: str,  # noqa: N803
) -> LineComments:
    """Return what was said to lines in this round and those before, and where these are now."""
    found = services.comments.on_lines(actor, checkpointId)
    return LineComments(comments=[LineCommentOut.of(one) for one in found])


@router.post(
    THREAD,
    status_code=201,
    response_model=CommentAnswer,
    summary="Comment",
    responses=problems(*WRITING, 429),
)
def add(
    actor: Speaker,
    services: ServicesDep,
    checkpointId: str,  # noqa: N803
    body: CommentIn,
) -> CommentAnswer:
    """Say something, of a line if you like; whoever is named after an `@` is mentioned."""
    place = None if body.anchor is None else body.anchor.place()
    made = services.comments.add(actor, checkpointId, body.body, place)
    return CommentAnswer(comment=CommentOut.model_validate(made))


@router.patch(
    THREAD + "/{commentId}",
    response_model=CommentAnswer,
    summary="Change a comment of yours",
    responses=problems(*WRITING),
)
def edit(
    actor: Speaker,
    services: ServicesDep,
    checkpointId: str,  # noqa: N803
    commentId: str,  # noqa: N803
    body: CommentChangeIn,
) -> CommentAnswer:
    """Replace its text; 409 once the checkpoint was decided with it."""
    made = services.comments.edit(actor, checkpointId, commentId, body.body)
    return CommentAnswer(comment=CommentOut.model_validate(made))


@router.delete(
    THREAD + "/{commentId}",
    response_model=CommentAnswer,
    summary="Delete a comment of yours",
    responses=problems(*WRITING),
)
def delete(
    actor: Speaker,
    services: ServicesDep,
    checkpointId: str,  # noqa: N803
    commentId: str,  # noqa: N803
) -> CommentAnswer:
    """Take its text away; that there was a comment stays to be seen."""
    left = services.comments.delete(actor, checkpointId, commentId)
    return CommentAnswer(comment=CommentOut.model_validate(left))
