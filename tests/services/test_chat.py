"""Conversations: who sees them, how they are numbered, and what a repetition does."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from agent_console.domain.access import Actor, Permission, Role
from agent_console.domain.chat import (
    MAX_MESSAGE,
    ChatMessage,
    ChatQuery,
    ChatRole,
    HistoryQuery,
    NewChatSession,
)
from agent_console.domain.errors import Conflict, Forbidden, Invalid, NotFound, RateLimited
from agent_console.services.chat import MESSAGES, WINDOW
from tests.services.conftest import Desk


def opened(desk: Desk, actor: Actor, **on: str) -> str:
    return desk.services.chat.open(actor, NewChatSession(**on)).session.id


def said(desk: Desk, actor: Actor, session: str, after: int = 0) -> Sequence[ChatMessage]:
    return desk.services.chat.history(actor, session, HistoryQuery(after=after)).items


def together(desk: Desk) -> tuple[Actor, Actor, str]:
    """Return two people in one conversation; the second one's joining is its message 1."""
    ada, bob = desk.actor(Role.OPERATOR, "ada"), desk.actor(Role.VIEWER, "bob")
    session = opened(desk, ada, title="Nightly run")
    desk.services.chat.join(bob, session)
    return ada, bob, session


def test_messages_are_numbered_without_gaps_and_read_in_order(desk: Desk) -> None:
    ada, bob, session = together(desk)
    for number in range(3):
        desk.services.chat.post(ada if number % 2 else bob, session, f"line {number}")
    got = said(desk, ada, session)
    assert [(one.seq, one.role, one.content) for one in got] == [
        (1, ChatRole.SYSTEM, "bob joined."),
        (2, ChatRole.USER, "line 0"),
        (3, ChatRole.USER, "line 1"),
        (4, ChatRole.USER, "line 2"),
    ]
    assert [one.author_name for one in got] == ["", "bob", "ada", "bob"]
    assert [one.seq for one in said(desk, ada, session, after=2)] == [3, 4]


def test_a_hundred_at_the_same_time_make_one_row_of_numbers(desk: Desk) -> None:
    people = [desk.actor(Role.VIEWER, f"p{number}") for number in range(4)]
    session = opened(desk, people[0])
    for one in people:
        desk.services.chat.join(one, session)
    first = len(said(desk, people[0], session))
    with ThreadPoolExecutor(8) as pool:
        work = [
            pool.submit(desk.services.chat.post, people[n % 4], session, f"line {n}")
            for n in range(100)
        ]
        posted = [one.result().message for one in work]
    assert sorted(one.seq for one in posted) == list(range(first + 1, first + 101))
    history = desk.services.chat.history(people[0], session, HistoryQuery(after=0, limit=200))
    assert {one.seq: one.content for one in history.items if one.seq > first} == {
        one.seq: one.content for one in posted
    }


def test_a_message_sent_again_is_said_once(desk: Desk) -> None:
    ada, bob, session = together(desk)
    chat = desk.services.chat
    with ThreadPoolExecutor(4) as pool:
        sent = [pool.submit(chat.post, ada, session, "once", client_id="c1") for _ in range(8)]
        answers = [one.result() for one in sent]
    assert {one.message.seq for one in answers} == {2}
    assert sorted(one.replayed for one in answers) == [False] + [True] * 7
    with pytest.raises(Conflict, match="clientId"):
        chat.post(ada, session, "something else", client_id="c1")
    assert chat.post(bob, session, "once", client_id="c1").message.seq == 3  # another person's id
    assert [one.content for one in said(desk, ada, session)] == ["bob joined.", "once", "once"]


