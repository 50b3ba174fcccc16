"""The one thread of a process that writes to SQLite, with group commit.

Units of work that wait at the same time share one ``BEGIN IMMEDIATE … COMMIT``, and so one fsync;
each stands in its own savepoint, so that one that fails takes nothing of the others with it.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from agent_console.domain.clock import Clock
from agent_console.domain.errors import Unavailable
from agent_console.domain.events import Event
from agent_console.store.connections import is_outage, is_passing
from agent_console.store.transactions import Tx

T = TypeVar("T")
GROUP = 256  # units of work per commit at most
LOCK_TRIES = 3  # each waits for the busy timeout

Unit = tuple[Callable[[Tx], Any], "Future[Any]"]


class SqliteWriter:
    """Owns the writing connection; ``submit`` is called from any other thread."""

    def __init__(
        self,
        connect: Callable[[], sqlite3.Connection],
        *,
        clock: Clock,
        journaled: bool,
        committed: Callable[[Sequence[Event], Sequence[Event]], None],
    ) -> None:
        """Start the thread; it connects when the first unit arrives."""
        self._connect = connect
        self._clock = clock
        self._journaled = journaled
        self._committed = committed
        self._units: SimpleQueue[Unit | Future[bool] | None] = SimpleQueue()
        self._connection: sqlite3.Connection | None = None
        self._version: int | None = None  # of the file, which own commits leave as it is
        self._closed = False
        self._closing = threading.Lock()  # nothing may be queued behind the end
        self._thread = threading.Thread(target=self._loop, name="sqlite-writer", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[Tx], T]) -> T:
        """Run ``work`` on the writer thread and return its result after the commit."""
        if threading.current_thread() is self._thread:
            raise RuntimeError("a unit of work must not start another one")
        future: Future[T] = Future()
        self._queue((work, future))
        return future.result()

    def changed_elsewhere(self) -> bool:
        """Say whether another connection may have committed since the last call."""
        future: Future[bool] = Future()
        self._queue(future)
        return future.result()

    def stop(self) -> None:
        """Finish what is queued, then close the connection."""
        with self._closing:
            self._closed = True
            self._units.put(None)
        self._thread.join()

    def _queue(self, item: Unit | Future[bool]) -> None:
        with self._closing:
            if self._closed:
                raise Unavailable("The database is closed.")
            self._units.put(item)

    def _loop(self) -> None:
        running = True
        while running:
            group, running = self._next_group()
            if group:
                self._commit(group)
        if self._connection is not None:
            self._connection.close()

    def _next_group(self) -> tuple[list[Unit], bool]:
        group: list[Unit] = []
        unit = self._units.get()
        while unit is not None:
            if isinstance(unit, Future):
                self._look(unit)
            else:
                group.append(unit)
            if len(group) == GROUP:
                return group, True
            try:
                unit = self._units.get_nowait()
            except Empty:
                return group, True
        return group, False

    def _commit(self, group: list[Unit]) -> None:
        try:
            connection = self._begin()
            txs, outcomes = self._run(connection, group)
            events = [event for tx in txs for event in tx.events]
            if self._journaled:
                Tx(connection.cursor(), "sqlite", self._clock).flush(events)
            connection.execute("COMMIT")
        except BaseException as error:  # noqa: BLE001 - handed to the callers, who wait for it
            self._abandon()
            failure = _for_callers(error)
            if len(group) > 1 and not isinstance(failure, Unavailable):
                # One of them is to blame, and the others must not pay for it.
                for unit in group:
                    self._commit([unit])
                return
            for _, future in group:
                future.set_exception(failure)
            return
        # Waiters first: a listener's work must not add to a caller's latency.
        for (_, future), (result, problem) in zip(group, outcomes, strict=True):
            if problem is None:
                future.set_result(result)
            else:
                future.set_exception(problem)
        self._committed(events, [touch for tx in txs for touch in tx.touches])

    def _look(self, future: Future[bool]) -> None:
        try:
            (version,) = self._connected().execute("PRAGMA data_version").fetchone()
        except BaseException as error:  # noqa: BLE001 - handed to the caller, who waits for it
            future.set_exception(_for_callers(error))
            return
        future.set_result(version != self._version)
        self._version = version

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection, self._version = self._connect(), None
        return self._connection

    def _begin(self) -> sqlite3.Connection:
        connection = self._connected()
        for left in range(LOCK_TRIES - 1, -1, -1):
            try:
                connection.execute("BEGIN IMMEDIATE")
                break
            except sqlite3.OperationalError as error:
                if not left or not is_passing(error):
                    raise
        return connection

    def _run(
        self, connection: sqlite3.Connection, group: list[Unit]
    ) -> tuple[list[Tx], list[tuple[Any, BaseException | None]]]:
        txs: list[Tx] = []
        outcomes: list[tuple[Any, BaseException | None]] = []
        cursor = connection.cursor()
        for work, _ in group:
            tx = Tx(cursor, "sqlite", self._clock)
            cursor.execute("SAVEPOINT unit")
            try:
                outcomes.append((work(tx), None))
                txs.append(tx)
            except BaseException as error:
                if not connection.in_transaction:  # SQLite itself has rolled back everything
                    raise
                cursor.execute("ROLLBACK TO unit")
                outcomes.append((None, _for_callers(error)))
            cursor.execute("RELEASE unit")
        return txs, outcomes

    def _abandon(self) -> None:
        if self._connection is None:
            return
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            self._connection.close()
            self._connection = None


def _for_callers(error: BaseException) -> BaseException:
    """Return ``error`` as callers know it: whatever will pass is ``Unavailable``."""
    if not (isinstance(error, sqlite3.Error) and is_outage(error)):
        return error
    failure = Unavailable(retryAfter=1)
    failure.__cause__ = error
    return failure
