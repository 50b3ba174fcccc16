"""Every row of one moment, for a backup: read in one snapshot while others go on writing.

Rows leave as plain values by column, so that a backup of either database restores to either.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnClause, column, select
from sqlalchemy import table as sql_table
from sqlmodel import SQLModel

from agent_console.store import tables  # noqa: F401 - fills the metadata
from agent_console.store.transactions import Reader, Row

CHUNK = 1000  # rows in memory at a time
# What proves who somebody is at this moment: everybody signs in again after a restore, and no
# invitation or session that was ended since comes back to life.
LEFT_OUT = frozenset({"sessions", "setup_links"})
# Made from other rows, in the form of one kind of database: a restore makes it again.
DERIVED = ("artifact_texts", "artifact_fts")


@dataclass(frozen=True, slots=True)
class StoredTable:
    """A table of the product and its columns, in their order."""

    name: str
    columns: tuple[str, ...]


def is_kept(name: str) -> bool:
    """Say whether a backup holds the table ``name`` of the product."""
    return name not in LEFT_OUT and not name.startswith(DERIVED)


def stored_tables(reader: Reader) -> list[StoredTable]:
    """Return what a backup holds, a table after those it refers to.

    Columns are those that are there: an older schema is saved as it is, before an upgrade.
    """
    there = reader.columns()
    return [
        StoredTable(table.name, there[table.name])
        for table in SQLModel.metadata.sorted_tables
        if table.name in there and is_kept(table.name)
    ]


def begin(reader: Reader) -> None:
    """Fix the moment: what is committed after this is in no table that is read from now on."""
    if reader.dialect == "postgresql":
        # Files are copied while the snapshot is held; the server must not end it for being idle.
        reader.row("SELECT set_config('idle_in_transaction_session_timeout', '0', true)")
    reader.row("SELECT 1 FROM ai_jobs LIMIT 1")


def rows(reader: Reader, table: StoredTable) -> Iterator[Sequence[Row]]:
    """Yield the rows of ``table``, a chunk at a time, values in the order of its columns."""
    columns: list[ColumnClause[Any]] = [column(name) for name in table.columns]
    # Each chunk is a statement of its own: the statement timeout bounds a chunk, not the table.
    yield from reader.stream(select(*columns).select_from(sql_table(table.name)), CHUNK)
