"""Rows of conversations to domain values."""

from __future__ import annotations

from agent_console.domain.chat import ChatMessage, ChatRole, ChatSession, Participant
from agent_console.domain.clock import from_micros
from agent_console.store.rows import Row

PREVIEW = 160  # characters of the latest message that a list shows


def message(row: Row) -> ChatMessage:
    """Return the message of a ``chat_messages`` row."""
    same = (
        "session_id", "seq", "content", "author_id", "author_name", "client_id", "reply_to",
    )  # fmt: skip
    return ChatMessage(
        **{name: row[name] for name in same},
        role=ChatRole(row["role"]),
        created_at=from_micros(row["created_at"]),
    )


def session(row: Row) -> ChatSession:
    """Return the conversation of a ``chat_sessions`` row.

    ``my_read_seq`` (NULL for somebody who never opened it) and ``preview`` come beside it.
    """
    same = (
        "id", "title", "job_id", "checkpoint_id", "created_by", "created_by_name", "last_seq",
    )  # fmt: skip
    read = row["my_read_seq"]
    return ChatSession(
        **{name: row[name] for name in same},
        read_seq=read or 0,
        unread=0 if read is None else max(0, row["last_seq"] - read),
        preview=row["preview"] or "",
        created_at=from_micros(row["created_at"]),
        updated_at=from_micros(row["updated_at"]),
    )


def participant(row: Row) -> Participant:
    """Return the person of a ``chat_participants`` row."""
    return Participant(
        id=row["user_id"],
        name=row["user_name"],
        joined_at=from_micros(row["joined_at"]),
        read_seq=row["read_seq"],
    )
