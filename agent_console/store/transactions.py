"""What a unit of work is handed: a write transaction, or a consistent snapshot to read."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Connection, inspect
from sqlalchemy.sql import Executable

from agent_console.domain.clock import Clock, to_micros
from agent_console.domain.events import BEAT, TOUCHED, Event
from agent_console.store import journal, review_sums, tallies, tally_slots
from agent_console.store.dialects import (
    NOW_PARAM,
    POSTGRES_NOW,
    Dialect,
    compiled,
    insert_from,
    marks,
    with_values,
)
from agent_console.store.prepared import KEPT, Part, Plans
from agent_console.store.relations import relation
from agent_console.store.round_trips import COMMIT

Params = dict[str, object]
Row = tuple[Any, ...]
Sum = tuple[str, str, float]  # what is added to the tally of a name and labels


class Queries:
    """SQL on a driver's cursor: ``:name`` parameters and the placeholders of ``dialects``."""

    def __init__(
        self, cursor: Any, dialect: Dialect, clock: Clock | None, plans: Plans | None = None
    ) -> None:
        """``clock``: the bound clock; None means the server's own (PostgreSQL).

        ``plans``: those of the cursor's connection, where it keeps any.
        """
        self._cursor = cursor
        self._clock = clock
        self._plans = plans
        self.dialect: Dialect = dialect

    def _run(self, sql: str, params: Params | None) -> None:
        statement = compiled(sql, self.dialect, self._clock is not None)
        if statement.binds_now and self._clock is not None:
            params = {**(params or {}), NOW_PARAM: to_micros(self._clock.now())}
        if self._plans is not None and KEPT in sql:
            self._plans.run(self._cursor, [(statement.text, params or {})])
        else:
            self._cursor.execute(statement.text, params or {})

    def _send(self, *parts: Part, last: Sequence[str] = ()) -> None:
        """Run statements in the driver's form, plans kept, in one round trip (PostgreSQL).

        Those of ``last`` go along as they are.
        """
        if self._plans is not None:
            self._plans.run(self._cursor, parts, last)
        else:
            params: list[object] = [value for _, values in parts for value in values]
            self._cursor.execute(";".join([*(text for text, _ in parts), *last]), params)

    def rows(self, sql: str, params: Params | None = None) -> list[Row]:
        """Run ``sql`` and return all rows as tuples."""
        self._run(sql, params)
        return list(self._cursor.fetchall())

    def row(self, sql: str, params: Params | None = None) -> Row | None:
        """Run ``sql`` and return its first row, or None."""
        self._run(sql, params)
        found = self._cursor.fetchone()
        return None if found is None else tuple(found)

    def dicts(self, sql: str, params: Params | None = None) -> list[dict[str, Any]]:
        """Run ``sql`` and return all rows keyed by column name."""
        self._run(sql, params)
        names = [column[0] for column in self._cursor.description]
        return [dict(zip(names, row, strict=True)) for row in self._cursor.fetchall()]

    def now(self) -> int:
        """Return the database's clock in microseconds; a round trip on PostgreSQL."""
        if self._clock is not None:
            return to_micros(self._clock.now())
        found = self.row(f"SELECT {POSTGRES_NOW}")
        return int(found[0]) if found else 0


