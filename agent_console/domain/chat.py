"""Conversations: who said what, in which order, and what it is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from agent_console.domain.queries import Paging

MAX_MESSAGE = 4_000  # characters
MAX_TITLE = 120  # characters
MAX_CLIENT_ID = 100  # characters
MENTION = "@assistant"


class ChatRole(StrEnum):
    """Who speaks."""

    USER = "user"
    ASSISTANT = "assistant"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewChatSession:
    """A conversation to open. On a job or a checkpoint there is one, on neither always a new one.

    ``title`` empty: what the conversation is on, or its first message, gives the title.
    """

    title: str = ""
    job_id: str | None = None
    checkpoint_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """Somebody who has opened the conversation; ``read_seq`` is the last message they saw."""

    id: str
    name: str
    joined_at: datetime
    read_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatSession:
    """A conversation as one person sees it.

    ``last_seq`` is the number of its latest message (0: none yet), ``read_seq`` of the last one
    that this person has seen; ``unread`` is 0 for those who never opened it. ``preview`` is the
    beginning of the latest message. A conversation on a checkpoint is on its job, too.
    """

    id: str
    title: str
    job_id: str | None
    checkpoint_id: str | None
    created_by: str
    created_by_name: str
    last_seq: int
    read_seq: int
    unread: int
    preview: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatSessionDetail:
    """A conversation with the people in it, in the order in which they came."""

    session: ChatSession
    participants: Sequence[Participant]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewChatMessage:
    """What somebody says; ``client_id`` makes a repeated request say it once.

    ``reply_to`` is the number of the message that this one answers; one is answered once.
    """

    role: ChatRole
    content: str
    author_id: str | None = None
    author_name: str = ""
    client_id: str | None = None
    reply_to: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatMessage:
    """A message; ``seq`` counts from 1 without gaps within its conversation."""

    session_id: str
    seq: int
    role: ChatRole
    content: str
    author_id: str | None
    author_name: str
    client_id: str | None
    reply_to: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatQuery(Paging):
    """Conversations, those with the latest message first; of one job if it is named."""

    job_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryQuery(Paging):
    """Messages of a conversation, in the order in which they were said.

    The latest page, and by its cursor the one before it; with ``after`` those that follow that
    number, and by the cursor of that page those that follow it.
    """

    after: int | None = None


def is_command(text: str) -> bool:
    """Say whether ``text`` is a command to the assistant."""
    return text.lstrip().startswith("/")


def is_for_assistant(text: str, people: int) -> bool:
    """Say whether the assistant answers ``text`` in a conversation of so many people.

    It answers commands and whoever calls it by name; everything only where nobody else is there.
    """
    return is_command(text) or people <= 1 or MENTION in text.casefold()
