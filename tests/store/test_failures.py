"""What the store makes of disks that fill, servers that are demoted, and threads in trouble."""

from __future__ import annotations

import os
import resource
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import psycopg2
import pytest

from agent_console.domain.errors import Unavailable
from agent_console.domain.events import Event
from agent_console.domain.records import WorkerStatus
from agent_console.store import listeners, runs, stalls
from agent_console.store.connections import open_sqlite
from agent_console.store.database import Database
from agent_console.store.listeners import PostgresListener, SqliteListener
from agent_console.store.liveness import heartbeat, rescue
from agent_console.store.runs import append_logs
from agent_console.store.transactions import Tx
from agent_console.testing import FakeClock
from tests.support.factories import enqueue
from tests.support.fault_proxy import FaultProxy, proxied
from tests.support.runs import claim_one, line, start_worker

ADD = "INSERT INTO tallies (name, labels, shard, value) VALUES (:name, '', 0, 1)"
PATIENCE = 10.0  # seconds
SILENCE = 20.0  # seconds that a read and a write may wait for a silent server, together


@pytest.fixture
def sqlite_db(sqlite_files: Any, tmp_path: Path) -> Iterator[Database]:
    with ExitStack() as stack:
        database = Database(stack.enter_context(sqlite_files.database(tmp_path)))
        stack.callback(database.close)
        yield database


@pytest.fixture
def postgres_db(postgres: Any) -> Iterator[Database]:
    with ExitStack() as stack:
        database = Database(stack.enter_context(postgres.database()))
        stack.callback(database.close)
        yield database


def hears(event: threading.Event, *, only_work: bool = False) -> Callable[..., None]:
    """Return what a listener calls; it sets ``event``."""

    def heard(*, work: bool) -> None:
        if work or not only_work:
            event.set()

    return heard


def allow_pages(db: Database, more: int) -> None:
    """Let the file grow by ``more`` pages and no further, as a full disk would."""

    def limit(tx: Tx) -> None:
        row = tx.row("PRAGMA page_count")
        assert row is not None
        tx.row(f"PRAGMA max_page_count = {row[0] + more}")

    db.write(limit)


def test_a_full_disk_is_an_outage_and_passes(sqlite_db: Database) -> None:
    allow_pages(sqlite_db, 5)
    with pytest.raises(Unavailable):
        sqlite_db.write(lambda tx: tx.execute(ADD, {"name": "x" * 200_000}))
    allow_pages(sqlite_db, 500)
    assert sqlite_db.write(lambda tx: tx.execute(ADD, {"name": "x" * 200_000})) == 1


def test_what_cannot_be_journaled_fails_alone(sqlite_db: Database) -> None:
    going, go_on = threading.Event(), threading.Event()
    outcomes: dict[str, object] = {}

    def holds_up(_tx: Tx) -> None:
        going.set()
        go_on.wait(PATIENCE)

    def unfit(tx: Tx) -> None:
        tx.record(Event(action="test.done", subject_id="\ud800"))

    def write(name: str, work: Callable[[Tx], object]) -> None:
        try:
            outcomes[name] = sqlite_db.write(work)
        except UnicodeEncodeError as error:
            outcomes[name] = type(error)

    threads = [threading.Thread(target=write, args=("first", holds_up))]
    threads[0].start()
    assert going.wait(PATIENCE)
    writer = sqlite_db._sqlite_writer()
    for name, work in (("unfit", unfit), ("fit", lambda tx: tx.execute(ADD, {"name": "n"}))):
        threads.append(threading.Thread(target=write, args=(name, work)))
        threads[-1].start()
    while writer._units.qsize() < 2:
        threads[-1].join(0.01)
    go_on.set()
    for thread in threads:
        thread.join()
    assert outcomes == {"first": None, "unfit": UnicodeEncodeError, "fit": 1}


def test_a_closed_writer_refuses_instead_of_keeping_its_callers(sqlite_db: Database) -> None:
    writer = sqlite_db._sqlite_writer()
    sqlite_db.close()
    with pytest.raises(Unavailable):
        writer.submit(lambda tx: tx.now())
    assert writer._units.empty()


def test_a_disk_that_cannot_be_read_is_an_outage(sqlite_db: Database) -> None:
    with pytest.raises(Unavailable), sqlite_db.read():
        raise sqlite3.OperationalError("disk I/O error")


def test_a_demoted_server_is_an_outage_and_its_connections_are_dropped(
    postgres_db: Database,
) -> None:
    servers: list[int] = []

    def on_a_standby(tx: Tx) -> None:
        servers.extend(row[0] for row in tx.rows("SELECT pg_backend_pid()"))
        tx.execute("SET TRANSACTION READ ONLY")
        tx.execute(ADD, {"name": "n"})

    with pytest.raises(Unavailable):
        postgres_db.write(on_a_standby)
    assert len(servers) == len(set(servers)) > 1


