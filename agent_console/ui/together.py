"""One reading for all who ask at the same moment: a change wakes every open page at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Together(Generic[K, V]):
    """Answers by key, read in a thread; whoever asks during a reading shares the next one.

    Nothing is kept: an answer was read after it was asked for.
    """

    def __init__(self, read: Callable[[Sequence[K]], Mapping[K, V]]) -> None:
        """Call ``read``, in a thread, with the keys that are asked for."""
        self._read = read
        self._asked: dict[K, asyncio.Future[V | None]] = {}
        self._reader: asyncio.Task[None] | None = None

    async def get(self, key: K) -> V | None:
        """Return the answer for ``key``, None where there is none; raises what ``read`` does."""
        answer = self._asked.get(key)
        if answer is None:
            answer = self._asked[key] = asyncio.get_running_loop().create_future()
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self._serve())
        # Shielded: who goes away must not take the answer from others.
        return await asyncio.shield(answer)

    async def _serve(self) -> None:
        while self._asked:
            asked, self._asked = self._asked, {}
            try:
                found = await asyncio.to_thread(self._read, [*asked])
            except Exception as error:  # noqa: BLE001 - handed to those who wait for it
                for waiting in asked.values():
                    waiting.set_exception(error)
            else:
                for key, waiting in asked.items():
                    waiting.set_result(found.get(key))
            finally:
                for waiting in asked.values():
                    waiting.cancel()  # of those without an answer: the loop is closing
