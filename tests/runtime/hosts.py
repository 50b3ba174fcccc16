"""Hosted workers with real threads, and waiting for what they do without sleeping blindly."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agent_console.gateways.workspace import Workspace
from agent_console.runtime.host import WorkerHost
from agent_console.runtime.registry import Registry
from agent_console.settings import Settings
from agent_console.store.database import Database
from agent_console.store.signals import Signals

PATIENCE = 15.0  # seconds a test waits before it calls something lost


class Changes:
    """Wakes whoever waits whenever anything is committed in this process."""

    def __init__(self, db: Database) -> None:
        self._condition = threading.Condition()
        db.watch(lambda _events: self.poke())

    def poke(self) -> None:
        with self._condition:
            self._condition.notify_all()

    def until(self, holds: Callable[[], bool]) -> bool:
        """Wait until ``holds``; looked at after every commit, and every 50 ms besides."""
        step = 0.05
        for _ in range(int(PATIENCE / step)):
            if holds():
                return True
            with self._condition:
                self._condition.wait(step)
        return False


@contextmanager
def hosted(
    db: Database,
    folder: Path,
    *handlers: Callable[..., object],
    desired: bool = True,
    **settings: Any,
) -> Iterator[WorkerHost]:
    """Yield a started host; it is stopped afterwards, without waiting for stuck handlers."""
    signals = Signals(db)
    signals.start()
    config = Settings(data_dir=folder, **settings)
    host = WorkerHost(db, Registry(handlers), config, signals, Workspace(folder / "workspace"))
    host.start(desired=desired)
    try:
        yield host
    finally:
        host.stop(0)
        signals.stop()
