"""Sockets end with the process, whatever they are doing when it is told to end."""

from __future__ import annotations

import asyncio

import pytest
from starlette.types import Message

from agent_console.api.leaving import GOING_AWAY, Leaving

FRAME: Message = {"type": "websocket.receive", "text": "hello"}
GONE: Message = {"type": "websocket.disconnect", "code": GOING_AWAY}


class Wire:
    """The server's end of a socket: frames arrive when the test says so."""

    def __init__(self) -> None:
        self.frames: asyncio.Queue[Message] = asyncio.Queue()

    async def receive(self) -> Message:
        return await self.frames.get()


async def settled(task: asyncio.Task[Message]) -> None:
    """Let ``task`` come to its wait."""
    for _ in range(5):
        await asyncio.sleep(0)
    assert not task.done()


def test_frames_pass_until_then() -> None:
    async def play() -> Message:
        wire, leaving = Wire(), Leaving()
        wire.frames.put_nowait(FRAME)
        return await leaving.until(wire.receive)()

    assert asyncio.run(play()) == FRAME


def test_who_waits_for_a_frame_is_told() -> None:
    async def play() -> Message:
        wire, leaving = Wire(), Leaving()
        waiting = asyncio.ensure_future(leaving.until(wire.receive)())
        await settled(waiting)
        leaving.say()
        return await waiting

    assert asyncio.run(play()) == GONE


def test_who_is_answering_is_told_at_the_next_frame() -> None:
    async def play() -> Message:
        wire, leaving = Wire(), Leaving()
        receive = leaving.until(wire.receive)
        wire.frames.put_nowait(FRAME)
        assert await receive() == FRAME
        leaving.say()  # while the frame is being answered
        return await asyncio.wait_for(receive(), 5)

    assert asyncio.run(play()) == GONE


@pytest.mark.parametrize("said", [False, True])
def test_who_is_canceled_ends_as_such(said: bool) -> None:
    async def play() -> None:
        wire, leaving = Wire(), Leaving()
        waiting = asyncio.ensure_future(leaving.until(wire.receive)())
        await settled(waiting)
        waiting.cancel()
        if said:
            leaving.say()
        await waiting

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(play())
