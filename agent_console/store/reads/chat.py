"""Conversations as lists, the open one, and sockets see them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Select, and_, func, select, tuple_

from agent_console.domain.chat import (
    ChatMessage,
    ChatQuery,
    ChatSession,
    HistoryQuery,
    Participant,
)
from agent_console.domain.records import Page
from agent_console.store import chat_rows, chat_tables
from agent_console.store.cursors import decode, encode
from agent_console.store.database import Reader
from agent_console.store.reads.paging import read_page, table

SESSIONS = table(chat_tables.ChatSession)
MESSAGES = table(chat_tables.ChatMessage)
PEOPLE = table(chat_tables.ChatParticipant)
LISTED_PEOPLE = 200
_ONWARDS, _BACK = "after", "before"
_BY_AGE = (SESSIONS.c.updated_at, SESSIONS.c.id)


def page(
    reader: Reader, query: ChatQuery, who: str, *, on_jobs: bool, on_checkpoints: bool
) -> Page[ChatSession]:
    """Return one page of what ``who`` may see: all, or without those on jobs or checkpoints."""
    statement = _seen_by(who)
    if query.job_id is not None:
        statement = statement.where(SESSIONS.c.job_id == query.job_id)
    if not on_jobs:
        statement = statement.where(SESSIONS.c.job_id.is_(None))
    if not on_checkpoints:
        statement = statement.where(SESSIONS.c.checkpoint_id.is_(None))
    if query.cursor:
        statement = statement.where(tuple_(*_BY_AGE) < decode(query.cursor, int, str))
    return read_page(
        reader,
        statement.order_by(*(column.desc() for column in _BY_AGE)),
        query,
        chat_rows.session,
        key=lambda row: encode(row["updated_at"], row["id"]),
        total=None,
    )


def get(reader: Reader, session_id: str, who: str) -> ChatSession | None:
    """Return the conversation as ``who`` sees it, or None."""
    found = reader.select(_seen_by(who).where(SESSIONS.c.id == session_id))
    return chat_rows.session(found[0]) if found else None


def last_seq(reader: Reader, session_id: str) -> int:
    """Return the number of the latest message; 0: none."""
    found = reader.select(select(SESSIONS.c.last_seq).where(SESSIONS.c.id == session_id))
    return int(found[0]["last_seq"]) if found else 0


def participants(reader: Reader, session_id: str) -> list[Participant]:
    """Return who is in the conversation, in the order in which they came."""
    statement = select(PEOPLE).where(PEOPLE.c.session_id == session_id)
    ordered = statement.order_by(PEOPLE.c.joined_at, PEOPLE.c.user_id).limit(LISTED_PEOPLE)
    return [chat_rows.participant(row) for row in reader.select(ordered)]


def history(reader: Reader, session_id: str, query: HistoryQuery) -> Page[ChatMessage]:
    """Return messages in the order in which they were said; see ``HistoryQuery``."""
    onwards, place = _place(query)
    statement = select(MESSAGES).where(MESSAGES.c.session_id == session_id)
    if onwards:
        statement = statement.where(MESSAGES.c.seq > place).order_by(MESSAGES.c.seq)
    else:
        earlier = statement if place is None else statement.where(MESSAGES.c.seq < place)
        statement = earlier.order_by(MESSAGES.c.seq.desc())
    found = read_page(
        reader,
        statement,
        query,
        chat_rows.message,
        key=lambda row: encode(_ONWARDS if onwards else _BACK, row["seq"]),
        total=None,
    )
    return found if onwards else replace(found, items=list(reversed(found.items)))


def _place(query: HistoryQuery) -> tuple[bool, int | None]:
    """Return whether to read onwards, and from which number."""
    if query.cursor:
        direction, place = decode(query.cursor, str, int)
        return direction == _ONWARDS, place
    return query.after is not None, query.after


def _seen_by(who: str) -> Select[Any]:
    mine = and_(PEOPLE.c.session_id == SESSIONS.c.id, PEOPLE.c.user_id == who)
    latest = and_(MESSAGES.c.session_id == SESSIONS.c.id, MESSAGES.c.seq == SESSIONS.c.last_seq)
    return (
        select(
            SESSIONS,
            PEOPLE.c.read_seq.label("my_read_seq"),
            func.substr(MESSAGES.c.content, 1, chat_rows.PREVIEW).label("preview"),
        )
        .outerjoin(PEOPLE, mine)
        .outerjoin(MESSAGES, latest)
    )
