"""The asyncio side of change signals: what browsers and streams wait on."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, TypeVar

from agent_console.domain.events import TOUCHED, Event

T = TypeVar("T")

REMEMBERED = 512  # changes; who was away for longer reads anew
KEPT = 256  # results that outlive a change of something else


@dataclass(frozen=True, slots=True)
class Change:
    """What a commit may have changed.

    ``jobs``: something of these; None: whatever a screen shows. ``actions``: the events that say
    so; None: nobody here knows.
    """

    jobs: frozenset[str] | None = None
    actions: frozenset[str] | None = None

    def concerns(self, job_id: str) -> bool:
        """Say whether something about a job may be another."""
        return self.jobs is None or job_id in self.jobs

    def is_of(self, actions: frozenset[str]) -> bool:
        """Say whether nothing but ``actions`` happened."""
        return self.actions is not None and self.actions <= actions


ANYTHING: Final = Change()
# Says of an answer whether a change leaves it as it is.
Still = Callable[[Any, Change], bool]


def change_of(events: Sequence[Event]) -> Change:
    """Return what ``events`` may have changed; of a touch of no job nothing is known but that."""
    jobs = {event.job_id for event in events}
    vague = any(event.action == TOUCHED and not event.job_id for event in events)
    return Change(
        None if not jobs or None in jobs else frozenset(filter(None, jobs)),
        None if vague or not events else frozenset(event.action for event in events),
    )


def never(_answer: object, _change: Change) -> bool:
    """Say that no change leaves an answer good."""
    return False


class ChangeFeed:
    """One per process: threads publish after a commit, coroutines wait for the next version."""

    def __init__(self) -> None:
        """Bind to an event loop later: the object is made before the loop runs."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._event: asyncio.Event | None = None
        self._changes: deque[Change] = deque(maxlen=REMEMBERED)  # the last is that of ``version``
        self.version = 0
        self.closed = False

    def bind(self) -> None:
        """Adopt the running event loop; called once when the server starts."""
        self._loop, self._event = asyncio.get_running_loop(), asyncio.Event()

    def publish(self, change: Change = ANYTHING) -> None:
        """Wake every waiter: there was a ``change``; callable from any thread."""
        if (loop := self._loop) is not None and not loop.is_closed():
            # The loop may close between the look and the call, at shutdown.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._bump, change)

    def close(self) -> None:
        """Say that the process is about to end: streams finish instead of holding it up."""
        self.closed = True
        self.publish()

    def since(self, seen: int) -> Iterable[Change]:
        """Return the changes after version ``seen``, in whatever order."""
        missed = self.version - seen
        if missed > len(self._changes):
            return [ANYTHING]
        return islice(reversed(self._changes), missed)

    def _bump(self, change: Change) -> None:
        self.version += 1
        self._changes.append(change)
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
    """A result, or the reading of it, which holds until a change that it is not good ``still``."""

    task: asyncio.Task[Any]
    version: int
    still: Still

    @property
    def answered(self) -> bool:
        """Whether there is a result: the reading is over, and has not failed."""
        task = self.task
        return task.done() and not task.cancelled() and task.exception() is None


class SnapshotCache:
    """Many browsers, one query: results are shared per version of the feed and key.

    Two threads read, one answer after the other: more would only take turns with the event loop,
    which has to send what is there already. One reads what many wait for, so that it does not
    stand behind the answers that are for one of them each.
    """

    def __init__(self, feed: ChangeFeed) -> None:
        """Keep results as long as ``feed`` tells of nothing that they are about."""
        self._feed = feed
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._shared = ThreadPoolExecutor(1, "snapshots")
        self._own = ThreadPoolExecutor(1, "own-snapshots")

    async def get(
        self,
        key: Hashable,
        read: Callable[[], T],
        *,
        still: Still = never,
        fresh: bool = False,
        own: bool = False,
    ) -> T:
        """Return ``read()``, run in a thread, or the result somebody else waits for.

        ``key`` must name everything the result depends on, the reader's rights included.
        ``still`` says of a result whether a change leaves it as it is. A ``fresh`` one was not
        kept over any. An ``own`` one is of use to whoever asks alone.
        """
        kept = self._kept.get(key)
        if kept is None or fresh or not self._good(kept):
            readers = self._own if own else self._shared
            task = asyncio.create_task(self._read(readers, read, kept))
            kept = self._kept[key] = _Kept(task, self._feed.version, still)
            task.add_done_callback(lambda done: self._forget_failure(key, done))
            self._tidy()
        self._kept.move_to_end(key)
        # Shielded: a browser that goes away must not cancel the query for the others.
        result: T = await asyncio.shield(kept.task)
        return result

    def _good(self, kept: _Kept) -> bool:
        if kept.version == self._feed.version:
            return True
        if not kept.answered:
            return False
        answer = kept.task.result()
        if not all(kept.still(answer, change) for change in self._feed.since(kept.version)):
            return False
        kept.version = self._feed.version
        return True

    def _tidy(self) -> None:
        """Forget what was used least lately, and what no change left good."""
        while self._kept:
            key, kept = next(iter(self._kept.items()))
            old = kept.version != self._feed.version
            if len(self._kept) <= KEPT and not (old and kept.still is never):
                return
            del self._kept[key]

    async def _read(
        self, readers: ThreadPoolExecutor, read: Callable[[], T], before: _Kept | None
    ) -> T:
        """Return what ``read`` does, as the very object of before where it says the same."""

        def compared() -> T:
            result = read()
            if before is None or not before.answered:
                return result
            last: T = before.task.result()
            return last if last == result else result

        run = contextvars.copy_context().run
        return await asyncio.get_running_loop().run_in_executor(readers, run, compared)

    def _forget_failure(self, key: Hashable, task: asyncio.Task[Any]) -> None:
        failed = task.cancelled() or task.exception() is not None
        if failed and (kept := self._kept.get(key)) is not None and kept.task is task:
            del self._kept[key]
