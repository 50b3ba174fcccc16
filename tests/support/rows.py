"""Rows in every table, whatever the schema: made to order, and read back for comparison."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, Table, create_engine, event, select
from sqlalchemy.engine import make_url

from agent_console.store.backup import DERIVED

# What a careless copy would change: quotes, line ends, escapes of the copy formats, high planes.
TEXTS = ("plain", 'it\'s "quoted" \\N \\t\t\n\r\n,;\\.', "ünï — \U0001f511 \u2028 ﷽", "")
WHOLE = (0, -1, 2**53 + 1, 2**63 - 1)
SMALL = (0, -1, 7, 2**31 - 1)
Rows = dict[str, list[tuple[Any, ...]]]


def engine(url: str) -> Engine:
    """Return an engine on ``url`` that holds SQLite to its references."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg2")
    made = create_engine(parsed)
    if parsed.get_backend_name() == "sqlite":
        event.listen(made, "connect", lambda raw, _: raw.execute("PRAGMA foreign_keys=ON"))
    return made


def reflected(connection: Connection) -> list[Table]:
    """Return the tables that hold rows of their own, each after those it refers to."""
    metadata = MetaData()
    metadata.reflect(connection, only=lambda name, _: not name.startswith(DERIVED))
    return [table for table in metadata.sorted_tables if table.name != "alembic_version"]


def fill(connection: Connection, count: int = 3) -> None:
    """Put ``count`` rows into every table of the schema as it is, allowed by every constraint."""
    for table in reflected(connection):
        rows = [row(table, number) for number in range(count)]
        connection.execute(table.insert(), rows)


def row(table: Table, number: int) -> dict[str, Any]:
    """Return row ``number`` of ``table``; it refers to rows of the same number."""
    allowed = _allowed(table)
    return {
        column.name: _reference(column, number) or _value(column, number, allowed)
        for column in table.columns
        if not _is_numbered(column)
    }


def _is_numbered(column: Any) -> bool:
    """Say whether the database counts the column up itself, from 1."""
    return column.type.python_type is int and list(column.table.primary_key) == [column]


def _allowed(table: Table) -> dict[str, list[str]]:
    """Return the values that checks of the form ``x IN ('a', 'b')`` leave to a column."""
    found = {}
    for check in table.constraints:
        text = str(getattr(check, "sqltext", ""))
        match = re.match(r"\W*(\w+)\W+(?:IN|= ANY)\b(.*)", text, re.DOTALL)
        if match:
            found[match[1]] = re.findall(r"'([^']*)'", match[2])
    return found


def _reference(column: Any, number: int) -> object:
    target = next(iter(column.foreign_keys), None)
    return None if target is None else _key(target.column, number)


def _key(column: Any, number: int) -> object:
    return number + 1 if column.type.python_type is int else f"{column.table.name} {number}"


def _value(column: Any, number: int, allowed: dict[str, list[str]]) -> object:
    kind = column.type.python_type
    if column.name in allowed:
        return allowed[column.name][number % len(allowed[column.name])]
    if _is_unique(column):
        return _key(column, number)
    if column.nullable and number == 1:
        return None
    if kind is int:
        return (SMALL if str(column.type) == "INTEGER" else WHOLE)[number % 4]
    if kind is float:
        return (0.1, 1e300, -2.5)[number % 3]
    assert kind is str, f"{column} has a type that backups have to learn: {column.type}"
    return TEXTS[number % 4]


def _is_unique(column: Any) -> bool:
    if column.primary_key or column.unique:
        return True
    unique = [index.columns for index in column.table.indexes if index.unique]
    return any(column.name in {each.name for each in columns} for columns in unique)


def held(connection: Connection, only: Callable[[str, str], bool] = lambda _t, _c: True) -> Rows:
    """Return all rows by table, columns by name, in an order of their own."""
    found: Rows = {}
    for table in reflected(connection):
        columns = sorted(
            (c for c in table.columns if only(table.name, c.name)), key=lambda c: c.name
        )
        if columns:
            rows = connection.execute(select(*columns)).all()
            found[table.name] = sorted((tuple(each) for each in rows), key=repr)
    return found
