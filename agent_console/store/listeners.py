"""The threads that hear other processes: one kind per database."""

from __future__ import annotations

import contextlib
import logging
import os
import selectors
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from typing import Any, Literal, Protocol

import psycopg2

from agent_console.store.connections import open_postgres, open_sqlite
from agent_console.store.database import Database
from agent_console.store.file_writes import FileWrites

WORK, CHANGE, PROBE = "agent_console_work", "agent_console_change", "agent_console_probe"
SPACING = 0.05  # seconds between two NOTIFYs of a process
PROBE_EVERY = 30.0  # seconds
PROBE_PATIENCE = 2.0  # seconds until a missing echo means that LISTEN does not work here
PULSE = 0.5  # seconds between wake-ups where notifications do not arrive
RECONNECT = (0.2, 5.0)  # seconds, first and longest pause
SETTLE = 0.025  # seconds after a change of a SQLite file: many commits, one look
# Seconds between looks after a write to SQLite's log: it is a commit once it is on the disk.
UNTIL_DURABLE = (0.0, 0.001, *[0.002] * 20)

_log = logging.getLogger(__name__)


class Heard(Protocol):
    """What a listener calls."""

    def __call__(self, *, work: bool) -> None:
        """Another process changed something; ``work`` says that a job may be claimable."""
        ...


def notification(*, work: bool) -> str:
    """Return the statement that tells listening processes of a change."""
    channels = (CHANGE, WORK) if work else (CHANGE,)
    return "; ".join(f"NOTIFY {name}" for name in channels)


class SqliteListener:
    """Looks at ``data_version``, on a connection of its own, when the file is written to."""

    mode: Literal["data_version"] = "data_version"

    def __init__(self, db: Database, heard: Heard) -> None:
        """Nothing runs before ``start``."""
        self._db = db
        self._heard = heard
        self._stop = threading.Event()
        self._writes: FileWrites | None = None
        self._thread = threading.Thread(target=self._loop, name="signals", daemon=True)

    def start(self) -> None:
        """Begin looking."""
        self._thread.start()

    def stop(self) -> None:
        """Stop looking."""
        self._stop.set()
        if (writes := self._writes) is not None:
            writes.end()
        self._thread.join()

    def tell(self, *, work: bool) -> None:
        """Do nothing: the commit itself is what others see."""

    def _loop(self) -> None:
        pause = RECONNECT[0]
        while not self._stop.is_set():
            try:
                connection = open_sqlite(self._db.path, self._db.options, read_only=True)
                with contextlib.closing(connection), self._told() as writes:
                    look = connection.cursor()
                    seen = look.execute("PRAGMA data_version").fetchone()
                    self._db.changed_elsewhere()
                    pause = RECONNECT[0]
                    # What was committed before these first looks, or while there was no
                    # connection, is in no difference; look once.
                    self._heard(work=True)
                    self._look(look, seen, writes)
            except Exception as error:  # noqa: BLE001 - logged; nobody would start it again
                _log.warning("signals: cannot look, again in %.1f s: %s", pause, error)
                self._stop.wait(pause)
                pause = min(pause * 2, RECONNECT[1])

    @contextlib.contextmanager
    def _told(self) -> Iterator[FileWrites]:
        with contextlib.closing(FileWrites(self._db.path)) as self._writes:
            yield self._writes

    def _look(self, look: sqlite3.Cursor, seen: tuple[int], writes: FileWrites) -> None:
        while not self._stop.is_set():
            for pause in UNTIL_DURABLE if writes.wait() else (0.0,):
                self._stop.wait(pause)
                version = look.execute("PRAGMA data_version").fetchone()
                if version != seen:
                    seen = version
                    # Of the process's own commits everybody here has heard, and of what.
                    if self._db.changed_elsewhere():
                        self._heard(work=True)
                    self._stop.wait(SETTLE)
                    break