class Tx(Queries):
    """A write transaction. Committed by the database after the unit of work returns."""

    def __init__(
        self, cursor: Any, dialect: Dialect, clock: Clock | None, plans: Plans | None = None
    ) -> None:
        """See ``Queries``."""
        super().__init__(cursor, dialect, clock, plans)
        self.events: list[Event] = []
        self.touches: list[Event] = []
        self._now: int | None = None

    def now(self) -> int:
        """Return the database's clock in microseconds, read once per transaction."""
        if self._now is None:
            self._now = super().now()
        return self._now

    def execute(self, sql: str, params: Params | None = None) -> int:
        """Run ``sql`` and return the number of rows it changed."""
        self._run(sql, params)
        return int(self._cursor.rowcount)

    def share(self, lock: int) -> None:
        """Hold ``lock`` with others from before the next statement to the end; none on SQLite.

        That statement sees whatever was committed before somebody who has ``taken`` it let go.
        """
        if self.dialect == "postgresql":  # SQLite has one writer at a time
            self._cursor.ahead(f"SELECT pg_advisory_xact_lock_shared({int(lock)})")

    def take(self, lock: int) -> None:
        """Wait until nobody shares ``lock``, and hold it alone to the end; none on SQLite."""
        if self.dialect == "postgresql":
            self.row(f"SELECT pg_advisory_xact_lock({int(lock)})")

    def values(self, columns: str, body: str, rows: Sequence[Row]) -> list[Row]:
        """Run ``body`` once over ``rows`` as the relation ``v(columns)``; return what it returns.

        ``body`` ends in ``RETURNING``; it takes ``{now}`` but no named parameters.
        """
        if not rows:
            return []
        now = None if self._clock is None else to_micros(self._clock.now())
        if self.dialect == "sqlite":
            source, params = marks(len(rows), len(rows[0])), [v for row in rows for v in row]
            self._cursor.execute(with_values(columns, source, body, self.dialect, now), params)
        else:
            source, params = relation(columns.split(", "), rows)
            self._send((with_values(columns, source, body, self.dialect, now), params))
        return list(self._cursor.fetchall())

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Insert ``rows`` in one go."""
        names = ", ".join(columns)
        if self.dialect == "sqlite":
            values = marks(1, len(columns))
            self._cursor.executemany(f"INSERT INTO {table} ({names}) {values}", rows)
        elif rows:
            source, params = relation(columns, rows)
            self._send((f"INSERT INTO {table} ({names}) {source}", params))

    def insert_many(
        self,
        table: str,
        columns: Mapping[str, str],
        types: Mapping[str, str],
        rows: Sequence[Params],
    ) -> None:
        """Insert a row per item of ``rows`` in one statement.

        ``columns`` are names and their SQL, with ``:name`` parameters and placeholders; ``types``
        are the parameters and their types on PostgreSQL.
        """
        if not rows:
            return
        now = None if self._clock is None else to_micros(self._clock.now())
        if self.dialect == "postgresql":
            source, given = relation([*types], [[row[name] for name in types] for row in rows])
            self._send((insert_from(table, columns, types, source, now), given))
            return
        values = ", ".join(columns.values())
        sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values})"
        text = compiled(sql, self.dialect, clock_bound=True).text
        self._cursor.executemany(text, [{**row, NOW_PARAM: now} for row in rows])

    def record(self, *events: Event) -> None:
        """Journal ``events`` at commit, add them to the tallies, tell listeners afterwards."""
        self.events.extend(events)

    def touch(self, job_id: str | None = None) -> None:
        """Tell screens of a change that is no event (a log line, progress).

        ``job_id``: it is about this job alone; "": about no job.
        """
        self.touches.append(Event(action=TOUCHED, job_id=job_id))

    def beat(self) -> None:
        """Tell the screens of this process alone that a worker lives, as they know."""
        self.touches.append(Event(action=BEAT, job_id=""))

    def flush(self, events: Sequence[Event]) -> None:
        """Write journal and tallies of ``events``; the writer calls it before it commits."""
        if not events:
            return
        entries, sums, reviews = _kept_of(events)
        now = self.now()
        self.insert("audit_logs", journal.COLUMNS, [(now, *entry) for entry in entries])
        self.insert("tally_deltas", tallies.COLUMNS, [(now, *one) for one in sums])
        if reviews:
            told = [
                (width, now // tally_slots.micros(width), *one[:3], 0, *one[3:])
                for width in review_sums.WIDTHS
                for one in reviews
            ]
            self._cursor.executemany(review_sums.UPSERT.format(rows=marks(1, 8)), told)

    def commit(self, events: Sequence[Event], shard: int, notices: Sequence[str] = ()) -> None:
        """Write journal and tallies of ``events`` and commit, in one round trip (PostgreSQL).

        ``notices`` are statements that go along; ``shard`` is that of the reviews' sums.
        """
        if not events and not self._cursor.begun:
            return  # nothing was done
        self._send(*self._journaling(events, shard), last=[*notices, COMMIT])
        if self._cursor.statusmessage != COMMIT:
            raise RuntimeError("a statement had failed; the transaction was rolled back")

    def _journaling(self, events: Sequence[Event], shard: int) -> list[Part]:
        if not events:
            return []
        entries, sums, reviews = _kept_of(events)
        at = POSTGRES_NOW if self._clock is None else str(to_micros(self._clock.now()))
        names = ", ".join(journal.COLUMNS)
        source, params = relation(journal.COLUMNS[1:], entries)
        text = f"INSERT INTO audit_logs ({names}) SELECT {at}, e.* FROM ({source}) AS e"
        parts: list[Part] = [(text, params)]
        if sums:
            source, params = relation(tallies.COLUMNS[1:], sums)
            names = ", ".join(tallies.COLUMNS)
            text = f"INSERT INTO tally_deltas ({names}) SELECT {at}, s.* FROM ({source}) AS s"
            parts.append((text, params))
        if reviews:
            told = [
                (width, tally_slots.micros(width), *one[:3], shard, *one[3:])
                for width in review_sums.WIDTHS
                for one in reviews
            ]
            source, params = relation(review_sums.COLUMNS, told)
            source = (
                f"SELECT width, {at} / slot, job_type, risk, measure, shard, value, seconds"
                f" FROM ({source}) AS s"
            )
            parts.append((review_sums.UPSERT.format(rows=source), params))
        return parts


def _kept_of(events: Sequence[Event]) -> tuple[list[Row], list[Sum], list[review_sums.Sum]]:
    """Return the journal's rows of ``events``, what they add to the tallies and to the reviews'.

    Sorted: two transactions that touch the same rows lock them in the same order.
    """
    return (
        journal.rows_of(events),
        [(*key, float(value)) for key, value in tallies.sums_of(events).items()],
        review_sums.slots(events),
    )


class Reader(Queries):
    """A read-only snapshot: everything read through it is of one moment."""

    def __init__(self, connection: Connection, dialect: Dialect, clock: Clock | None) -> None:
        """Read through ``connection``, on which a transaction has begun."""
        cursor = connection.connection.cursor()
        super().__init__(cursor, dialect, clock)
        self._connection = connection

    def select(self, query: Executable) -> Sequence[Mapping[str, Any]]:
        """Run a SQLAlchemy select and return its rows keyed by column name."""
        rows = self._connection.execute(query).mappings().all()
        return [cast("Mapping[str, Any]", row) for row in rows]

    def columns(self) -> dict[str, tuple[str, ...]]:
        """Return the columns of every table that there is, as the database says."""
        found = inspect(self._connection)
        return {
            name: tuple(column["name"] for column in found.get_columns(name))
            for name in found.get_table_names()
        }

    def stream(self, query: Executable, size: int) -> Iterator[Sequence[Row]]:
        """Run a SQLAlchemy select and yield its rows ``size`` at a time, never all at once."""
        options = {"stream_results": True, "yield_per": size}
        result = self._connection.execute(query, execution_options=options)
        for rows in result.partitions():
            yield [tuple(row) for row in rows]

    @contextlib.contextmanager
    def closing(self) -> Iterator[Reader]:
        """Close the cursor at the end."""
        try:
            yield self
        finally:
            self._cursor.close()