def test_a_server_that_crashes_amid_a_statement_is_an_outage(postgres_db: Database) -> None:
    def crashes(tx: Tx) -> None:
        tries.append(tx.rows("SELECT 1"))
        raise psycopg2.DatabaseError("server closed the connection unexpectedly")

    tries: list[object] = []
    with pytest.raises(Unavailable):
        postgres_db.write(crashes)
    assert len(tries) > 1  # nothing was committed: the transaction may be tried again
    with pytest.raises(Unavailable), postgres_db.read():
        raise psycopg2.DatabaseError("server closed the connection unexpectedly")
    with pytest.raises(psycopg2.DataError), postgres_db.read():
        raise psycopg2.DataError("what a server says itself is no outage")


@pytest.fixture
def far(postgres: Any) -> Iterator[tuple[FaultProxy, Database]]:
    """Yield a proxy, and a database behind it with a connection in its pool."""
    with ExitStack() as stack:
        proxy, url = stack.enter_context(proxied(stack.enter_context(postgres.database())))
        database = Database(url)
        stack.callback(database.close)
        with database.read() as reader:
            reader.row("SELECT 1")
        yield proxy, database


def turns(db: Database) -> SimpleQueue[None]:
    """Return what gets something whenever the server falls silent, or answers again."""
    turned: SimpleQueue[None] = SimpleQueue()
    db.on_turn(lambda: turned.put(None))
    return turned


@pytest.mark.parametrize("how", ["hang", "mute"])
def test_nobody_waits_for_a_server_that_has_fallen_silent(
    far: tuple[FaultProxy, Database], how: str
) -> None:
    proxy, db = far
    turned = turns(db)

    def read() -> None:
        with db.read() as reader:
            getattr(proxy, how)()
            reader.row("SELECT 1")

    began = time.monotonic()
    with pytest.raises(Unavailable):
        read()
    with pytest.raises(Unavailable):
        db.write(lambda tx: tx.execute(ADD, {"name": "n"}))
    assert time.monotonic() - began < SILENCE
    turned.get(timeout=PATIENCE)
    proxy.restore()
    turned.get(timeout=PATIENCE)
    db.write(lambda tx: tx.execute(ADD, {"name": "n"}))
    with db.read() as reader:
        assert reader.rows("SELECT value FROM tallies WHERE name = 'n'") == [(1,)]


def test_while_a_server_is_silent_all_are_told_at_once(far: tuple[FaultProxy, Database]) -> None:
    proxy, db = far
    turned = turns(db)

    def read() -> None:
        with db.read() as reader:
            reader.row("SELECT 1")

    proxy.hang()
    with pytest.raises(Unavailable):
        read()
    turned.get(timeout=PATIENCE)
    began = time.monotonic()
    for _ in range(5):
        with pytest.raises(Unavailable):
            read()
    assert time.monotonic() - began < 1
    proxy.restore()
    turned.get(timeout=PATIENCE)
    read()


def test_a_listener_that_fails_does_not_keep_everybody_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, seconds in (("PATIENCE", 0.0), ("PROBE_PATIENCE", 0), ("LOOK_EVERY", 0.005)):
        monkeypatch.setattr(stalls, name, seconds)
    answers = threading.Event()
    told: SimpleQueue[None] = SimpleQueue()

    def connect(_seconds: int) -> BytesIO:
        if answers.is_set():
            return BytesIO()  # can be closed; nothing else is asked of it
        raise psycopg2.OperationalError("no answer")

    def fails() -> None:
        told.put(None)
        raise RuntimeError("a listener")

    watch = stalls.Stalls(connect, 1)
    watch.on_turn(fails)
    with socket.socket() as waits:
        watch._out(object(), waits)
        for _ in range(3):  # it looks on
            told.get(timeout=PATIENCE)
        answers.set()
        watch.stop()
    with watch.opening():
        assert not connect(1).closed


def test_a_server_that_takes_long_to_let_anybody_in_is_not_silent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, seconds in (("PATIENCE", 0.0), ("PROBE_PATIENCE", 0), ("LOOK_EVERY", 0.005)):
        monkeypatch.setattr(stalls, name, seconds)
    asked: list[int] = []
    looked_on = threading.Event()

    def connect(seconds: int) -> BytesIO:
        asked.append(seconds)
        if len(asked) == 5:
            looked_on.set()
        if seconds < 1:
            raise psycopg2.OperationalError("no answer within that")
        return BytesIO()

    watch = stalls.Stalls(connect, 1.5)
    told: SimpleQueue[None] = SimpleQueue()
    watch.on_turn(lambda: told.put(None))
    with socket.socket() as waits, watch.using(waits):
        assert looked_on.wait(PATIENCE)
        watch.stop()
    assert (asked[:2], set(asked[2:])) == ([0, 1], {1})  # once taken for silent, and never again
    assert told.qsize() == 2
    with watch.opening():
        pass