def test_a_job_and_a_checkpoint_have_one_conversation_each(desk: Desk) -> None:
    ada, bob = desk.actor(Role.OPERATOR, "ada"), desk.actor(Role.REVIEWER, "bob")
    job_id, checkpoint_id = desk.waiting(ada)
    chat = desk.services.chat
    with ThreadPoolExecutor(4) as pool:
        both = [
            one.result()
            for one in [
                pool.submit(chat.open, who, NewChatSession(job_id=job_id)) for who in (ada, bob) * 4
            ]
        ]
    assert len({one.session.id for one in both}) == 1
    assert sum(one.created for one in both) == 1
    on_it = chat.open(bob, NewChatSession(checkpoint_id=checkpoint_id))
    assert on_it.created
    assert (on_it.session.job_id, on_it.session.checkpoint_id) == (job_id, checkpoint_id)
    again = chat.open(ada, NewChatSession(checkpoint_id=checkpoint_id))
    assert (again.session.id, again.created) == (on_it.session.id, False)
    assert opened(desk, ada) != opened(desk, ada)  # on nothing: always a new one
    listed = chat.page(ada, ChatQuery(job_id=job_id)).items
    assert {one.id for one in listed} == {on_it.session.id, both[0].session.id}


def test_what_does_not_exist_has_no_conversation(desk: Desk) -> None:
    ada = desk.actor(Role.OPERATOR, "ada")
    for on in ({"job_id": "job_x"}, {"checkpoint_id": "chk_x"}):
        for title in ("", "A title does not make it exist"):
            with pytest.raises(NotFound):
                desk.services.chat.open(ada, NewChatSession(title=title, **on))
    with pytest.raises(NotFound):
        desk.services.chat.post(ada, "cht_x", "hello")


def test_a_conversation_is_seen_by_those_who_may_read_what_it_is_on(desk: Desk) -> None:
    ada = desk.actor(Role.OPERATOR, "ada")
    job_id, checkpoint_id = desk.waiting(ada)
    free = opened(desk, ada)
    on_job = opened(desk, ada, job_id=job_id)
    on_checkpoint = opened(desk, ada, checkpoint_id=checkpoint_id)
    chat = desk.services.chat
    talker = replace(ada, kind="token", permissions=frozenset({Permission.CHAT_USE}))
    reader = replace(talker, permissions=frozenset({Permission.CHAT_USE, Permission.JOBS_READ}))
    assert {one.id for one in chat.page(talker, ChatQuery()).items} == {free}
    assert {one.id for one in chat.page(reader, ChatQuery()).items} == {free, on_job}
    for actor, hidden in ((talker, on_job), (talker, on_checkpoint), (reader, on_checkpoint)):
        for call in (
            chat.get,
            chat.join,
            lambda a, s: chat.history(a, s, HistoryQuery()),
            chat.last_seq,
            lambda a, s: chat.post(a, s, "hello"),
            lambda a, s: chat.mark_read(a, s, 1),
        ):
            with pytest.raises(Forbidden):
                call(actor, hidden)
    for title in ("", "A title opens no door"):
        for on in ({"job_id": job_id}, {"checkpoint_id": checkpoint_id}):
            with pytest.raises(Forbidden):
                chat.open(talker, NewChatSession(title=title, **on))


def test_unread_marks_count_what_others_said_and_never_go_back(desk: Desk) -> None:
    ada, bob, session = together(desk)
    chat = desk.services.chat
    eve = desk.actor(Role.VIEWER, "eve")

    def unread(actor: Actor) -> int:
        return chat.page(actor, ChatQuery()).items[0].unread

    assert (unread(ada), unread(bob), unread(eve)) == (1, 1, 0)
    chat.post(ada, session, "hello")
    assert (unread(ada), unread(bob), unread(eve)) == (0, 2, 0)  # whoever writes has read
    chat.mark_read(bob, session, 2)
    chat.mark_read(bob, session, 1)
    assert unread(bob) == 0
    chat.mark_read(bob, session, 99)  # beyond the end: no mark
    chat.post(ada, session, "more")
    assert unread(bob) == 1
    with pytest.raises(Invalid):
        chat.mark_read(bob, session, -1)


