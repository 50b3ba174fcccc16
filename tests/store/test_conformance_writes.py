from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg2
import pytest

from agent_console.domain.errors import Conflict, Unavailable
from agent_console.domain.events import Event
from agent_console.store import idempotency, tallies
from agent_console.store.database import Database, StoreOptions
from agent_console.store.transactions import Tx
from tests.support.factories import enqueue, enqueue_many
from tests.support.runs import row

ADD = """
INSERT INTO tallies (name, labels, shard, value) VALUES (:name, '', 0, 1)
ON CONFLICT (name, labels, shard) DO UPDATE SET value = tallies.value + 1
"""


def add(name: str) -> Any:
    return lambda tx: tx.execute(ADD, {"name": name})


def value(db: Database, name: str) -> float:
    with db.read() as reader:
        found = reader.row("SELECT value FROM tallies WHERE name = :name", {"name": name})
    return 0.0 if found is None else float(found[0])


def test_nothing_is_lost_between_processes_and_threads(db: Database, database_url: str) -> None:
    databases = [Database(database_url) for _ in range(4)]

    def forty(number: int) -> None:
        for _ in range(40):
            databases[number % 4].write(add("n"))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(forty, range(8)))
    for database in databases:
        database.close()
    assert value(db, "n") == 320


def test_a_unit_that_fails_takes_nothing_of_others_with_it(db: Database) -> None:
    barrier = threading.Barrier(8)

    def one(number: int) -> str:
        def work(tx: Tx) -> str:
            tx.execute(ADD, {"name": f"n{number}"})
            tx.record(Event(action="test.done", subject_id=str(number)))
            if number % 2:
                raise Conflict(f"refused {number}")
            return f"done {number}"

        barrier.wait()
        return db.write(work)

    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(one, number) for number in range(8)]
    for number, future in enumerate(futures):
        if number % 2:
            with pytest.raises(Conflict, match=f"refused {number}"):
                future.result()
        else:
            assert future.result() == f"done {number}"
        assert value(db, f"n{number}") == (number + 1) % 2
    with db.read() as reader:
        rows = reader.rows("SELECT subject_id FROM audit_logs WHERE action = 'test.done'")
    assert sorted(rows) == [("0",), ("2",), ("4",), ("6",)]


def test_listeners_hear_of_what_was_committed_and_only_of_that(db: Database) -> None:
    heard: list[tuple[str, float]] = []
    db.subscribe(lambda events: heard.extend((e.action, value(db, "seen")) for e in events))

    def refused(tx: Tx) -> None:
        tx.record(Event(action="test.refused"))
        raise Conflict

    with pytest.raises(Conflict):
        db.write(refused)

    def accepted(tx: Tx) -> None:
        tx.execute(ADD, {"name": "seen"})
        tx.record(Event(action="test.accepted"))

    db.write(accepted)
    db.close()  # SQLite tells its listeners after it has answered the writer
    assert heard == [("test.accepted", 1.0)]


def test_a_listener_that_fails_is_not_the_writers_problem(
    db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[str] = []

    def broken(_events: object) -> None:
        raise ValueError("broken listener")

    db.subscribe(broken)
    db.subscribe(lambda events: heard.extend(e.action for e in events))
    db.write(lambda tx: tx.record(Event(action="test.done")))
    db.close()
    assert heard == ["test.done"]
    assert "broken listener" in caplog.text


def test_a_snapshot_does_not_move_while_others_write(db: Database) -> None:
    enqueue_many(db, 2)
    with db.read() as reader:
        before = reader.rows("SELECT count(*) FROM ai_jobs")
        enqueue(db)
        assert reader.rows("SELECT count(*) FROM ai_jobs") == before == [(2,)]
        assert reader.rows("SELECT count(*) FROM audit_logs") == [(2,)]
    with db.read() as reader:
        assert reader.rows("SELECT count(*) FROM ai_jobs") == [(3,)]


def test_a_snapshot_cannot_write(db: Database) -> None:
    job_id = enqueue(db)
    with (
        pytest.raises((Unavailable, sqlite3.Error, psycopg2.Error)),
        db.read() as reader,
    ):
        reader.rows("UPDATE ai_jobs SET priority = 0 RETURNING id")
    assert row(db, job_id)["priority"] == 5


def test_the_database_works_again_after_an_error_in_sql(db: Database) -> None:
    for _ in range(30):  # more often than the pool has connections
        with pytest.raises((sqlite3.Error, psycopg2.Error)):
            db.write(lambda tx: tx.execute("SELECT * FROM nowhere"))
    db.write(add("n"))
    assert value(db, "n") == 1


def test_an_idempotency_key_of_two_at_the_same_time_is_taken_once(
    db: Database, database_url: str
) -> None:
    databases = [db, Database(database_url)]
    barrier = threading.Barrier(8)

    def one(number: int) -> str | None:
        barrier.wait()
        return databases[number % 2].write(
            lambda tx: idempotency.claim(
                tx, scope="ada:enqueue", key="k", digest="d", subject_id=f"job_{number}"
            )
        )

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(one, range(8)))
    databases[1].close()
    winner = f"job_{answers.index(None)}"
    assert sorted(answers, key=str) == [None, *[winner] * 7]
    with pytest.raises(Conflict, match="different request"):
        db.write(
            lambda tx: idempotency.claim(
                tx, scope="ada:enqueue", key="k", digest="other", subject_id="job_9"
            )
        )


