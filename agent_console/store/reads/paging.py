"""Keyset pages and capped counts, shared by every list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    Table,
    case,
    func,
    literal_column,
    select,
)
from sqlmodel import SQLModel

from agent_console.domain.queries import COUNT_CAP, Paging
from agent_console.domain.records import Page
from agent_console.store import tables
from agent_console.store.database import Reader
from agent_console.store.rows import Row

T = TypeVar("T")


def table(model: type[SQLModel]) -> Table:
    """Return the SQLAlchemy table of ``model``."""
    return SQLModel.metadata.tables[str(model.__tablename__)]


JOBS = table(tables.AiJob)
CHECKPOINTS = table(tables.AgentCheckpoint)


def read_page(
    reader: Reader,
    statement: Select[Any],
    paging: Paging,
    make: Callable[[Row], T],
    *,
    key: Callable[[Row], str],
    total: tuple[int, bool] | None,
) -> Page[T]:
    """Run ``statement`` for one page; ``key`` gives the cursor after a row.

    One row more than the limit is read: its presence says that there is a next page.
    """
    found = reader.select(statement.limit(paging.limit + 1).offset(paging.offset))
    return make_page(found, paging, make, key=key, total=total)


def make_page(
    rows: Sequence[Row],
    paging: Paging,
    make: Callable[[Row], T],
    *,
    key: Callable[[Row], str],
    total: tuple[int, bool] | None,
) -> Page[T]:
    """Return the page of ``rows``, of which there may be one more than the limit."""
    shown = rows[: paging.limit]
    return Page(
        items=[make(row) for row in shown],
        limit=paging.limit,
        offset=paging.offset,
        next_cursor=key(shown[-1]) if len(rows) > paging.limit else None,
        total=None if total is None else total[0],
        total_capped=total is not None and total[1],
    )


def capped_count(reader: Reader, statement: Select[Any]) -> tuple[int, bool]:
    """Count the rows of ``statement`` up to ``COUNT_CAP``; the flag says "or more"."""
    one: ColumnElement[int] = literal_column("1")
    bare = statement.with_only_columns(one, maintain_column_froms=True).order_by(None)
    some = bare.limit(COUNT_CAP + 1).subquery()
    found = int(reader.select(select(func.count().label("n")).select_from(some))[0]["n"])
    return min(found, COUNT_CAP), found > COUNT_CAP


def bounded_count(
    reader: Reader, looked_at: FromClause, match: ColumnElement[bool]
) -> tuple[int, bool]:
    """Count the rows of ``looked_at`` that ``match``; it is limited to ``COUNT_CAP`` + 1 rows.

    For filters that no one index serves together: what is examined is bounded, not only what is
    found. The flag says "or more".
    """
    sums = select(func.count().label("seen"), func.count(case((match, 1))).label("n"))
    row = reader.select(sums.select_from(looked_at))[0]
    return int(row["n"]), int(row["seen"]) > COUNT_CAP
