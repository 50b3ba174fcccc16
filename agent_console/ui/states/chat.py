"""The chat: conversations, the open one, and what this person says in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import reflex as rx

from agent_console.domain.access import Actor, Permission
from agent_console.domain.chat import MAX_MESSAGE, ChatQuery, HistoryQuery, NewChatSession
from agent_console.services.chat import Opened
from agent_console.services.job_requests import who
from agent_console.ui import bridge
from agent_console.ui.bridge import Failure
from agent_console.ui.chat_views import (
    ConversationView,
    MessageView,
    SessionRow,
    conversation_view,
    message_views,
    session_row,
)
from agent_console.ui.guard import guarded
from agent_console.ui.live import Ask, LiveState, follow
from agent_console.ui.params import MAX_CURSOR, PAGE_SIZE, address, text

FIELD = "chat-text"
MESSAGES = 50  # on a page


@dataclass(frozen=True, slots=True)
class ChatParams:
    """Which conversation is open, and where in its history (``before``) and in the list."""

    session: str = ""
    before: str = ""
    cursor: str = ""

    @classmethod
    def parse(cls, path: str, query: Mapping[str, str]) -> ChatParams:
        """Read an address."""
        parts = [part for part in path.split("/") if part]
        return cls(
            session=parts[1][:100] if len(parts) > 1 and parts[0] == "chat" else "",
            before=text(query, "before", MAX_CURSOR),
            cursor=text(query, "cursor", MAX_CURSOR),
        )

    def url(self, **changes: str) -> str:
        """Return the address with ``changes`` made to it."""
        new = replace(self, **changes)
        path = f"/chat/{new.session}" if new.session else "/chat"
        return address(path, {"before": new.before, "cursor": new.cursor})


class Chat(LiveState, rx.State):
    """What is on the screen; ``open`` is empty where no conversation is."""

    sessions: list[SessionRow] = []
    older_sessions_href: str = ""
    newest_sessions_href: str = ""
    open: ConversationView = ConversationView()
    messages: list[MessageView] = []
    earlier_href: str = ""
    latest_href: str = ""

    @rx.event(background=True)
    @guarded(Permission.CHAT_USE)
    async def watch(self) -> Any:
        """Follow the conversations."""
        return await follow(self)

    @rx.event
    @guarded(Permission.CHAT_USE)
    async def create(self) -> Any:
        """Open a conversation on nothing in particular."""
        return await self._go(NewChatSession())

    @rx.event
    @guarded(Permission.CHAT_USE)
    async def on_job(self, job_id: str) -> Any:
        """Open the conversation on a job."""
        return await self._go(NewChatSession(job_id=str(job_id)))

    @rx.event
    @guarded(Permission.CHAT_USE)
    async def on_checkpoint(self, checkpoint_id: str) -> Any:
        """Open the conversation on a checkpoint."""
        return await self._go(NewChatSession(checkpoint_id=str(checkpoint_id)))

    @rx.event
    @guarded(Permission.CHAT_USE)
    async def send(self, form: dict[str, Any]) -> Any:
        """Say what was typed; what could not be said goes back into the field."""
        content = str(form.get("content", ""))[: MAX_MESSAGE + 1].strip()
        params = self._params()
        if not content or not params.session:
            return None
        actor = await self._actor()
        done = await bridge.call(bridge.services().chat.post, actor, params.session, content)
        if isinstance(done, Failure):
            await self._tell(done.notice)
            return rx.set_value(FIELD, content)
        if params.before:
            return rx.redirect(params.url(before=""))
        await self._reread(actor)
        return None

    async def _go(self, new: NewChatSession) -> Any:
        opened = await bridge.call(bridge.services().chat.open, await self._actor(), new)
        if not isinstance(opened, Opened):
            await self._tell(opened.notice)
            return None
        return rx.redirect(f"/chat/{opened.session.id}")

    def _params(self) -> ChatParams:
        return ChatParams.parse(self.router.url.path, self.router.url.query_parameters)

    def _ask(self, actor: Actor) -> Ask:
        params = self._params()
        key = ("chat", who(actor), params)
        return Ask(key, lambda: _read(actor, params), subject=params.session)

    def _show(self, answer: Any) -> None:
        self._put(**answer)


def _read(actor: Actor, params: ChatParams) -> dict[str, object]:
    """Return what the page shows; looking at a conversation is joining it and reading it."""
    conversation = _conversation(actor, params)
    query = ChatQuery(limit=PAGE_SIZE, cursor=params.cursor or None)
    page = bridge.services().chat.page(actor, query)
    return {
        **conversation,
        "sessions": [session_row(one, params.session) for one in page.items],
        "older_sessions_href": params.url(cursor=page.next_cursor) if page.next_cursor else "",
        "newest_sessions_href": params.url(cursor="") if params.cursor else "",
    }


def _conversation(actor: Actor, params: ChatParams) -> dict[str, object]:
    if not params.session:
        nothing: dict[str, object] = {"open": ConversationView(), "messages": []}
        return nothing | {"earlier_href": "", "latest_href": ""}
    chat = bridge.services().chat
    detail = chat.join(actor, params.session)
    query = HistoryQuery(limit=MESSAGES, cursor=params.before or None)
    page = chat.history(actor, params.session, query)
    if page.items and not params.before:
        chat.mark_read(actor, params.session, page.items[-1].seq)
    return {
        "open": conversation_view(detail),
        "messages": message_views(page.items, who(actor)),
        "earlier_href": params.url(before=page.next_cursor) if page.next_cursor else "",
        "latest_href": params.url(before="") if params.before else "",
    }
