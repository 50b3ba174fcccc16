"""Word of changes: at once within a process, by the database's own means between processes.

PostgreSQL: ``NOTIFY`` on two channels from one dedicated connection, at most one each 50 ms with
a trailing send, heard by everybody's ``LISTEN``; a process without that connection sends its word
along with each commit. A probe to itself notices a transaction pooler in between; then the hub
falls back to a pulse. SQLite: ``PRAGMA data_version``, which sees the commits of other connections
for about 3 µs a look; the writer's connection tells those of other processes from the own.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

from agent_console.domain.events import BEAT, CALLED_BACK, Event
from agent_console.domain.jobs import CLAIMABLE, JobStatus
from agent_console.store.database import Database
from agent_console.store.feed import ANYTHING, Change, change_of
from agent_console.store.listeners import PostgresListener, SqliteListener, notification

Mode = Literal["off", "listen", "poll", "data_version"]
Callback = Callable[[], None]

_log = logging.getLogger(__name__)


class Signals:
    """Calls back when there is work, and when anything changed. Callbacks must not block."""

    def __init__(self, db: Database) -> None:
        """Listen to ``db``'s own commits from now on; to other processes from ``start`` on."""
        self._work: list[Callback] = []
        self._change: list[Callback] = []
        self._screens: list[Callable[[Change], None]] = []
        self._listener: PostgresListener | SqliteListener | None = None
        self._db = db
        # Says which job types are limited or paused; None: nobody here knows.
        self.gated: Callable[[], frozenset[str] | None] = lambda: None
        self._lock = threading.Lock()
        db.watch(self._committed)
        db.send_along(self._along)
        db.on_turn(self.stir)

    def on_work(self, callback: Callback) -> None:
        """Call when a job may have become claimable."""
        self._work.append(callback)

    def on_change(self, callback: Callback) -> None:
        """Call when anything that a screen shows may have changed."""
        self._change.append(callback)

    def on_look(self, callback: Callable[[Change], None]) -> None:
        """Call as ``on_change`` does, with what the change is about."""
        self._screens.append(callback)

    @property
    def mode(self) -> Mode:
        """How word from other processes arrives at the moment."""
        return "off" if self._listener is None else self._listener.mode

    def start(self) -> None:
        """Begin to hear other processes; starting twice is the same as once."""
        with self._lock:
            if self._listener is None:
                kind = SqliteListener if self._db.dialect == "sqlite" else PostgresListener
                self._listener = kind(self._db, self._heard)
                self._listener.start()

    def stop(self) -> None:
        """Stop hearing other processes; stopping before start does nothing."""
        with self._lock:
            listener, self._listener = self._listener, None
        if listener is not None:
            listener.stop()

    def stir(self) -> None:
        """Have this process's screens look again: the database fell silent, or answers again."""
        self._heard(work=False)

    def _committed(self, events: Sequence[Event]) -> None:
        if all(event.action == BEAT for event in events):
            self._show(change_of(events))
            return
        work = self._are_work(events)
        self._heard(work=work, change=change_of(events))
        if (listener := self._listener) is not None:
            listener.tell(work=work)

    def _along(self, events: Sequence[Event]) -> str:
        """Return what tells others of a commit, in a process too short-lived for a listener.

        A command, or a program that only asks for jobs: one transaction then, and not a second
        for the word alone.
        """
        if self._listener is not None:
            return ""
        return notification(work=self._are_work(events))

    def _are_work(self, events: Sequence[Event]) -> bool:
        """Say whether ``events`` may let a job be claimed that has not begun with them."""
        begun = {event.job_id for event in events if event.after == JobStatus.RUNNING}
        return any(self._is_work(one) for one in events if not begun or one.job_id not in begun)

    def _is_work(self, event: Event) -> bool:
        """Say whether ``event`` may let a job be claimed: another one, or one of a limited type."""
        if event.action.startswith("job_type.") or event.action == CALLED_BACK:
            return True
        if not event.action.startswith("job.") or event.after is None:
            return False
        if event.after in CLAIMABLE:
            return True
        if event.before != JobStatus.RUNNING:
            return False
        gated = self.gated()
        return gated is None or event.job_type in gated

    def _heard(self, *, work: bool, change: Change = ANYTHING) -> None:
        self._call(*(self._work if work else ()), *self._change)
        self._show(change)

    def _show(self, change: Change) -> None:
        self._call(*(partial(look, change) for look in self._screens))

    def _call(self, *callbacks: Callback) -> None:
        for callback in callbacks:
            try:
                callback()
            except Exception:  # noqa: BLE001 - the others must still be told
                _log.exception("a callback of the signals failed")
