"""Seals of the journal, written and read; and how far the journal is settled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from typing import Final

from agent_console.domain.seals import Seal, hasher
from agent_console.store import journal
from agent_console.store.database import Database, Reader
from agent_console.store.transactions import Params, Queries, Tx

PAGE: Final = 1_000  # rows in memory at a time
EVERYTHING: Final = 2**63 - 1
COLUMNS: Final = tuple(field.name for field in fields(Seal))
ROW: Final = ("seq", *journal.COLUMNS)

ROWS: Final = (
    f"SELECT {', '.join(ROW)} FROM audit_logs"
    " WHERE seq > :after AND seq <= :upto ORDER BY seq LIMIT :limit"
)
STANDING: Final = """
WITH last AS (SELECT number, last_seq, hash, key_id, sealed_at FROM audit_seals
  ORDER BY number DESC LIMIT 1)
SELECT (SELECT max(seq) FROM audit_logs),
  (SELECT at FROM audit_logs WHERE seq > coalesce((SELECT last_seq FROM last), 0)
    ORDER BY seq LIMIT 1),
  {now}, last.number, last.last_seq, last.hash, last.key_id, last.sealed_at
FROM (SELECT 1 AS one) AS always LEFT JOIN last ON 1 = 1
"""
# A row if any of the journal has no seal yet.
SIGN: Final = """
SELECT 1 FROM audit_logs
WHERE seq > coalesce((SELECT last_seq FROM audit_seals ORDER BY number DESC LIMIT 1), 0)
"""
NEXT: Final = (
    f"SELECT {', '.join(COLUMNS)} FROM audit_seals WHERE number > :after ORDER BY number LIMIT 1"
)
COUNT: Final = (
    "SELECT count(*) FROM (SELECT 1 FROM audit_logs WHERE seq > :after LIMIT :most) AS tail"
)
INSERT: Final = (
    f"INSERT INTO audit_seals ({', '.join(COLUMNS)})"
    f" VALUES ({', '.join(f':{name}' for name in COLUMNS)}) ON CONFLICT DO NOTHING"
)
# Who inserts into a table locks it before a default, such as the next of a sequence, is computed,
# and holds that lock to the end of the transaction.
WRITERS: Final = """
SELECT virtualtransaction FROM pg_locks
WHERE locktype = 'relation' AND relation = CAST('audit_logs' AS regclass)
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND mode = 'RowExclusiveLock' AND granted
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastSeal:
    """What the next seal has to know of the one before; ``sealed_at`` in microseconds."""

    number: int
    last_seq: int
    hash: str
    key_id: str
    sealed_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far the journal reaches and how much of it is sealed, by the database's clock ``now``.

    ``newest`` is the highest sequence (0: there is no row), ``waiting_since`` the instant of the
    oldest row without a seal; instants are microseconds.
    """

    newest: int
    waiting_since: int | None
    now: int
    last: LastSeal | None

    @property
    def sealed(self) -> int:
        """The highest sequence that a seal covers, or 0."""
        return 0 if self.last is None else self.last.last_seq


def standing(reader: Reader) -> Standing:
    """Look at both ends, in one statement."""
    row = reader.row(STANDING)
    assert row is not None  # noqa: S101 - it selects from one row
    newest, since, now, number, last_seq, chained, key_id, sealed_at = row
    last = None
    if number is not None:
        last = LastSeal(
            number=number, last_seq=last_seq, hash=chained, key_id=key_id, sealed_at=sealed_at
        )
    return Standing(newest=newest or 0, waiting_since=since, now=now, last=last)


def hashes(reader: Queries, *, after: int, upto: int, most: int) -> Iterator[tuple[int, int, str]]:
    """Yield sequence, instant and hash of rows after ``after`` up to ``upto``, at most ``most``.

    Rows are read a page at a time.
    """
    hashed = hasher(ROW)
    while most > 0:
        params: Params = {"after": after, "upto": upto, "limit": min(PAGE, most)}
        rows = reader.rows(ROWS, params)
        for row in rows:
            yield row[0], row[1], hashed(row)
        if len(rows) < PAGE:
            return
        after = rows[-1][0]
        most -= len(rows)


def following(reader: Queries, number: int) -> Seal | None:
    """Return the first seal after ``number``."""
    row = reader.row(NEXT, {"after": number})
    return None if row is None else Seal(**dict(zip(COLUMNS, row, strict=True)))


def newest(reader: Reader) -> Seal | None:
    """Return the last seal."""
    last = standing(reader).last
    return None if last is None else following(reader, last.number - 1)


def count_after(reader: Queries, seq: int, most: int) -> int:
    """Return how many rows there are after ``seq``, counting up to ``most``."""
    row = reader.row(COUNT, {"after": seq, "most": most})
    return int(row[0]) if row else 0


def insert(tx: Tx, seal: Seal) -> bool:
    """Append ``seal``; say whether it was this one: of several at the same time the first stays."""
    return tx.execute(INSERT, asdict(seal)) == 1


class Horizon:
    """Up to where no transaction that is still under way can add a row to the journal.

    PostgreSQL numbers rows when they are inserted, and shows them when they are committed: below
    a number that can be seen, others may yet appear. Comparing with the snapshot's ``xmin`` does
    not do here. A transaction can take a number before it has an id, and one with an older id can
    take a later number and commit first. So the transactions that hold the lock of somebody who
    inserts are noted *after* the highest number was seen: once they have all ended, whatever has
    a number up to it is decided. Who begins later gets a higher number. Nobody waits for this.
    """

    def __init__(self, db: Database) -> None:
        """Look at ``db``."""
        self._db = db
        self._asked: tuple[int, frozenset[str]] | None = None

    def reach(self, newest: int) -> int | None:
        """Return up to which sequence, at most ``newest``, all is decided; None: ask again.

        ``newest`` was seen before this call; rows up to the answer are read after it.
        """
        if self._db.dialect == "sqlite":  # has one writer: numbers are committed in order
            return newest
        running = self._writers()
        if self._asked is None:
            self._asked = (newest, running)
            if running:  # as a rule they are short
                running = self._writers()
        seq, then = self._asked
        if then & running:
            return None
        self._asked = None
        return seq

    def _writers(self) -> frozenset[str]:
        with self._db.read() as reader:
            return frozenset(str(row[0]) for row in reader.rows(WRITERS))
