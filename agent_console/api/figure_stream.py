"""Live figures for many clients from one reading: a hub per process, a bounded queue per client."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass

from agent_console.domain.access import SYSTEM
from agent_console.domain.clock import to_micros
from agent_console.domain.errors import Unavailable
from agent_console.domain.figures import LiveFigures
from agent_console.services import Services

EVERY = 5.0  # seconds after which figures are sent although nothing happened
COALESCE = 0.25  # seconds between two readings, however much happens
REMEMBERED = 600  # samples that a client may come back for
QUEUE = 32  # samples that wait for a slow client; older ones are dropped for it
MAX_CLIENTS = 200
RETRY = 2.0  # seconds until a failed reading is tried again
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sample:
    """Figures and their id: the instant in microseconds, so that ids grow over restarts."""

    id: int
    figures: LiveFigures


Queue = asyncio.Queue[Sample | None]


class FigureHub:
    """Reads while somebody listens, on each change and every few seconds."""

    def __init__(self, services: Services) -> None:
        """Read nothing yet."""
        self._services = services
        self._recent: deque[Sample] = deque(maxlen=REMEMBERED)
        self._clients: set[Queue] = set()
        self._reader: asyncio.Task[None] | None = None

    async def follow(self, after: int | None) -> AsyncIterator[Sample]:
        """Yield samples newer than the id ``after`` that are remembered, then each new one.

        Without ``after``, begins with the latest. Ends when the process is about to.

        Raises:
            Unavailable: as many clients as may follow do so already.
        """
        if len(self._clients) >= MAX_CLIENTS:
            raise Unavailable("As many clients as may follow do so already.", retryAfter=5)
        mine: Queue = asyncio.Queue(QUEUE)
        self._clients.add(mine)
        try:
            if self._reader is None or self._reader.done():
                self._reader = asyncio.create_task(self._read())
            seen = 0
            for sample in self._missed(after):
                seen = sample.id
                yield sample
            while (new := await mine.get()) is not None:
                if new.id > seen:
                    yield new
        finally:
            self._clients.discard(mine)

    def _missed(self, after: int | None) -> list[Sample]:
        if after is None:
            return list(self._recent)[-1:]
        return [sample for sample in self._recent if sample.id > after]

    async def _read(self) -> None:
        feed = self._services.feed
        seen = feed.version
        while self._clients:
            try:
                figures = await asyncio.to_thread(self._services.figures.live, SYSTEM)
            except Unavailable as error:
                _log.debug("figures: %s", error)
                if feed.closed:
                    break
                await asyncio.sleep(RETRY)
                continue
            sample = Sample(to_micros(figures.at), figures)
            self._recent.append(sample)
            self._offer(sample)
            if feed.closed:
                break
            seen = await feed.wait(seen, EVERY)
            await asyncio.sleep(COALESCE)
        self._offer(None)

    def _offer(self, sample: Sample | None) -> None:
        for queue in self._clients:
            while queue.full():  # only the latest matter to a client that cannot keep up
                with contextlib.suppress(asyncio.QueueEmpty):
                    queue.get_nowait()
            queue.put_nowait(sample)
