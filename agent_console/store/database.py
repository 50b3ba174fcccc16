"""The database: one way to write, one way to read, on SQLite and PostgreSQL alike."""

from __future__ import annotations

import contextlib
import copy
import logging
import os
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Self, TypeVar

import psycopg2
from sqlalchemy import Engine, exc

from agent_console.domain.clock import Clock, SystemClock
from agent_console.domain.errors import Unavailable
from agent_console.domain.events import Event
from agent_console.store.connections import (
    StoreOptions,
    dialect_of,
    is_outage,
    is_passing,
    make_engine,
    open_postgres,
    open_sqlite,
    parse,
    refuses_writes,
)
from agent_console.store.dialects import Dialect
from agent_console.store.prepared import Preparing
from agent_console.store.review_sums import SHARDS
from agent_console.store.round_trips import is_unsure, joined
from agent_console.store.stalls import Stalls
from agent_console.store.transactions import Reader, Tx
from agent_console.store.writer import SqliteWriter

__all__ = ["Database", "Reader", "StoreOptions", "Tx"]

T = TypeVar("T")
Listener = Callable[[Sequence[Event]], None]
Watcher = Callable[[Sequence[Event]], None]
Notice = Callable[[Sequence[Event]], str]

TRIES = 4  # of a transaction that met a passing error

_log = logging.getLogger(__name__)


