"""Engines and connections: pragmas, timeouts, pools, and which driver errors are passing."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, make_url

from agent_console.domain.errors import Misconfigured
from agent_console.store import prepared
from agent_console.store.dialects import Dialect


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreOptions:
    """Limits of the store; durations in seconds, pool sizes in connections."""

    pool_min: int = 2
    pool_max: int = 20
    statement_timeout: float = 30.0
    connect_timeout: float = 5.0
    busy_timeout: float = 10.0


def dialect_of(url: URL) -> Dialect:
    """Return the dialect of ``url``.

    Raises:
        Misconfigured: neither SQLite in a file nor PostgreSQL.
    """
    name = url.get_backend_name()
    if name == "sqlite":
        if url.database in {None, "", ":memory:"}:
            raise Misconfigured("DATABASE_URL: SQLite needs a file, such as sqlite:///data/app.db.")
        return "sqlite"
    if name == "postgresql":
        return "postgresql"
    raise Misconfigured(f"DATABASE_URL: {name} is not supported; use sqlite or postgresql.")


def open_sqlite(path: str, options: StoreOptions, *, read_only: bool) -> sqlite3.Connection:
    """Open the database file. Transactions are ours: the driver is kept from beginning any."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(
        path, timeout=options.busy_timeout, isolation_level=None, check_same_thread=False
    )
    use_wal(connection, options.busy_timeout)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA temp_store=MEMORY")
    connection.execute("PRAGMA cache_size=-16000")  # 16 MB
    if read_only:
        connection.execute("PRAGMA query_only=ON")
    return connection


def use_wal(connection: sqlite3.Connection, patience: float) -> None:
    """Bring the file into WAL mode, where it stays; wait up to ``patience`` seconds for locks.

    SQLite's own busy timeout does not apply to this change.
    """
    give_up = time.monotonic() + patience
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > give_up:
                raise
            time.sleep(0.01)
        else:
            return


def open_postgres(url: URL, options: StoreOptions) -> Any:
    """Open one connection with connect, statement and keep-alive timeouts."""
    milliseconds = int(options.statement_timeout * 1000)
    return psycopg2.connect(
        url.set(drivername="postgresql").render_as_string(hide_password=False),
        connect_timeout=max(1, int(options.connect_timeout)),
        options=f"-c statement_timeout={milliseconds} -c lock_timeout={milliseconds}"
        f" -c idle_in_transaction_session_timeout={milliseconds * 2} {prepared.OPTIONS}",
        keepalives=1,
        keepalives_idle=5,
        keepalives_interval=2,
        keepalives_count=3,
        tcp_user_timeout=15_000,
        application_name="agent_console",
        client_encoding="utf8",
    )


def make_engine(
    url: URL,
    options: StoreOptions,
    *,
    opening: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Engine:
    """Return the engine that reads (both databases) and writes (PostgreSQL); connects lazily.

    A connection to PostgreSQL is opened within ``opening``, which may refuse it.
    """
    sizes = {"pool_size": options.pool_min, "max_overflow": options.pool_max - options.pool_min}
    if dialect_of(url) == "postgresql":

        def connect() -> Any:
            with opening():
                return open_postgres(url, options)

        return create_engine(
            url.set(drivername="postgresql+psycopg2"),
            creator=connect,
            pool_timeout=options.connect_timeout,
            pool_use_lifo=True,
            pool_recycle=1800,
            **sizes,
        )
    path = str(url.database)
    engine = create_engine(url, creator=lambda: open_sqlite(path, options, read_only=True), **sizes)
    # The driver does not begin transactions (see open_sqlite), so a reader's snapshot does.
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine


def parse(url: str) -> URL:
    """Return ``url`` parsed; errors name the variable and never show a password."""
    try:
        return make_url(url)
    except Exception:  # noqa: BLE001 - whatever the parser says may quote the password
        raise Misconfigured("DATABASE_URL cannot be read as a database URL.") from None


_READ_ONLY = "25006"  # of a write: the server was demoted, and this connection is still to it
_REPLANNED = {"26000", "42P05", "0A000"}  # a kept plan is missing, or of a table that changed
_PASSING_CODES = {"40001", "40P01", "55P03", "57P01", "57P02", "57P03", _READ_ONLY, *_REPLANNED}


def is_passing(error: BaseException) -> bool:
    """Say whether trying the same transaction again may help: lock, deadlock, lost connection."""
    if isinstance(error, sqlite3.OperationalError):
        return any(word in str(error) for word in ("locked", "busy"))
    if isinstance(error, psycopg2.Error):
        if error.pgcode is not None:
            return error.pgcode in _PASSING_CODES
        return _lost_connection(error)
    return False


def _lost_connection(error: psycopg2.Error) -> bool:
    """Say whether the driver speaks for itself: the server, or the way to it, has gone.

    A server that crashes amid a statement makes the driver raise the bare ``DatabaseError``,
    without a code; whatever a server says itself has a class of its own and a code.
    """
    if isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError):
        return True
    return type(error) is psycopg2.DatabaseError and error.pgcode is None


def is_outage(error: BaseException) -> bool:
    """Say whether ``error`` means that the database cannot serve now (disk, network, locks)."""
    if isinstance(error, sqlite3.OperationalError):
        words = ("locked", "busy", "full", "readonly", "unable to open", "disk i/o")
        return any(word in str(error).lower() for word in words)
    return isinstance(error, psycopg2.Error) and (
        error.pgcode == _READ_ONLY or _lost_connection(error)
    )


def refuses_writes(error: BaseException) -> bool:
    """Say whether ``error`` is what a read-only connection answers to a write."""
    if isinstance(error, psycopg2.Error):
        return error.pgcode == _READ_ONLY
    return isinstance(error, sqlite3.OperationalError) and "readonly" in str(error)


Opener = Callable[[], sqlite3.Connection]
