"""The schema's version: bring a database to it, take it back, and say where it is.

Every change runs in one transaction that first takes the database's own lock, so that processes
that start together migrate once: the second finds nothing left to do.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool
from sqlmodel import SQLModel

from agent_console.domain.errors import Misconfigured, Unavailable
from agent_console.store import tables  # noqa: F401 - fills the metadata
from agent_console.store.connections import use_wal

SCRIPTS = Path(__file__).resolve().parents[2] / "alembic"
LOCK_KEY = 7_236_001  # of pg_advisory_xact_lock; any constant of our own
LOCK_WAIT = 60.0  # seconds another process may take that is migrating
CONNECT_TIMEOUT = 5.0  # seconds

# Alembic keeps the running migration in module globals.
_alembic = threading.Lock()


@dataclass(frozen=True, slots=True)
class Migrated:
    """What a migration did: the revisions before and after; None is an empty database."""

    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Survey:
    """What a database holds. ``tables`` maps each table of the product to its presence."""

    dialect: str
    server: str
    current: str | None
    head: str
    tables: dict[str, bool]

    @property
    def complete(self) -> bool:
        """Say whether the schema is this version's and every table is there."""
        return self.current == self.head and all(self.tables.values())


def head() -> str:
    """Return the revision this version of the console works with."""
    revision = _scripts().get_current_head()
    if revision is None:
        raise Misconfigured(f"No migrations in {SCRIPTS}.")
    return revision


def current(database_url: str) -> str | None:
    """Return the database's revision; None when it holds no schema yet.

    Raises:
        Unavailable: the database cannot be reached.
    """
    with transaction(database_url) as connection:
        return _revision(connection)


def upgrade(database_url: str) -> Migrated:
    """Bring the database to ``head()``, creating it when it is an SQLite file.

    Raises:
        Misconfigured: a newer version of the console made this schema.
        Unavailable: the database cannot be reached.
    """
    with transaction(database_url) as connection:
        before = known_revision(connection)
        if before != head():
            run(command.upgrade, connection, "head")
        return Migrated(before, _revision(connection))


def downgrade(database_url: str, revision: str = "-1") -> Migrated:
    """Take the database back to ``revision`` (``-1``: one step, ``base``: empty).

    Raises:
        Misconfigured: the revision, or the database's own, is not known here.
        Unavailable: the database cannot be reached.
    """
    with transaction(database_url) as connection:
        before = known_revision(connection)
        if before is None:
            raise Misconfigured("The database has no schema; there is nothing to take back.")
        run(command.downgrade, connection, revision)
        return Migrated(before, _revision(connection))


def survey(database_url: str) -> Survey:
    """Look at a database without changing it.

    Raises:
        Unavailable: the database cannot be reached.
    """
    with transaction(database_url, create=False) as connection:
        there = set(inspect(connection).get_table_names())
        version = ".".join(str(part) for part in connection.dialect.server_version_info or ())
        return Survey(
            dialect=connection.dialect.name,
            server=version,
            current=_revision(connection),
            head=head(),
            tables={name: name in there for name in sorted(SQLModel.metadata.tables)},
        )


def _scripts() -> ScriptDirectory:
    if not SCRIPTS.is_dir():
        raise Misconfigured(f"The folder of migrations is missing: {SCRIPTS}")
    return ScriptDirectory(str(SCRIPTS))


def run(verb: object, connection: Connection, revision: str) -> None:
    """Let Alembic's ``verb`` (a function of ``alembic.command``) bring ``connection`` there."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    with _alembic:
        verb(config, revision)  # type: ignore[operator]


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def revisions() -> set[str]:
    """Return every revision this version of the console knows."""
    return {script.revision for script in _scripts().walk_revisions()}


def known_revision(connection: Connection) -> str | None:
    """Return the database's revision; None when it holds no schema yet.

    Raises:
        Misconfigured: a newer version of the console made this schema.
    """
    revision = _revision(connection)
    if revision is not None and revision not in revisions():
        raise Misconfigured(
            f"The database has schema {revision}, made by a newer agent_console; this one knows "
            f"up to {head()}. Install the newer version, or restore a backup of before."
        )
    return revision


@contextmanager
def transaction(database_url: str, *, create: bool = True) -> Iterator[Connection]:
    """Yield a connection whose one transaction holds the migration lock.

    Raises:
        Unavailable: the database cannot be reached or used; nothing was changed.
    """
    engine = _engine(database_url, create=create)
    try:
        with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_WAIT:.0f}s'"))
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK_KEY})
            yield connection
    except DBAPIError as error:
        raise Unavailable(f"The database cannot be used: {_reason(error)}") from error
    finally:
        engine.dispose()


def _engine(database_url: str, *, create: bool) -> Engine:
    url = make_url(database_url)
    if url.get_backend_name() != "sqlite":
        # Plain postgresql:// means another driver to SQLAlchemy since 2.1.
        url = url.set(drivername="postgresql+psycopg2")
        options = {"connect_timeout": int(CONNECT_TIMEOUT), "application_name": "agent_console"}
        return create_engine(url, poolclass=NullPool, connect_args=options)
    if url.database and url.database != ":memory:":
        path = Path(url.database)
        if not create and not path.exists():
            raise Unavailable(f"The database file does not exist: {path}")
        _make_folder(path.parent)
    engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": LOCK_WAIT})
    # The driver's own habit is to begin late and to leave DDL outside: take the write lock first.
    event.listen(engine, "connect", _no_driver_transactions)
    event.listen(engine, "begin", _begin_immediate)
    return engine


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise Unavailable(f"The folder of the database cannot be made: {error}") from error


def _no_driver_transactions(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    use_wal(connection, LOCK_WAIT)  # once, before anybody else can hold a lock


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _reason(error: DBAPIError) -> str:
    """Return the driver's first line; it never holds the password."""
    return str(error.orig).strip().split("\n")[0]
