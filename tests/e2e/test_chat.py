"""The chat with real browsers: what one says, the other sees; sockets end with the console."""

from __future__ import annotations

import json
import re
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from playwright.sync_api import Locator, Page, expect
from simple_websocket import Client, ConnectionClosed

from tests.e2e.browser import PHONE, People
from tests.e2e.console import ConsoleProcess
from tests.e2e.work import Work

pytestmark = pytest.mark.e2e

SLOW = 1.5  # seconds; generous, on a machine that does other things as well


def say(page: Page, text: str) -> None:
    page.get_by_label("Message", exact=True).fill(text)
    page.keyboard.press("Enter")


def log(page: Page) -> Locator:
    return page.get_by_role("log", name="Messages")


def test_a_message_arrives_in_a_second_window(
    people: People, work: Work, capsys: pytest.CaptureFixture[str]
) -> None:
    job, _ = work.waiting("Talk about it")
    mine = people.page("operator", f"/jobs/{job}")
    mine.get_by_role("button", name="Chat", exact=True).click()
    mine.wait_for_url(re.compile("/chat/cht_"))
    expect(mine.get_by_role("heading", level=2, name="Talk about it")).to_be_visible()
    theirs = people.page("reviewer", mine.url)
    expect(log(mine).get_by_text("Rita Reviewer joined.")).to_be_visible()
    say(mine, "Rita, is <b>this</b> right?")
    expect(log(theirs).get_by_text("Rita, is <b>this</b> right?")).to_be_visible()
    expect(mine.get_by_label("Message", exact=True)).to_have_value("")
    say(theirs, "Yes.\nGo on.")
    expect(log(mine).get_by_text("Yes.")).to_be_visible()
    say(mine, "/why")
    waits = theirs.get_by_test_id("chat-message").last
    expect(waits.get_by_text("It waits for a decision")).to_be_visible()
    expect(waits.get_by_role("link", name="Talk about it")).to_have_attribute(
        "href", re.compile(f"/jobs/{job}")
    )
    times = []
    for number in range(10):
        began = time.monotonic()
        say(mine, f"number {number}.")
        expect(log(theirs).get_by_text(f"number {number}.", exact=True)).to_be_visible()
        times.append(time.monotonic() - began)
    median = statistics.median(times)
    with capsys.disabled():
        sys.stdout.write(f"\nchat, window to window: median {median * 1000:.0f} ms\n")
    assert median < SLOW


def test_unread_marks_come_and_go(people: People, work: Work) -> None:
    job, checkpoint = work.waiting("Counted")
    session = work.chat(job)
    page = people.page("reviewer", f"/chat/{session}")
    expect(page.get_by_role("heading", level=2, name="Counted")).to_be_visible()
    page.goto("/chat")
    work.say(session, "One")
    work.say(session, "Two")
    row = page.get_by_test_id("chat-row").filter(has_text="Counted")
    expect(row.get_by_text("2 unread")).to_be_visible()
    row.get_by_role("link", name="Counted").click()
    expect(page.get_by_test_id("chat-message").filter(has_text="Two")).to_be_visible()
    expect(row.locator(".ac-count")).to_have_count(0)
    page.goto(f"/admin/agent-checkpoints/{checkpoint}")
    page.get_by_role("article").get_by_role("button", name="Chat", exact=True).click()
    page.wait_for_url(re.compile("/chat/cht_"))
    assert session not in page.url  # a checkpoint has one of its own
    expect(page.get_by_role("link", name="Open checkpoint")).to_be_visible()


def test_on_a_phone_the_list_and_the_conversation_take_turns(people: People, work: Work) -> None:
    job, _ = work.waiting("Small")
    session = work.chat(job, "/status")
    page = people.page("viewer", "/chat", viewport=PHONE)
    page.get_by_role("link", name="Small").click()
    page.wait_for_url(re.compile(session))
    expect(log(page).get_by_text("Checkpoints: 1 pending")).to_be_visible()
    expect(page.get_by_test_id("chat-row").first).to_be_hidden()
    expect(page.get_by_role("button", name="Send")).to_be_in_viewport()
    page.get_by_role("link", name="All conversations").click()
    expect(page.get_by_test_id("chat-row").first).to_be_visible()


def test_a_socket_survives_a_restart_of_the_console_and_ends_with_it(
    console: ConsoleProcess, work: Work
) -> None:
    job, _ = work.waiting("Restarted")
    session = work.chat(job, "before")
    bearer = [("Authorization", f"Bearer {console.tokens['reviewer']}")]
    address = console.address.replace("http", "ws") + f"/api/chat/ws/{session}"
    first = Client(address, headers=bearer)
    first.send(json.dumps({"type": "resume", "after": 0}))
    busy = [Client(address, headers=bearer) for _ in range(6)]
    with answering(busy):
        began = time.monotonic()
        console.stop()
        took = time.monotonic() - began
    # Neither an idle socket nor one in the midst of an answer holds the shutdown up: after 20 s
    # the console would have been killed.
    assert took < 10
    seen = drained(first)
    console.start()
    for number in range(3):
        work.say(session, f"missed {number}")
    again = Client(address, headers=bearer)
    again.send(json.dumps({"type": "resume", "after": seen[-1] if seen else 0}))
    while not seen or seen[-1] < 6:  # before, its answer, joined, three missed
        seen += numbers(again.receive(timeout=10))
    again.close()
    assert seen == [1, 2, 3, 4, 5, 6]


@contextmanager
def answering(clients: list[Client]) -> Iterator[None]:
    """Keep ``clients`` asking until the console is gone."""

    def ask(client: Client) -> None:
        with suppress(ConnectionClosed, OSError):
            while True:
                client.send(json.dumps({"type": "resume", "after": 0}))
                client.receive(timeout=0.004)

    asking = [threading.Thread(target=ask, args=(client,)) for client in clients]
    for thread in asking:
        thread.start()
    yield
    for thread in asking:
        thread.join(timeout=10)


def drained(client: Client) -> list[int]:
    """Return what had come before the connection ended."""
    found: list[int] = []
    try:
        while True:
            found += numbers(client.receive(timeout=10))
    except ConnectionClosed:
        return found


def numbers(text: str | bytes | None) -> list[int]:
    assert text is not None, "nothing came"
    frame = json.loads(text)
    return [frame["message"]["seq"]] if frame["type"] == "message" else []