def test_a_listener_ends_although_the_server_is_silent(
    far: tuple[FaultProxy, Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stalls, "PATIENCE", 0.2)
    proxy, db = far
    heard, asks, in_use = threading.Event(), threading.Event(), db.in_use

    def asked(connection: Any) -> Any:
        if heard.is_set():
            asks.set()
        return in_use(connection)

    monkeypatch.setattr(db, "in_use", asked)
    listener = PostgresListener(db, hears(heard))
    listener.start()
    assert heard.wait(PATIENCE)
    proxy.hang()
    listener.tell(work=True)
    assert asks.wait(PATIENCE)  # a question without an answer
    stopping = threading.Thread(target=listener.stop, daemon=True)
    stopping.start()
    stopping.join(PATIENCE)
    assert not stopping.is_alive()


def test_a_statement_that_takes_long_is_left_alone(postgres_db: Database) -> None:
    with postgres_db.read() as reader:
        assert reader.row("SELECT 7 FROM pg_sleep(:s)", {"s": stalls.PATIENCE * 2})[0] == 7


def test_a_sweeper_does_not_bury_its_own_worker(
    clocked_db: Database, fake_clock: FakeClock
) -> None:
    for worker_id in ("w1", "w2"):
        start_worker(clocked_db, worker_id)
        enqueue(clocked_db)
        claim_one(clocked_db, worker_id)
    fake_clock.advance(3600)  # the lid was closed
    assert rescue(clocked_db, 15, 5, own="w1") == 1
    assert not heartbeat(clocked_db, "w1", [], WorkerStatus.RUNNING).dead
    assert heartbeat(clocked_db, "w2", [], WorkerStatus.RUNNING).dead


def test_lines_that_piled_up_are_written_in_parts_and_in_order(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "LOG_ROWS", 4)
    enqueue(db)
    key = claim_one(db).key
    said = [f"line {number}" for number in range(10)]
    append_logs(db, [line(key, message) for message in said])
    with db.read() as reader:
        assert [row[0] for row in reader.rows("SELECT message FROM agent_logs ORDER BY id")] == said


def test_the_sqlite_listener_looks_again_after_an_error(
    sqlite_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, troubles = open_sqlite, iter([True])

    def opens_at_second_try(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        if next(troubles, False):
            raise sqlite3.OperationalError("database is locked")
        opened.set()
        return real(*args, **kwargs)

    opened, heard = threading.Event(), threading.Event()
    monkeypatch.setattr(listeners, "open_sqlite", opens_at_second_try)
    monkeypatch.setattr(listeners, "RECONNECT", (0.01, 0.01))
    listener = SqliteListener(sqlite_db, hears(heard))
    listener.start()
    try:
        assert opened.wait(PATIENCE)
        assert heard.wait(PATIENCE)  # what was missed may have been work
    finally:
        listener.stop()


def test_a_nudge_does_not_turn_the_pause_of_an_outage_into_a_busy_loop(
    postgres_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[bool] = []

    def refuses(*_args: object) -> None:
        tries.append(True)
        if len(tries) == 2:
            twice.set()
        raise psycopg2.OperationalError("refused")

    twice = threading.Event()
    monkeypatch.setattr(listeners, "open_postgres", refuses)
    listener = PostgresListener(postgres_db, hears(threading.Event()))
    listener.tell(work=True)
    listener.start()
    assert twice.wait(PATIENCE)
    listener.stop()
    assert len(tries) <= 3


def test_what_could_not_be_said_is_said_after_the_reconnect(
    postgres_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listeners, "RECONNECT", (0.01, 0.01))
    heard = threading.Event()
    other = PostgresListener(postgres_db, hears(heard, only_work=True))
    broken: list[Any] = []
    ours = PostgresListener(postgres_db, hears(threading.Event()))
    real = PostgresListener._send

    def loses_the_first(self: PostgresListener, connection: Any) -> None:
        if self is ours and self._pending and not broken:
            broken.append(connection)
            connection.close()
        real(self, connection)

    monkeypatch.setattr(PostgresListener, "_send", loses_the_first)
    other.start()
    assert heard.wait(PATIENCE)  # listening, and has looked once
    heard.clear()
    ours.tell(work=True)
    ours.start()
    try:
        assert heard.wait(PATIENCE)
        assert len(broken) == 1
    finally:
        ours.stop()
        other.stop()


def test_the_postgres_listener_works_beside_thousands_of_descriptors(
    postgres_db: Database,
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    taken = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    heard = threading.Event()
    listener = PostgresListener(postgres_db, hears(heard))
    listener.start()
    try:
        assert heard.wait(PATIENCE)
        heard.clear()
        other = psycopg2.connect(
            postgres_db.url.set(drivername="postgresql").render_as_string(hide_password=False)
        )
        other.autocommit = True
        other.cursor().execute(f"NOTIFY {listeners.CHANGE}")
        other.close()
        assert heard.wait(PATIENCE)
    finally:
        listener.stop()
        for descriptor in taken:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