class PostgresListener:
    """Listens and notifies on one autocommit connection, owned by one thread."""

    def __init__(self, db: Database, heard: Heard) -> None:
        """Nothing runs before ``start``."""
        self._db = db
        self._heard = heard
        self.mode: Literal["listen", "poll"] = "listen"
        self._pending: set[str] = set()
        self._lock = threading.Lock()
        self._ours, self._theirs = socket.socketpair()
        self._theirs.setblocking(False)
        self._stop = threading.Event()
        self._sent = 0.0
        self._probe_sent: float | None = None
        self._probe_due = 0.0
        self._probe = f"{os.getpid()}-{id(self)}"
        self._thread = threading.Thread(target=self._loop, name="signals", daemon=True)

    def start(self) -> None:
        """Begin listening."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening and close the connection."""
        self._stop.set()
        self._nudge()
        self._thread.join()
        self._ours.close()
        self._theirs.close()

    def tell(self, *, work: bool) -> None:
        """Tell other processes soon; callable from any thread, never blocks."""
        with self._lock:
            before = len(self._pending)
            self._pending.add(CHANGE)
            if work:
                self._pending.add(WORK)
            if len(self._pending) == before:
                return
        self._nudge()

    def _nudge(self) -> None:
        try:
            self._theirs.send(b"\0")
        except BlockingIOError:
            # The buffer is full of nudges already: the thread will wake.
            return

    def _loop(self) -> None:
        pause = RECONNECT[0]
        while not self._stop.is_set():
            connection: Any = None
            try:
                connection = open_postgres(self._db.url, self._db.options)
                self._listen(connection)
                pause = RECONNECT[0]
                self._serve(connection)
            except Exception as error:  # noqa: BLE001 - logged; nobody would start it again
                if not self._stop.is_set():
                    _log.warning("signals: connection lost, again in %.1f s: %s", pause, error)
                    if connection is not None:
                        self._heard(work=False)  # screens should say so before they are asked
                    # Not on nudges: they would end the pause, and cannot be passed on anyway.
                    self._stop.wait(pause)
                    pause = min(pause * 2, RECONNECT[1])
            finally:
                if connection is not None:
                    connection.close()

    def _listen(self, connection: Any) -> None:
        connection.autocommit = True
        self._run(connection, f"LISTEN {WORK}; LISTEN {CHANGE}; LISTEN {PROBE}")
        self._probe_sent, self._probe_due = None, time.monotonic()
        # What was said while nobody listened is lost; look once.
        self._heard(work=True)

    def _serve(self, connection: Any) -> None:
        # Not select(), which refuses descriptors above 1023: a console with many browsers has them.
        with selectors.DefaultSelector() as selector:
            selector.register(connection, selectors.EVENT_READ)
            selector.register(self._ours, selectors.EVENT_READ)
            while not self._stop.is_set():
                ready = selector.select(self._patience())
                if any(key.fileobj is self._ours for key, _ in ready):
                    self._ours.recv(4096)
                connection.poll()
                self._take(connection)
                self._send(connection)
                self._check_probe(connection)

    def _patience(self) -> float:
        now = time.monotonic()
        waits = [max(0.0, self._probe_due - now)]
        if self._pending:
            waits.append(max(0.0, self._sent + SPACING - now))
        if self.mode == "poll":
            waits.append(PULSE)
        if self._probe_sent is not None:
            waits.append(max(0.0, self._probe_sent + PROBE_PATIENCE - now))
        return min(waits)

    def _take(self, connection: Any) -> None:
        own = connection.info.backend_pid
        channels = set()
        for notice in connection.notifies:
            if notice.channel == PROBE:
                if notice.payload == self._probe:
                    self._probe_sent, self.mode = None, "listen"
            elif notice.pid != own:
                channels.add(notice.channel)
        connection.notifies.clear()
        if channels:
            self._heard(work=WORK in channels)
        elif self.mode == "poll":
            self._heard(work=True)

    def _send(self, connection: Any) -> None:
        if time.monotonic() < self._sent + SPACING:
            return
        with self._lock:
            channels, self._pending = self._pending, set()
        if channels:
            try:
                self._run(connection, notification(work=WORK in channels))
            except psycopg2.Error:
                with self._lock:
                    self._pending |= channels  # to be said once there is a connection again
                raise
            self._sent = time.monotonic()

    def _check_probe(self, connection: Any) -> None:
        now = time.monotonic()
        if self._probe_sent is not None and now > self._probe_sent + PROBE_PATIENCE:
            if self.mode == "listen":
                _log.warning("signals: no echo; a transaction pooler? Falling back to polling.")
            self.mode, self._probe_sent = "poll", None
        if now >= self._probe_due:
            self._run(connection, f"SELECT pg_notify('{PROBE}', %s)", self._probe)
            self._probe_sent, self._probe_due = now, now + PROBE_EVERY

    def _run(self, connection: Any, sql: str, *params: str) -> None:
        with self._db.in_use(connection), connection.cursor() as cursor:
            cursor.execute(sql, params)
