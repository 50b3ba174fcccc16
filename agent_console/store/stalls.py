"""Ends waits for a PostgreSQL that has fallen silent, and spares everybody new ones.

The driver waits for an answer without end. A statement's time limit is kept by the very server
that does not answer, and TCP gives up only what the other side does not acknowledge: behind a
frozen server, or a proxy without one, a caller would wait until somebody ends the connection.
From then on no pool connects, for each user would wait as long, until one look finds an answer.
"""

from __future__ import annotations

import logging
import math
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg2
from sqlalchemy import Engine, event

PATIENCE = 2.0  # seconds in use after which somebody asks whether the server still answers
LOOK_EVERY = 0.5  # seconds
PROBE_PATIENCE = 2  # seconds; libpq takes whole ones, and none below two

_log = logging.getLogger(__name__)


class Stalls:
    """Knows the connections in use, and ends them all when the server answers nobody.

    A statement that only takes long loses nothing: before anything is ended, a connection of the
    watch's own must have gone without an answer.
    """

    def __init__(self, connect: Callable[[int], Any], longest: float) -> None:
        """Take how to ``connect`` within so many seconds; nothing runs before the first use.

        ``longest``: seconds that whoever connects would wait.
        """
        self._connect = connect
        self._longest = max(PROBE_PATIENCE, int(longest))
        self._patience = PROBE_PATIENCE
        self._silent = False
        self._asked = 0.0  # monotonic time of the last look
        self._turned: list[Callable[[], None]] = []
        self._engines: list[Engine] = []
        self._used: dict[object, tuple[Any, float]] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def watch(self, engine: Engine) -> None:
        """Look after the connections of ``engine`` while they are in use."""
        self._engines.append(engine)
        event.listen(engine, "checkout", lambda used, record, _: self._out(record, used))
        event.listen(engine, "checkin", lambda _, record: self._used.pop(record, None))

    def on_turn(self, callback: Callable[[], None]) -> None:
        """Call when the server falls silent, and when it answers again; on a thread apart."""
        self._turned.append(callback)

    @contextmanager
    def using(self, connection: Any) -> Iterator[None]:
        """Look after a connection of no engine while the block uses it."""
        use = object()
        self._out(use, connection)
        try:
            yield
        finally:
            self._used.pop(use, None)

    @contextmanager
    def opening(self) -> Iterator[None]:
        """Let the block connect, unless the server is known to be silent.

        Raises:
            psycopg2.OperationalError: it is; as if the attempt had taken its time and failed.
        """
        if self._silent:
            raise psycopg2.OperationalError("the database is silent")
        began = time.monotonic()
        yield
        self._took(time.monotonic() - began)

    def stop(self) -> None:
        """Look no more."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self._silent = False  # nobody would let anybody in again

    def _out(self, record: object, connection: Any) -> None:
        self._used[record] = (connection, time.monotonic())
        if self._thread is None:
            self._start()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None and not self._stop.is_set():
                self._thread = threading.Thread(target=self._loop, name="stalls", daemon=True)
                self._thread.start()

    def _loop(self) -> None:
        while not self._stop.wait(LOOK_EVERY):
            try:
                self._look()
            except Exception:  # noqa: BLE001 - nobody else would let anybody in again
                _log.exception("the watch over connections failed")
                self._silent = False

    def _look(self) -> None:
        began = time.monotonic()
        late = began - PATIENCE
        waited = self._asked < late and any(at < late for _, at in self._used.copy().values())
        if not (waited or self._silent):
            return
        silent = self._is_silent()
        self._asked = time.monotonic()
        turned, self._silent = silent != self._silent, silent
        if silent:
            self._end(before=began)
        if turned:  # last: who hears of it looks at once, and must not find an old connection
            _log.warning("the database %s", "is silent" if silent else "answers again")
            for callback in self._turned:
                callback()

    def _is_silent(self) -> bool:
        """Say whether a new connection is not even refused.

        Who is let in again has all the time there is: it may have become slow, and not silent.
        """
        patience = self._longest if self._silent else self._patience
        began = time.monotonic()
        try:
            with closing(self._connect(patience)):
                self._took(time.monotonic() - began)
                return False
        except psycopg2.Error:
            return time.monotonic() - began >= patience * 0.9

    def _took(self, seconds: float) -> None:
        """Wait longer from now on where connecting takes long: that is not silence."""
        self._patience = min(self._longest, max(PROBE_PATIENCE, math.ceil(2 * seconds)))

    def _end(self, before: float) -> None:
        """Break what has been in use since ``before``; what lies idle is as silent, and dropped."""
        for engine in self._engines:
            engine.dispose()
        broken = [one for one, at in self._used.copy().values() if at < before]
        if broken:
            _log.warning("ending %d connections that wait for the database", len(broken))
        for connection in broken:
            try:
                with socket.socket(fileno=os.dup(connection.fileno())) as line:
                    line.shutdown(socket.SHUT_RDWR)
            except (OSError, psycopg2.Error) as error:  # it ended meanwhile
                _log.debug("a connection had ended by itself: %s", error)
