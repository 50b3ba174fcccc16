"""The handler threads: as many as jobs may run at once, fed from an inbox."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from time import monotonic

from agent_console.store.engine_values import Claimed

_log = logging.getLogger(__name__)

_Item = tuple[Claimed, float] | None  # with the monotonic time of its claim; None ends a thread


class Slots:
    """Runs ``work`` on each claimed job, on one of ``size`` threads."""

    def __init__(self, work: Callable[[Claimed], None], freed: Callable[[], None]) -> None:
        """Start with no thread; ``resize`` makes them. ``freed``: ``held`` has become less."""
        self._work, self._freed = work, freed
        self._inbox: SimpleQueue[_Item] = SimpleQueue()
        self._lock = threading.Lock()
        self._made = 0
        self._abandoned: set[int] = set()  # idents of threads whose job was given up
        self.size = 0
        self.held = 0  # claimed and not done: in the inbox or running

    @property
    def waiting(self) -> int:
        """Claimed jobs that no thread has taken yet."""
        return self._inbox.qsize()

    def resize(self, size: int) -> None:
        """Have ``size`` threads; surplus ones end after their present job."""
        with self._lock:
            change, self.size = size - self.size, size
        for _ in range(change):
            self._spawn()
        for _ in range(-change):
            self._inbox.put(None)

    def put(self, jobs: Sequence[Claimed]) -> None:
        """Hand over claimed jobs, in the order in which they should start."""
        now = monotonic()
        with self._lock:
            self.held += len(jobs)
        for job in jobs:
            self._inbox.put((job, now))

    def reserve(self) -> bool:
        """Keep a thread for a job that is not there yet, if one has nothing else to do."""
        with self._lock:
            free = self.held < self.size and not self.waiting
            self.held += free
        return free

    def fill(self, job: Claimed) -> None:
        """Hand over the job for which a thread is kept."""
        self._inbox.put((job, monotonic()))

    def release(self) -> None:
        """Give up a thread that is kept: its job does not come."""
        with self._lock:
            self.held -= 1
        self._freed()

    def take_back(self, older_than: float = 0.0) -> list[Claimed]:
        """Take jobs out again that wait for longer than ``older_than`` seconds."""
        horizon = monotonic() - older_than
        taken: list[Claimed] = []
        kept: list[_Item] = []
        try:
            while True:
                item = self._inbox.get_nowait()
                if item is not None and item[1] <= horizon:
                    taken.append(item[0])
                else:
                    kept.append(item)
        except Empty:
            for item in kept:
                self._inbox.put(item)
        with self._lock:
            self.held -= len(taken)
        return taken

    def abandon(self, ident: int) -> None:
        """Replace the thread ``ident``, stuck in its job; it ends when it ever comes back."""
        with self._lock:
            self._abandoned.add(ident)
            self.held -= 1
        self._spawn()
        self._freed()

    def _spawn(self) -> None:
        with self._lock:
            self._made += 1
            name = f"handler-{self._made}"
        threading.Thread(target=self._serve, name=name, daemon=True).start()

    def _serve(self) -> None:
        ident = threading.get_ident()
        while (item := self._inbox.get()) is not None:
            try:
                self._work(item[0])
            except BaseException:  # noqa: BLE001 - logged; the thread must live on
                _log.exception("job %s: the engine failed around it", item[0].key.job_id)
            with self._lock:
                if ident in self._abandoned:
                    self._abandoned.discard(ident)
                    return
                self.held -= 1
            self._freed()