class Database:
    """Transactions, snapshots, and word of what was committed.

    Nothing is opened until first use: a process may import and build this, then fork.
    """

    def __init__(
        self,
        url: str,
        options: StoreOptions | None = None,
        *,
        clock: Clock | None = None,
        journaled: bool = True,
    ) -> None:
        """Take a database ``url``; ``clock`` replaces the database's own clock (tests).

        ``journaled``: events are journaled and counted; a benchmark of the bare engine does
        without, the product never.
        """
        self.url = parse(url)
        self.options = options or StoreOptions()
        self.dialect: Dialect = dialect_of(self.url)
        # SQLite has no clock but its host's; PostgreSQL's is asked unless a test brings one.
        self._clock = clock if clock or self.dialect == "postgresql" else SystemClock()
        self._stalls = Stalls(self._connect_within, self.options.connect_timeout)
        self._preparing = Preparing()
        self._engine = self._make_engine(self.options)
        self._rng = random.Random(os.urandom(8))  # noqa: S311 - spreads rows, hides nothing
        self._listeners: list[Listener] = []
        self._watchers: list[Watcher] = []
        self._notices: list[Notice] = []
        self._writer: SqliteWriter | None = None
        self._writes_through: Database = self
        self._journaled = journaled
        self._apart: list[Database] = []
        self._lock = threading.Lock()

    def own_connection(self, statement_timeout: float) -> Self:
        """Return this database through one connection of its own, for one thread.

        However busy the pool is, it is served; a statement takes at most ``statement_timeout``
        seconds. Commits are told to the same listeners. On SQLite only the reading is apart: the
        file has a single write lock, for which a second writer would wait longer than in the
        queue of the one. It is closed with the database it comes from, or before.
        """
        own = copy.copy(self)
        limits = replace(self.options, pool_min=1, pool_max=1, statement_timeout=statement_timeout)
        own._engine = self._make_engine(limits)  # noqa: SLF001 - of this very class
        own._writer, own._apart = None, []  # noqa: SLF001
        self._apart.append(own)
        return own

    @property
    def path(self) -> str:
        """The SQLite file."""
        return str(self.url.database)

    def subscribe(self, listener: Listener) -> None:
        """Call ``listener`` with the events of every commit of this process, after it."""
        self._listeners.append(listener)

    def watch(self, watcher: Watcher) -> None:
        """Call ``watcher`` after every commit that changed something worth a look."""
        self._watchers.append(watcher)

    def on_turn(self, callback: Callable[[], None]) -> None:
        """Call when PostgreSQL falls silent while connections stand, and when it answers again."""
        self._stalls.on_turn(callback)

    def in_use(self, connection: Any) -> contextlib.AbstractContextManager[None]:
        """Let nobody wait without end for PostgreSQL on a connection that is no pool's."""
        return self._stalls.using(connection)

    def send_along(self, notice: Notice) -> None:
        """Send the SQL that ``notice`` returns, if any, with every commit watchers hear of.

        On PostgreSQL; SQLite's readers see a commit itself.
        """
        self._notices.append(notice)

    def write(self, work: Callable[[Tx], T]) -> T:
        """Run ``work`` in one transaction and return its result once that is committed.

        Passing errors (locks, deadlocks, a connection lost before the commit) are tried again, so
        ``work`` must be safe to repeat: it touches nothing but the transaction.

        Raises:
            Unavailable: the database cannot serve now; nothing, or (after a connection lost
                during the commit itself) possibly everything, was done.
        """
        if self.dialect == "sqlite":
            return self._writes_through._sqlite_writer().submit(work)  # noqa: SLF001 - this class
        return self._write_postgres(work)

    def changed_elsewhere(self) -> bool:
        """Say whether a process, or a connection, that is not this one's writer's has committed.

        Since the last call, on SQLite; word of own commits is given by ``watch``.
        """
        return self._writes_through._sqlite_writer().changed_elsewhere()  # noqa: SLF001 - this class

    @contextlib.contextmanager
    def read(self) -> Iterator[Reader]:
        """Open a read-only snapshot."""
        try:
            connection = self._engine.connect()
        except (exc.SQLAlchemyError, psycopg2.Error) as error:
            raise Unavailable(retryAfter=1) from error
        try:
            if self.dialect == "postgresql":
                connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
            with connection.begin(), Reader(connection, self.dialect, self._clock).closing() as r:
                yield r
        except (exc.DBAPIError, psycopg2.Error, sqlite3.Error) as error:
            cause = error.orig if isinstance(error, exc.DBAPIError) else error
            # A write in a snapshot is no outage but a mistake, and shown as it is.
            if cause is not None and is_outage(cause) and not refuses_writes(cause):
                connection.invalidate()
                raise Unavailable(retryAfter=1) from error
            raise
        finally:
            connection.close()

    def committed(self, events: Sequence[Event], touches: Sequence[Event]) -> None:
        """Tell listeners; a listener that fails is logged, never the writer's problem."""
        if events:
            self._tell(self._listeners, events)
        if events or touches:
            self._tell(self._watchers, [*events, *touches])

    def close(self) -> None:
        """Finish queued writes and close every connection."""
        for own in self._apart:
            own.close()
        if self is self._writes_through:
            self._stalls.stop()
        with self._lock:
            if self._writer is not None:
                self._writer.stop()
                self._writer = None
        self._engine.dispose()

    def _make_engine(self, options: StoreOptions) -> Engine:
        engine = make_engine(self.url, options, opening=self._stalls.opening)
        if self.dialect == "postgresql":
            self._stalls.watch(engine)
        return engine

    def _connect_within(self, seconds: int) -> Any:
        return open_postgres(self.url, replace(self.options, connect_timeout=seconds))

    def _tell(self, listeners: Sequence[Listener], events: Sequence[Event]) -> None:
        for listener in listeners:
            try:
                listener(events)
            except Exception:  # noqa: BLE001 - the commit is done; nobody else can act on this
                _log.exception("a listener of the database failed")

    def _sqlite_writer(self) -> SqliteWriter:
        with self._lock:
            if self._writer is None:
                options = self.options
                self._writer = SqliteWriter(
                    lambda: open_sqlite(self.path, options, read_only=False),
                    clock=self._clock or SystemClock(),
                    journaled=self._journaled,
                    committed=self.committed,
                )
            return self._writer

    def _write_postgres(self, work: Callable[[Tx], T]) -> T:
        give_up = time.monotonic() + self.options.connect_timeout
        for left in range(TRIES - 1, -1, -1):
            try:
                return self._once_postgres(work)
            except (psycopg2.Error, exc.SQLAlchemyError) as error:
                cause = error.orig if isinstance(error, exc.DBAPIError) else error
                # A server that does not answer is not asked again by somebody who waits.
                if left and time.monotonic() < give_up and cause is not None and is_passing(cause):
                    continue
                if isinstance(error, exc.TimeoutError) or (cause and is_outage(cause)):
                    raise Unavailable(retryAfter=1) from error
                raise
        raise AssertionError("unreachable: the last try returns or raises")

    def _once_postgres(self, work: Callable[[Tx], T]) -> T:
        connection = self._engine.raw_connection()
        try:
            with joined(connection) as cursor:
                tx = Tx(cursor, self.dialect, self._clock, self._preparing.of(connection))
                result = work(tx)
                self._commit_postgres(tx)
        finally:
            connection.close()
        self.committed(tx.events, tx.touches)
        return result

    def _commit_postgres(self, tx: Tx) -> None:
        # Drawn anew each time: threads of one process must not queue on one row either.
        shard = self._rng.randrange(SHARDS)
        told = tx.events or tx.touches
        notices = [text for notice in self._notices if told and (text := notice(tx.events))]
        try:
            tx.commit(tx.events if self._journaled else (), shard, notices)
        except psycopg2.Error as error:
            if not is_unsure(error):
                raise
            # The answer was lost, not necessarily the commit: only the caller, who knows by
            # which key to look, may try again.
            raise Unavailable(retryAfter=1) from error
