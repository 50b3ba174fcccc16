"""Conversations as the pages show them: everything in them was written by somebody else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from agent_console.domain.chat import ChatMessage, ChatRole, ChatSession, ChatSessionDetail
from agent_console.domain.visible import reveal
from agent_console.services.markdown_blocks import BlockView, blocks
from agent_console.ui.views import iso, shown

NAMELESS = "New conversation"
_PEOPLE = 5  # that are named


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A conversation in the list; ``unread`` is empty where there is nothing new."""

    id: str
    href: str
    title: str
    about: str
    preview: str
    unread: str
    updated_at: str
    current: bool


@dataclass(frozen=True, slots=True)
class ConversationView:
    """The head of the open conversation; ``about`` is empty where it is on nothing."""

    id: str = ""
    title: str = ""
    about: str = ""
    about_href: str = ""
    people: str = ""


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message: ``text`` of people as it is, ``blocks`` of the assistant's safe Markdown."""

    key: str
    role: str
    author: str
    mine: bool
    text: str
    at: str
    blocks: list[BlockView] = field(default_factory=list)


def session_row(session: ChatSession, current: str) -> SessionRow:
    """Return the row; ``current`` is the id of the open conversation."""
    unread = min(session.unread, 100)
    return SessionRow(
        id=session.id,
        href=f"/chat/{session.id}",
        title=shown(session.title, 120) or NAMELESS,
        about=_about(session)[0],
        preview=shown(_line(session.preview), 120),
        unread="" if not unread else "99+" if unread > 99 else str(unread),
        updated_at=iso(session.updated_at),
        current=session.id == current,
    )


def conversation_view(detail: ChatSessionDetail) -> ConversationView:
    """Return the head of the open conversation."""
    about, href = _about(detail.session)
    named = [shown(one.name, 60) for one in detail.participants[:_PEOPLE]]
    more = len(detail.participants) - len(named)
    return ConversationView(
        id=detail.session.id,
        title=shown(detail.session.title, 160) or NAMELESS,
        about=about,
        about_href=href,
        people=", ".join(named) + (f" and {more} more" if more else ""),
    )


def message_views(messages: Sequence[ChatMessage], me: str) -> list[MessageView]:
    """Return the messages as ``me`` (an account) sees them."""
    return [_message(one, me) for one in messages]


def _message(message: ChatMessage, me: str) -> MessageView:
    assistant = message.role is ChatRole.ASSISTANT
    return MessageView(
        key=str(message.seq),
        role=message.role.value,
        author=shown(message.author_name, 60),
        mine=message.role is ChatRole.USER and message.author_id == me,
        text="" if assistant else reveal(message.content).text,
        at=iso(message.created_at),
        blocks=blocks(message.content) if assistant else [],
    )


def _line(markdown: str) -> str:
    """Return the words of a message without its marks, on one line."""
    parts: list[str] = []
    for block in blocks(markdown):
        items = [span for item in block.points for span in item.spans]
        parts += [block.text, *(span.text for span in (*block.spans, *items))]
    return " ".join("".join(f"{part} " for part in parts).split())


def _about(session: ChatSession) -> tuple[str, str]:
    if session.checkpoint_id is not None:
        return "Checkpoint", f"/admin/agent-checkpoints/{session.checkpoint_id}"
    if session.job_id is not None:
        return "Job", f"/jobs/{session.job_id}"
    return "", ""
