"""The chat page: what is shown, said and read, with real services."""

from __future__ import annotations

from typing import Any

from agent_console.domain.chat import ChatQuery, HistoryQuery, NewChatSession
from agent_console.ui.chat_views import MessageView
from agent_console.ui.states.chat import Chat, ChatParams
from tests.ui.conftest import Browser, Console, run


def opened(console: Console, role: str = "operator", **on: str) -> str:
    return console.services.chat.open(console.actor(role), NewChatSession(**on)).session.id


async def arrived(browser: Browser) -> None:
    await browser.send(Chat.watch, wait=False)
    await browser.until(lambda: browser.wire.value(Chat, "loaded") is True)


def look(console: Console, path: str, role: str = "viewer") -> Browser:
    async def work() -> Browser:
        async with Browser(console.sign_in(role), path) as browser:
            await arrived(browser)
            return browser

    return run(work())


def messages(browser: Browser) -> list[MessageView]:
    found: list[MessageView] = browser.wire.value(Chat, "messages") or []
    return found


def test_opening_the_page_joins_and_reads(console: Console) -> None:
    session = opened(console, title="Nightly run")
    operator, chat = console.actor("operator"), console.services.chat
    chat.post(operator, session, "Hello <b>there</b>\u202e")
    wire = look(console, f"/chat/{session}").wire
    assert wire.value(Chat, "open").title == "Nightly run"
    assert wire.value(Chat, "open").people == "Operator, Viewer"
    said = wire.value(Chat, "messages")
    assert [(one.role, one.mine) for one in said] == [
        ("user", False), ("assistant", False), ("system", False),
    ]  # fmt: skip
    assert said[0].text == "Hello <b>there</b>⟨U+202E⟩"  # text, whatever it looks like
    assert said[0].blocks == []
    assert [one.kind for one in said[1].blocks] == ["text", "list", "text"]
    viewer = console.actor("viewer")
    assert chat.page(viewer, ChatQuery()).items[0].unread == 0
    rows = wire.value(Chat, "sessions")
    assert [(one.title, one.unread, one.current) for one in rows] == [("Nightly run", "", True)]
    assert rows[0].preview == "Viewer joined."


def test_what_others_say_appears_and_counts_as_unread_elsewhere(console: Console) -> None:
    session, other = opened(console, title="One"), opened(console, title="Two")
    operator, chat = console.actor("operator"), console.services.chat
    chat.join(console.actor("viewer"), other)

    async def work() -> Browser:
        async with Browser(console.sign_in("viewer"), f"/chat/{session}") as browser:
            await arrived(browser)
            for where in (session, other):
                chat.post(operator, where, f"said in {where}")
            console.services.feed.publish()
            await browser.until(lambda: len(messages(browser)) == 2)
            return browser

    browser = run(work())
    assert messages(browser)[-1].text == f"said in {session}"
    rows = {one.title: one.unread for one in browser.wire.value(Chat, "sessions")}
    assert rows == {"One": "", "Two": "2"}


def test_sending_says_it_and_what_cannot_be_said_comes_back(console: Console) -> None:
    session = opened(console)

    async def work(form: Any) -> Browser:
        async with Browser(console.sign_in("operator"), f"/chat/{session}") as browser:
            await arrived(browser)
            await browser.send(Chat.send(form))
            return browser

    browser = run(work({"content": "  /help \n"}))
    assert (messages(browser)[0].text, messages(browser)[0].mine) == ("/help", True)
    assert messages(browser)[1].role == "assistant"
    run(work({"content": "  "}))
    run(work({}))
    refused = run(work({"content": "x\x00y"}))
    events = [event for update in refused.wire.sent for event in update.events]
    assert [(one.name, one.payload) for one in events] == [
        ("_set_value", {"ref": "ref_chat_text", "value": "x\x00y"})
    ]
    history = console.services.chat.history(console.actor("operator"), session, HistoryQuery())
    assert len(history.items) == 2


def test_a_job_s_conversation_is_opened_from_its_page(console: Console) -> None:
    job_id = console.job(task_description="Look")

    async def work(event: Any, path: str) -> list[str]:
        async with Browser(console.sign_in("viewer"), path) as browser:
            await browser.send(event)
            return browser.wire.redirects()

    (first,) = run(work(Chat.on_job(job_id), f"/jobs/{job_id}"))
    (again,) = run(work(Chat.on_job(job_id), f"/jobs/{job_id}"))
    assert first == again
    session = first.removeprefix("/chat/")
    found = console.services.chat.get(console.actor("viewer"), session).session
    assert (found.job_id, found.title) == (job_id, "Look")
    assert run(work(Chat.on_job("job_x"), "/jobs/job_x")) == []
    assert run(work(Chat.on_checkpoint("chk_x"), "/")) == []
    (new,) = run(work(Chat.create, "/chat"))
    assert new != first


def test_history_is_paged_by_the_address(console: Console) -> None:
    session = opened(console)
    operator, chat = console.actor("operator"), console.services.chat
    for number in range(30):
        chat.post(operator, session, f"/why {number}")
    wire = look(console, f"/chat/{session}", "operator").wire
    assert [one.key for one in wire.value(Chat, "messages")] == [str(n) for n in range(11, 61)]
    earlier = wire.value(Chat, "earlier_href")
    wire = look(console, earlier, "operator").wire
    assert [one.key for one in wire.value(Chat, "messages")] == [str(n) for n in range(1, 11)]
    assert wire.value(Chat, "latest_href") == f"/chat/{session}"


def test_what_is_not_there_says_so(console: Console) -> None:
    wire = look(console, "/chat/cht_none").wire
    assert wire.value(Chat, "problem_code") == "not_found"
    empty = look(console, "/chat").wire
    assert (empty.value(Chat, "sessions") or []) == []


def test_the_list_shows_the_words_of_an_answer_without_its_marks(console: Console) -> None:
    session = opened(console)
    console.services.chat.post(console.actor("operator"), session, "/help")
    (row,) = look(console, "/chat").wire.value(Chat, "sessions")
    assert row.preview.startswith("/status – how many jobs are where")


def test_parameters_read_back() -> None:
    params = ChatParams.parse("/chat/cht_1", {"before": "b", "cursor": "c"})
    assert params.url() == "/chat/cht_1?before=b&cursor=c"
    assert ChatParams.parse("/chat", {}).url() == "/chat"
    assert ChatParams.parse("/jobs/x", {}).session == ""