def test_tallies_are_the_sums_of_the_journal(db: Database, database_url: str) -> None:
    enqueue_many(db, 3)
    other = Database(database_url)
    enqueue_many(other, 4)
    other.close()
    with db.read() as reader:
        found = reader.rows(
            f"SELECT labels, sum(value) FROM {tallies.TOTALS} WHERE name = :name GROUP BY labels",
            {"name": tallies.JOBS_TOTAL},
        )
    assert found == [("PENDING", 7.0)]


# --- what only one of the two can go through ---------------------------------------------------


@pytest.fixture
def sqlite_url(sqlite_files: Any, tmp_path: Any) -> Any:
    with sqlite_files.database(tmp_path) as url:
        yield url


@pytest.fixture
def postgres_url(postgres: Any) -> Any:
    with postgres.database() as url:
        yield url


def hold_sqlite(url: str) -> sqlite3.Connection:
    """Lock the file as another process would while it writes."""
    connection = sqlite3.connect(
        url.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False
    )
    connection.execute("BEGIN IMMEDIATE")
    return connection


def test_sqlite_waits_for_another_process_that_writes(sqlite_url: str) -> None:
    db = Database(sqlite_url, StoreOptions(busy_timeout=5))
    db.write(add("n"))
    holder = hold_sqlite(sqlite_url)
    release = threading.Timer(0.3, lambda: holder.execute("COMMIT"))
    release.start()
    db.write(add("n"))
    release.join()
    holder.close()
    assert value(db, "n") == 2
    db.close()


def test_sqlite_says_unavailable_when_the_lock_is_never_released(sqlite_url: str) -> None:
    db = Database(sqlite_url, StoreOptions(busy_timeout=0.05))
    holder = hold_sqlite(sqlite_url)
    with pytest.raises(Unavailable):
        db.write(add("n"))
    assert value(db, "n") == 0  # readers are not held up
    holder.execute("ROLLBACK")
    holder.close()
    db.write(add("n"))
    assert value(db, "n") == 1
    db.close()


def test_sqlite_is_durable_and_in_wal_mode(sqlite_url: str) -> None:
    db = Database(sqlite_url)
    pragmas = ("journal_mode", "synchronous", "foreign_keys")
    found = db.write(lambda tx: [tx.row(f"PRAGMA {name}") for name in pragmas])
    assert found == [("wal",), (2,), (1,)]
    db.close()


def test_sqlite_shares_one_commit_among_those_who_wait(sqlite_url: str) -> None:
    db = Database(sqlite_url)
    db.write(add("n"))
    holder = hold_sqlite(sqlite_url)
    told: list[int] = []
    db.subscribe(lambda events: told.append(len(events)))
    started = threading.Barrier(33)

    def one(_number: int) -> None:
        started.wait()
        db.write(lambda tx: tx.record(Event(action="test.done")))

    with ThreadPoolExecutor(32) as pool:
        futures = [pool.submit(one, number) for number in range(32)]
        started.wait()
        holder.execute("COMMIT")
        for future in futures:
            future.result()
    holder.close()
    db.close()
    assert sum(told) == 32
    assert len(told) < 32


def test_sqlite_refuses_a_write_inside_a_write(sqlite_url: str) -> None:
    db = Database(sqlite_url)
    with pytest.raises(RuntimeError, match="must not start another"):
        db.write(lambda _tx: db.write(add("n")))
    db.close()


def test_postgres_tries_again_after_a_deadlock(postgres_url: str) -> None:
    db = Database(postgres_url)
    for name in ("a", "b"):
        db.write(add(name))
    both_hold_one = threading.Barrier(2)
    tries: list[str] = []

    def cross(first: str, second: str) -> None:
        def work(tx: Tx) -> None:
            tries.append(first)
            tx.execute(ADD, {"name": first})
            if tries.count(first) == 1:
                both_hold_one.wait()
            tx.execute(ADD, {"name": second})

        db.write(work)

    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(cross, "a", "b"), pool.submit(cross, "b", "a")]:
            future.result()
    assert len(tries) == 3  # one of the two was chosen as the victim, once
    assert (value(db, "a"), value(db, "b")) == (3, 3)
    db.close()


def test_postgres_takes_a_new_connection_when_the_old_one_died(
    postgres_url: str, postgres: Any
) -> None:
    db = Database(postgres_url)
    for _ in range(5):
        db.write(add("n"))
        value(db, "n")
        postgres.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE datname = '{db.url.database}'"
        )
    db.write(add("n"))
    assert value(db, "n") == 6
    db.close()


def test_postgres_stops_a_statement_that_takes_too_long(postgres_url: str) -> None:
    db = Database(postgres_url, StoreOptions(statement_timeout=0.2))
    with pytest.raises((Unavailable, psycopg2.Error)):
        db.write(lambda tx: tx.rows("SELECT 1 FROM pg_sleep(30)"))
    db.write(add("n"))
    assert value(db, "n") == 1
    db.close()
