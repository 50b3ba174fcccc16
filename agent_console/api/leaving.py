"""The end of the process, as open sockets hear of it.

The server ends no socket itself: it waits for each, and tells only those that wait for a frame at
that very moment. One that was just answering would wait for its next frame, and hold the process up
until it is killed.
"""

from __future__ import annotations

import asyncio

from starlette.types import Message, Receive

GOING_AWAY = 1001


class Leaving:
    """Tells every socket once that the process ends; to be used by the event loop alone."""

    def __init__(self) -> None:
        """Nothing ends yet."""
        self._said = asyncio.Event()
        self._waiting: set[asyncio.Task[Message]] = set()

    def say(self) -> None:
        """End every socket as if its other end had gone."""
        self._said.set()
        for task in self._waiting:
            task.cancel()

    def until(self, receive: Receive) -> Receive:
        """Return ``receive`` of a socket, which ends once it is said that the process does."""

        async def next_frame() -> Message:
            if self._said.is_set():
                return _disconnected()
            task = asyncio.ensure_future(_of(receive))
            self._waiting.add(task)
            try:
                return await task
            except asyncio.CancelledError:
                if self._said.is_set() and not _asked_to_stop():
                    return _disconnected()
                raise
            finally:
                self._waiting.discard(task)

        return next_frame


async def _of(receive: Receive) -> Message:
    return await receive()


def _asked_to_stop() -> bool:
    """Say whether the caller's own task was canceled, not only the wait for its frame."""
    current = asyncio.current_task()
    return current is not None and current.cancelling() > 0


def _disconnected() -> Message:
    return {"type": "websocket.disconnect", "code": GOING_AWAY}
