"""The asyncio side of change signals: what browsers and streams wait on."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from agent_console.domain.events import Event

T = TypeVar("T")

READERS = 2
REMEMBERED = 512  # changes; who was away for longer reads anew
KEPT = 256  # results that outlive a change of something else

Jobs = frozenset[str] | None  # which jobs a change is about; None: whatever a screen shows


def jobs_of(events: Sequence[Event]) -> Jobs:
    """Return which jobs ``events`` are about; None as soon as one is about more than a job."""
    jobs = {event.job_id for event in events}
    return None if not jobs or None in jobs else frozenset(filter(None, jobs))


class ChangeFeed:
    """One per process: threads publish after a commit, coroutines wait for the next version."""

    def __init__(self) -> None:
        """Bind to an event loop later: the object is made before the loop runs."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._event: asyncio.Event | None = None
        self._changes: deque[Jobs] = deque(maxlen=REMEMBERED)  # the last is that of ``version``
        self.version = 0
        self.closed = False

    def bind(self) -> None:
        """Adopt the running event loop; called once when the server starts."""
        self._loop, self._event = asyncio.get_running_loop(), asyncio.Event()

    def publish(self, jobs: Jobs = None) -> None:
        """Wake every waiter: something of ``jobs`` has changed; callable from any thread."""
        if (loop := self._loop) is not None and not loop.is_closed():
            # The loop may close between the look and the call, at shutdown.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._bump, jobs)

    def close(self) -> None:
        """Say that the process is about to end: streams finish instead of holding it up."""
        self.closed = True
        self.publish()

    def concerns(self, job_id: str, seen: int) -> bool:
        """Say whether something about a job may have changed since version ``seen``."""
        missed = self.version - seen
        if missed > len(self._changes):
            return True
        latest = islice(reversed(self._changes), missed)
        return any(jobs is None or job_id in jobs for jobs in latest)

    def _bump(self, jobs: Jobs) -> None:
        self.version += 1
        self._changes.append(jobs)
        if (event := self._event) is not None:
            self._event = asyncio.Event()
            event.set()

    async def wait(self, seen: int, patience: float = 30.0) -> int:
        """Return the version once it differs from ``seen``, or after ``patience`` seconds."""
        if self.version == seen and self._event is not None:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._event.wait(), patience)
        return self.version


@dataclass(slots=True)
class _Kept:
    """A result, or the reading of it; ``job_of`` says which job it is about, if it is of one."""

    task: asyncio.Task[Any]
    version: int
    job_of: Callable[[Any], str] | None

    @property
    def answered(self) -> bool:
        """Whether there is a result: the reading is over, and has not failed."""
        task = self.task
        return task.done() and not task.cancelled() and task.exception() is None


class SnapshotCache:
    """Many browsers, one query: results are shared per version of the feed and key.

    Few threads read, one answer after the other: more would only take turns with the event loop,
    which has to send what is there already.
    """

    def __init__(self, feed: ChangeFeed) -> None:
        """Keep results as long as ``feed`` tells of nothing that they are about."""
        self._feed = feed
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._readers = ThreadPoolExecutor(READERS, "snapshots")

    async def get(
        self,
        key: Hashable,
        read: Callable[[], T],
        *,
        job_of: Callable[[T], str] | None = None,
        fresh: bool = False,
    ) -> T:
        """Return ``read()``, run in a thread, or the result somebody else waits for.

        ``key`` must name everything the result depends on, the reader's rights included.
        ``job_of`` returns the job that a result is about: changes of others leave it good, unless
        it has to be ``fresh``.
        """
        kept = self._kept.get(key)
        if kept is None or (fresh and job_of is not None) or not self._good(kept):
            task = asyncio.create_task(self._read(read, kept))
            kept = self._kept[key] = _Kept(task, self._feed.version, job_of)
            task.add_done_callback(lambda done: self._forget_failure(key, done))
            self._tidy()
        self._kept.move_to_end(key)
        # Shielded: a browser that goes away must not cancel the query for the others.
        result: T = await asyncio.shield(kept.task)
        return result

    def _good(self, kept: _Kept) -> bool:
        if kept.version == self._feed.version:
            return True
        if kept.job_of is None or not kept.answered:
            return False
        if self._feed.concerns(kept.job_of(kept.task.result()), kept.version):
            return False
        kept.version = self._feed.version
        return True

    def _tidy(self) -> None:
        """Forget what was used least lately, and what no change left good."""
        while self._kept:
            key, kept = next(iter(self._kept.items()))
            old = kept.version != self._feed.version
            if len(self._kept) <= KEPT and not (old and kept.job_of is None):
                return
            del self._kept[key]

    async def _read(self, read: Callable[[], T], before: _Kept | None) -> T:
        """Return what ``read`` does, as the very object of before where it says the same."""

        def compared() -> T:
            result = read()
            if before is None or not before.answered:
                return result
            last: T = before.task.result()
            return last if last == result else result

        run = contextvars.copy_context().run
        return await asyncio.get_running_loop().run_in_executor(self._readers, run, compared)

    def _forget_failure(self, key: Hashable, task: asyncio.Task[Any]) -> None:
        failed = task.cancelled() or task.exception() is not None
        if failed and (kept := self._kept.get(key)) is not None and kept.task is task:
            del self._kept[key]
