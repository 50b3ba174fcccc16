"""``/api/chat``: conversations over REST, and live over a socket."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from starlette.responses import Response

from agent_console.api.context import ServicesDep
from agent_console.api.conversation import talk
from agent_console.api.documented import READING, READING_ONE, WRITING, problems
from agent_console.api.guard import requires
from agent_console.api.parameters import ChatParams, HistoryParams, note_made
from agent_console.api.routing import resource_router
from agent_console.api.schemas.base import Pagination, Success
from agent_console.api.schemas.chat import (
    ChatMessageAnswer,
    ChatMessageOut,
    ChatMessagePage,
    ChatReadIn,
    ChatSessionAnswer,
    ChatSessionDetailOut,
    ChatSessionOut,
    ChatSessionPage,
    NewChatMessageIn,
    NewChatSessionIn,
)
from agent_console.api.sockets import GuardedSocket
from agent_console.domain.access import Actor, Permission

router = resource_router("Chat")

Talker = Annotated[Actor, requires(Permission.CHAT_USE)]
_OPENED: dict[int | str, dict[str, Any]] = {
    200: {"model": ChatSessionAnswer, "description": "There was one already; you are in it now."}
}


@router.post(
    "/api/v1/chat/session",
    status_code=201,
    response_model=ChatSessionAnswer,
    responses=problems(*WRITING),
    include_in_schema=False,
)
@router.post(
    "/api/chat/session",
    status_code=201,
    response_model=ChatSessionAnswer,
    summary="Open a conversation",
    responses={**_OPENED, **problems(*WRITING)},
)
def open_session(
    actor: Talker, services: ServicesDep, body: NewChatSessionIn, response: Response
) -> ChatSessionAnswer:
    """Open a conversation and join it; a job and a checkpoint have one each."""
    opened = services.chat.open(actor, body.to_new_session())
    response.status_code = 201 if opened.created else 200
    note_made(response, f"/api/chat/session/{opened.session.id}")
    detail = services.chat.get(actor, opened.session.id)
    return ChatSessionAnswer(session=ChatSessionDetailOut.of(detail))


@router.get(
    "/api/chat/session",
    response_model=ChatSessionPage,
    summary="List conversations, latest message first",
    responses=problems(*READING),
)
def list_sessions(
    actor: Talker, services: ServicesDep, query: Annotated[ChatParams, Query()]
) -> ChatSessionPage:
    """Return one page of the conversations that you may see, with what you have not read."""
    page = services.chat.page(actor, query.to_query())
    return ChatSessionPage(
        sessions=[ChatSessionOut.model_validate(one) for one in page.items],
        pagination=Pagination.of(page),
    )


@router.get(
    "/api/chat/session/{sessionId}",
    response_model=ChatSessionAnswer,
    summary="Read a conversation's head",
    responses=problems(*READING_ONE),
)
def show_session(
    actor: Talker,
    services: ServicesDep,
    sessionId: str,  # noqa: N803 - the name in the address is camelCase like all others
) -> ChatSessionAnswer:
    """Return what it is on, and who is in it, without joining."""
    return ChatSessionAnswer(session=ChatSessionDetailOut.of(services.chat.get(actor, sessionId)))


@router.get(
    "/api/chat/session/{sessionId}/messages",
    response_model=ChatMessagePage,
    summary="Read messages",
    responses=problems(*READING_ONE),
)
def history(
    actor: Talker,
    services: ServicesDep,
    sessionId: str,  # noqa: N803
    query: Annotated[HistoryParams, Query()],
) -> ChatMessagePage:
    """Return the latest page, the one before it (`cursor`), or what follows `after`."""
    page = services.chat.history(actor, sessionId, query.to_query())
    return ChatMessagePage(
        messages=[ChatMessageOut.model_validate(one) for one in page.items],
        pagination=Pagination.of(page),
    )


@router.post(
    "/api/chat/session/{sessionId}/messages",
    status_code=201,
    response_model=ChatMessageAnswer,
    summary="Say something",
    responses=problems(*WRITING, 429),
)
def post(
    actor: Talker,
    services: ServicesDep,
    sessionId: str,  # noqa: N803
    body: NewChatMessageIn,
    response: Response,
) -> ChatMessageAnswer:
    """Keep the message under the next number, joining if need be."""
    posted = services.chat.post(actor, sessionId, body.content, client_id=body.client_id)
    note_made(response, replayed=posted.replayed)
    return ChatMessageAnswer(message=ChatMessageOut.model_validate(posted.message))


@router.post(
    "/api/chat/session/{sessionId}/read",
    response_model=Success,
    summary="Mark messages as read",
    responses=problems(*WRITING),
)
def mark_read(
    actor: Talker,
    services: ServicesDep,
    sessionId: str,  # noqa: N803
    body: ChatReadIn,
) -> Success:
    """Note up to where you have read; never backwards, nor beyond the end."""
    services.chat.mark_read(actor, sessionId, body.seq)
    return Success()


router.routes.append(GuardedSocket("/api/chat/ws/{sessionId}", talk, Permission.CHAT_USE))
