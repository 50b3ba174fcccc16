"""A write transaction of PostgreSQL in as few round trips as it has statements.

The driver sends BEGIN and COMMIT each by itself: two trips more, in which locks are held and
somebody waits. Here the first statement brings BEGIN along, and the last COMMIT.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg2
from sqlalchemy import PoolProxiedConnection

from agent_console.store.connections import is_outage

COMMIT: Final = "COMMIT"
# Classes of errors that may come in the place of the answer to a commit that was made: of the
# connection, of an operator, of the system, of the server itself.
_UNSURE: Final = frozenset({"08", "57", "58", "XX"})


class Joined:
    """A driver's cursor in a transaction that begins with its first statement."""

    def __init__(self, cursor: Any) -> None:
        """Begin nothing yet."""
        self._cursor = cursor
        self._first = "BEGIN;"
        self.begun = False

    def execute(self, text: str, params: object = ()) -> None:
        """Run one or more statements; the answer is the last one's."""
        first, self._first = self._first, ""
        self._cursor.execute(first + text, params)
        self.begun = True

    def ahead(self, text: str) -> None:
        """Have ``text`` run ahead of the next statement, in its round trip."""
        self._first += f"{text};"

    def __getattr__(self, name: str) -> Any:
        """Be the driver's cursor in everything else."""
        return getattr(self._cursor, name)


@contextmanager
def joined(connection: PoolProxiedConnection) -> Iterator[Joined]:
    """Yield the cursor of a transaction; what raises rolls it back.

    A connection that is of no use any more is not given back to its pool.
    """
    driver: Any = connection.driver_connection
    # What a read has asked of its transaction the driver would set for the session, and then
    # take back, each in a round trip of its own.
    driver.set_session(isolation_level="DEFAULT", readonly="DEFAULT", deferrable="DEFAULT")
    driver.autocommit = True  # as far as the driver knows: it is to send neither
    cursor = Joined(driver.cursor())
    try:
        yield cursor
    except BaseException as error:
        if is_outage(error) or not _rolled_back(driver):
            connection.invalidate()  # the transaction has gone with it
        raise
    finally:
        cursor.close()
        if not driver.closed:
            driver.autocommit = False


def _rolled_back(driver: Any) -> bool:
    try:
        driver.cursor().execute("ROLLBACK")
    except psycopg2.Error:
        return False
    return True


def is_unsure(error: psycopg2.Error) -> bool:
    """Say whether a commit that was answered by ``error`` may have been made all the same."""
    return error.pgcode is None or error.pgcode[:2] in _UNSURE