def test_the_list_has_the_latest_message_first_and_pages_by_cursor(desk: Desk) -> None:
    ada = desk.actor(Role.OPERATOR, "ada")
    sessions = []
    for number in range(5):
        sessions.append(opened(desk, ada, title=f"number {number}"))
        desk.clock.advance(1)
    desk.services.chat.post(ada, sessions[1], "/help")
    chat = desk.services.chat
    first = chat.page(ada, ChatQuery(limit=2))
    second = chat.page(ada, ChatQuery(limit=2, cursor=first.next_cursor))
    third = chat.page(ada, ChatQuery(limit=2, cursor=second.next_cursor))
    shown = [one.title for page in (first, second, third) for one in page.items]
    assert shown == [f"number {n}" for n in (1, 4, 3, 2, 0)]
    assert third.next_cursor is None
    assert first.items[0].preview.startswith("- `/status`")


def test_history_pages_back_and_onwards_to_its_ends(desk: Desk) -> None:
    ada, _, session = together(desk)
    chat = desk.services.chat
    for number in range(2, 12):
        chat.post(ada, session, f"line {number}")
    back: list[int] = []
    cursor: str | None = None
    while True:
        page = chat.history(ada, session, HistoryQuery(limit=4, cursor=cursor))
        back = [one.seq for one in page.items] + back
        cursor = page.next_cursor
        if cursor is None:
            break
    assert back == list(range(1, 12))
    onwards = chat.history(ada, session, HistoryQuery(after=5, limit=4))
    rest = chat.history(ada, session, HistoryQuery(limit=4, cursor=onwards.next_cursor))
    assert [one.seq for one in (*onwards.items, *rest.items)] == [6, 7, 8, 9, 10, 11]
    assert rest.next_cursor is None
    with pytest.raises(Invalid):
        chat.history(ada, session, HistoryQuery(cursor="nonsense"))


@pytest.mark.parametrize(
    ("content", "client_id"),
    [("", None), (" \n", None), ("x" * (MAX_MESSAGE + 1), None), ("a\x00b", None), ("a", "")],
)
def test_what_is_no_message_is_refused(desk: Desk, content: str, client_id: str | None) -> None:
    ada = desk.actor(Role.OPERATOR, "ada")
    session = opened(desk, ada)
    with pytest.raises(Invalid):
        desk.services.chat.post(ada, session, content, client_id=client_id)
    assert said(desk, ada, session) == []


def test_the_first_words_become_the_title_of_a_conversation_without_one(desk: Desk) -> None:
    ada, bob = desk.actor(Role.OPERATOR, "ada"), desk.actor(Role.VIEWER, "bob")
    session = opened(desk, ada)
    desk.services.chat.join(bob, session)
    for content in ("/status", "Why is it\nslow today?", "something else"):
        desk.services.chat.post(ada, session, content)
    assert desk.services.chat.get(ada, session).session.title == "Why is it slow today?"
    job_id = desk.job(ada, task_description="Nightly   export")
    on_job = desk.services.chat.open(ada, NewChatSession(job_id=job_id)).session
    assert on_job.title == "Nightly export"


def test_an_account_may_send_so_much_in_a_while(desk: Desk) -> None:
    ada, bob, session = together(desk)
    chat = desk.services.chat
    for number in range(MESSAGES):
        chat.post(ada, session, f"line {number}")
    with pytest.raises(RateLimited) as refused:
        chat.post(ada, session, "one more")
    assert refused.value.context["retryAfter"] == WINDOW
    chat.post(bob, session, "mine passes")
    desk.clock.advance(WINDOW)
    assert chat.post(ada, session, "later").message.content == "later"


def test_opening_is_journaled_and_joining_is_said_once(desk: Desk) -> None:
    ada, bob, session = together(desk)
    for _ in range(2):
        desk.services.chat.join(bob, session)
        desk.services.chat.join(ada, session)
    assert [one.content for one in said(desk, ada, session)] == ["bob joined."]
    detail = desk.services.chat.get(ada, session)
    assert [(one.name, one.read_seq) for one in detail.participants] == [("ada", 0), ("bob", 0)]
    with desk.db.read() as reader:
        rows = reader.rows("SELECT actor_name, subject_id FROM audit_logs WHERE action = :a",
                           {"a": "chat.opened"})  # fmt: skip
    assert rows == [("ada", session)]
