"""What keeps one end of a conversation from harming the other: bounds on frames and on waiting."""

from __future__ import annotations

import asyncio

import pytest

from agent_console.api import conversation
from agent_console.api.sockets import first_to_end
from agent_console.domain.chat import is_for_assistant
from agent_console.domain.errors import RateLimited
from agent_console.services.allowance import Allowance
from agent_console.testing import FakeClock


class Stuck:
    """A socket whose other end takes nothing."""

    async def send_text(self, text: str) -> None:
        """Wait for room that never comes."""
        assert text
        await asyncio.Event().wait()


def test_a_reader_that_takes_nothing_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "SLOW", 0.01)
    connection = object.__new__(conversation._Connection)
    connection._socket = Stuck()  # type: ignore[assignment]
    with pytest.raises(conversation._Ended) as ended:
        asyncio.run(connection.send("message", message={"seq": 1}))
    assert ended.value.code == conversation.BUSY


def test_frames_pass_at_their_pace_and_floods_end(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(conversation.time, "monotonic", lambda: now)
    bucket = conversation._Bucket()
    for _ in range(conversation.BURST):
        bucket.take()
    with pytest.raises(RateLimited):
        bucket.take()
    now += 1.0
    for _ in range(int(conversation.PACE)):
        bucket.take()
    for _ in range(conversation.STRIKES - 1):
        with pytest.raises(RateLimited):
            bucket.take()
    with pytest.raises(conversation._Ended):
        bucket.take()


def test_the_first_to_end_stops_the_others_and_what_it_raised_is_raised() -> None:
    stopped: list[str] = []

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.append("endless")

    async def fails() -> None:
        await asyncio.sleep(0)
        raise RateLimited

    async def ends() -> None:
        await asyncio.sleep(0)

    asyncio.run(first_to_end(endless(), ends()))
    with pytest.raises(RateLimited):
        asyncio.run(first_to_end(endless(), fails()))
    assert stopped == ["endless"] * 2


def test_an_allowance_comes_back_with_time_and_is_each_one_s_own() -> None:
    clock = FakeClock()
    allowance = Allowance(clock, 2, 10)
    allowance.take("a")
    clock.advance(4)
    allowance.take("a")
    with pytest.raises(RateLimited) as refused:
        allowance.take("a")
    assert refused.value.context["retryAfter"] == 6
    allowance.take("b")
    clock.advance(6)
    allowance.take("a")
    with pytest.raises(RateLimited):
        allowance.take("a")


@pytest.mark.parametrize(
    ("text", "people", "expected"),
    [
        ("hello", 1, True),
        ("hello", 2, False),
        ("/status", 2, True),
        ("  /status", 2, True),
        ("well, @Assistant?", 3, True),
        ("and/or", 2, False),
    ],
)
def test_whom_the_assistant_answers(text: str, people: int, expected: bool) -> None:
    assert is_for_assistant(text, people) is expected
