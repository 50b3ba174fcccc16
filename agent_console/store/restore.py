"""Putting a backup's rows into a database: all of it in one transaction, or nothing."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg2
from alembic import command
from psycopg2.extras import execute_values
from sqlalchemy import Connection, inspect, text
from sqlmodel import SQLModel

from agent_console.domain.clock import MICROSECONDS
from agent_console.domain.errors import Conflict, Misconfigured
from agent_console.store import artifact_words, migrate
from agent_console.store.backup import StoredTable, is_kept
from agent_console.store.dialects import POSTGRES_NOW

Rows = Callable[[StoredTable], Iterable[Sequence[Sequence[Any]]]]


@dataclass(frozen=True, slots=True)
class Restored:
    """The schema the backup came with, and the one it was brought to."""

    before: str
    after: str


def restore(
    database_url: str,
    revision: str,
    tables: Sequence[StoredTable],
    rows: Rows,
    *,
    replace: bool,
    worker_timeout: float,
) -> Restored:
    """Make the database what ``tables`` and ``rows`` say, then bring it to this version's schema.

    ``rows`` yields chunks of rows of a table. Readers and writers see the old state, or the new.

    Raises:
        Misconfigured: the backup was made by a newer version, or does not fit its own schema.
        Conflict: the database holds rows and ``replace`` is false, or a worker runs on it.
        Unavailable: the database cannot be reached or refuses; nothing was changed.
    """
    if revision not in migrate.revisions():
        raise Misconfigured(
            f"The backup has schema {revision}, made by a newer agent_console; this one knows up "
            f"to {migrate.head()}. Install the newer version to restore it."
        )
    with migrate.transaction(database_url) as connection:
        if migrate.known_revision(connection) is not None:
            _refuse_use(connection, worker_timeout)
            if not replace:
                _refuse_rows(connection)
            migrate.run(command.downgrade, connection, "base")
        others = set(inspect(connection).get_table_names())  # of somebody else, in our database
        migrate.run(command.upgrade, connection, revision)
        _check_fit(connection, tables, others)
        for table in tables:
            for chunk in rows(table):
                _insert(connection, table, chunk)
        _check_references(connection)
        _continue_numbering(connection, tables)
        migrate.run(command.upgrade, connection, "head")
        artifact_words.fill(connection)
        return Restored(revision, migrate.head())


def _refuse_use(connection: Connection, timeout: float) -> None:
    there = set(inspect(connection).get_table_names())
    if "agent_workers" not in there:
        return
    sqlite = connection.dialect.name == "sqlite"
    now = str(time.time_ns() // 1000) if sqlite else POSTGRES_NOW
    living = connection.execute(
        text(
            "SELECT host, pid FROM agent_workers WHERE status IN ('RUNNING', 'DRAINING')"
            f" AND heartbeat_at > {now} - :timeout"
        ),
        {"timeout": int(timeout * MICROSECONDS)},
    ).all()
    if living:
        listed = ", ".join(f"{host} process {pid}" for host, pid in living)
        raise Conflict(f"A worker runs on this database ({listed}). Stop every process first.")


def _refuse_rows(connection: Connection) -> None:
    there = set(inspect(connection).get_table_names())
    held = [
        name
        for name in sorted(SQLModel.metadata.tables)
        if name in there and connection.execute(text(f"SELECT 1 FROM {name} LIMIT 1")).first()
    ]
    if held:
        raise Conflict(
            f"The database is not empty ({', '.join(held)}). Back it up, then restore with "
            "--replace; everything in it will be lost."
        )


def _check_fit(connection: Connection, tables: Sequence[StoredTable], others: set[str]) -> None:
    """Names of a backup become SQL only when the schema knows them, all of them and no others."""
    found = inspect(connection)
    wanted = {
        name: {column["name"] for column in found.get_columns(name)}
        for name in found.get_table_names()
        if is_kept(name) and name not in {*others, "alembic_version"}
    }
    if wanted != {table.name: set(table.columns) for table in tables}:
        raise Misconfigured("The backup does not hold the tables of its own schema.")


def _insert(connection: Connection, table: StoredTable, rows: Sequence[Sequence[Any]]) -> None:
    names = ", ".join(f'"{column}"' for column in table.columns)
    statement = f"INSERT INTO {table.name} ({names}) VALUES "
    cursor = connection.connection.cursor()
    try:
        if connection.dialect.name == "sqlite":
            marks = ", ".join("?" * len(table.columns))
            cursor.executemany(f"{statement}({marks})", rows)
        else:
            execute_values(cursor, f"{statement}%s", rows, page_size=len(rows))
    except (sqlite3.Error, psycopg2.Error) as error:
        # The message of a driver may quote the row.
        kind = type(error).__name__
        raise Misconfigured(f"Rows of {table.name} do not fit the database ({kind}).") from error
    finally:
        cursor.close()


def _check_references(connection: Connection) -> None:
    """PostgreSQL has looked at every row already; SQLite does so when asked."""
    if connection.dialect.name != "sqlite":
        return
    wrong = connection.execute(text("PRAGMA foreign_key_check")).first()
    if wrong is not None:
        raise Misconfigured(f"The backup is not whole: {wrong[0]} refers to what is not there.")


def _continue_numbering(connection: Connection, tables: Sequence[StoredTable]) -> None:
    """Let PostgreSQL's sequences go on after the rows; SQLite looks at the rows itself."""
    if connection.dialect.name == "sqlite":
        return
    for table in tables:
        for column in inspect(connection).get_columns(table.name):
            if not column.get("autoincrement"):
                continue
            connection.execute(
                text(
                    "SELECT setval(pg_get_serial_sequence(:table, :column), highest)"
                    f' FROM (SELECT max("{column["name"]}") AS highest FROM {table.name}) AS held'
                    " WHERE highest IS NOT NULL"
                ),
                {"table": table.name, "column": column["name"]},
            )
