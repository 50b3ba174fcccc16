"""``/api/context-documents``: texts that agents work from, and their versions."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response

from agent_console.api.context import ServicesDep
from agent_console.api.documented import ACTING, READING, READING_ONE, WRITING, problems
from agent_console.api.guard import requires
from agent_console.api.parameters import (
    ContextParams,
    ContextVersionParams,
    IdempotencyKey,
    note_made,
)
from agent_console.api.routing import resource_router
from agent_console.api.schemas.base import Pagination, Success
from agent_console.api.schemas.context import (
    ContextActionIn,
    ContextDocumentAnswer,
    ContextDocumentDetailAnswer,
    ContextDocumentDetailOut,
    ContextDocumentOut,
    ContextDocumentPage,
    NewContextDocumentIn,
    NewContextVersionIn,
)
from agent_console.domain.access import Actor, Permission
from agent_console.services.context import Saved

router = resource_router("Context")

Reader = Annotated[Actor, requires(Permission.CONTEXT_READ)]
Writer = Annotated[Actor, requires(Permission.CONTEXT_WRITE)]


@router.post(
    "/api/context-documents",
    status_code=201,
    response_model=ContextDocumentAnswer,
    summary="Keep a context document",
    responses=problems(*WRITING),
)
def create(
    actor: Writer,
    services: ServicesDep,
    body: NewContextDocumentIn,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> ContextDocumentAnswer:
    """Keep the text as version 1 of a new document."""
    saved = services.context.create(actor, body.to_new_document(), idempotency_key=idempotency_key)
    return _answer(saved, response)


@router.get(
    "/api/context-documents",
    response_model=ContextDocumentPage,
    summary="List context documents, newest first",
    responses=problems(*READING),
)
def list_documents(
    actor: Reader,
    services: ServicesDep,
    query: Annotated[ContextParams, Query()],
) -> ContextDocumentPage:
    """Return one page at the latest versions, without texts."""
    page = services.context.page(actor, query.to_query())
    return ContextDocumentPage(
        documents=[ContextDocumentOut.model_validate(one) for one in page.items],
        pagination=Pagination.of(page),
    )


@router.get(
    "/api/context-documents/{documentId}",
    response_model=ContextDocumentDetailAnswer,
    summary="Read a context document",
    responses=problems(*READING_ONE),
)
def show(
    actor: Reader,
    services: ServicesDep,
    documentId: str,  # noqa: N803 - the name in the address is camelCase like all others
    query: Annotated[ContextVersionParams, Query()],
) -> ContextDocumentDetailAnswer:
    """Return the text of the latest version, or of the one asked for."""
    detail = services.context.get(actor, documentId, version=query.version)
    return ContextDocumentDetailAnswer(document=ContextDocumentDetailOut.of(detail))


@router.post(
    "/api/context-documents/{documentId}/versions",
    status_code=201,
    response_model=ContextDocumentAnswer,
    summary="Add a version to a context document",
    responses=problems(*WRITING),
)
def add_version(
    *,
    actor: Writer,
    services: ServicesDep,
    documentId: str,  # noqa: N803
    body: NewContextVersionIn,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> ContextDocumentAnswer:
    """Keep a new text; versions before it stay readable, and runs that use them keep them."""
    saved = services.context.add_version(
        actor,
        documentId,
        body.content,
        title=body.title,
        base_version=body.base_version,
        idempotency_key=idempotency_key,
    )
    return _answer(saved, response)


@router.patch(
    "/api/context-documents/{documentId}",
    response_model=ContextDocumentAnswer,
    summary="Archive or restore a context document",
    responses=problems(*WRITING),
)
def act(
    actor: Writer,
    services: ServicesDep,
    documentId: str,  # noqa: N803
    body: ContextActionIn,
) -> ContextDocumentAnswer:
    """An archived document is offered to no new job; doing the same twice changes nothing."""
    done = services.context.archive(actor, documentId, archived=body.action == "archive")
    return ContextDocumentAnswer(document=ContextDocumentOut.model_validate(done))


@router.delete(
    "/api/context-documents/{documentId}",
    response_model=Success,
    summary="Delete a context document",
    responses=problems(*ACTING),
)
def delete(actor: Writer, services: ServicesDep, documentId: str) -> Success:  # noqa: N803
    """Delete all its versions; 409 names the first job that was told to work from it."""
    services.context.delete(actor, documentId)
    return Success()


def _answer(saved: Saved, response: Response) -> ContextDocumentAnswer:
    note_made(response, f"/api/context-documents/{saved.document.id}", replayed=saved.replayed)
    return ContextDocumentAnswer(document=ContextDocumentOut.model_validate(saved.document))
