"""The asyncio side of change signals: what browsers and streams wait on."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

READERS = 2


class ChangeFeed:
    """One per process: threads publish after a commit, coroutines wait for the next version."""

    def __init__(self) -> None:
        """Bind to an event loop later: the object is made before the loop runs."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._event: asyncio.Event | None = None
        self.version = 0
        self.closed = False

    def bind(self) -> None:
        """Adopt the running event loop; called once when the server starts."""
        self._loop, self._event = asyncio.get_running_loop(), asyncio.Event()

    def publish(self) -> None:
        """Wake every waiter; callable from any thread."""
        if (loop := self._loop) is not None and not loop.is_closed():
            # The loop may close between the look and the call, at shutdown.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._bump)

    def close(self) -> None:
        """Say that the process is about to end: streams finish instead of holding it up."""
        self.closed = True
        self.publish()

    def _bump(self) -> None:
        self.version += 1
        if (event := self._event) is not None:
            self._event = asyncio.Event()
            event.set()

    async def wait(self, seen: int, patience: float = 30.0) -> int:
        """Return the version once it differs from ``seen``, or after ``patience`` seconds."""
        if self.version == seen and self._event is not None:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._event.wait(), patience)
        return self.version


class SnapshotCache:
    """Many browsers, one query: results are shared per version of the feed and key.

    Few threads read, one answer after the other: more would only take turns with the event loop,
    which has to send what is there already.
    """

    def __init__(self, feed: ChangeFeed) -> None:
        """Keep results as long as ``feed`` stays at its version."""
        self._feed = feed
        self._version = -1
        self._tasks: dict[Hashable, asyncio.Task[Any]] = {}
        self._readers = ThreadPoolExecutor(READERS, "snapshots")

    async def get(
        self, key: Hashable, read: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Return ``read(*args)``, run in a thread, or the result somebody else waits for.

        ``key`` must name everything the result depends on, the reader's rights included.
        """
        if self._version != self._feed.version:
            self._tasks, self._version = {}, self._feed.version
        task = self._tasks.get(key)
        if task is None:
            task = asyncio.create_task(self._read(partial(read, *args, **kwargs)))
            self._tasks[key] = task
            task.add_done_callback(lambda done: self._forget_failure(key, done))
        # Shielded: a browser that goes away must not cancel the query for the others.
        result: T = await asyncio.shield(task)
        return result

    async def _read(self, read: Callable[[], T]) -> T:
        run = contextvars.copy_context().run
        return await asyncio.get_running_loop().run_in_executor(self._readers, run, read)

    def _forget_failure(self, key: Hashable, task: asyncio.Task[Any]) -> None:
        failed = task.cancelled() or task.exception() is not None
        if failed and self._tasks.get(key) is task:
            del self._tasks[key]
