"""Sealing: in order, once, by whom it may be, and never past a transaction under way."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg2
import pytest

from agent_console.domain.seals import GENESIS
from agent_console.domain.verification import Verdict
from agent_console.services.sealing import Sealer
from agent_console.services.verification import Verifier
from agent_console.store import seals, tables
from agent_console.store.database import Database
from agent_console.testing import FakeClock
from tests.support.journals import MemoryKeys, keys_of, seal, without_store, write


def found(db: Database) -> list[dict[str, Any]]:
    with db.read() as reader:
        return reader.dicts("SELECT * FROM audit_seals ORDER BY number")


def test_a_rows_hash_is_over_every_column_of_the_table() -> None:
    columns = tables.AuditLog.__table__.columns.keys()  # type: ignore[attr-defined]
    assert sorted(columns) == sorted(seals.ROW)


def test_seals_cover_every_row_in_batches_and_follow_each_other(db: Database) -> None:
    keys = keys_of()
    write(db, 25)
    assert seal(db, keys, batch=10) == 25
    made = found(db)
    assert [(s["number"], s["first_seq"], s["last_seq"], s["count"]) for s in made] == [
        (1, 1, 10, 10),
        (2, 11, 20, 10),
        (3, 21, 25, 5),
    ]
    assert [s["previous"] for s in made] == [GENESIS, made[0]["hash"], made[1]["hash"]]
    assert seal(db, keys) == 0
    assert Verifier(db, keys).verify().verdict is Verdict.INTACT


def test_young_rows_wait_for_company_unless_they_are_many(
    clocked_db: Database, fake_clock: FakeClock
) -> None:
    sealer = Sealer(clocked_db, keys_of(), batch=10, patience=4)
    write(clocked_db, 9)
    assert sealer.seal() == 0
    write(clocked_db, 3)
    assert sealer.seal() == 10
    fake_clock.advance(4)
    assert sealer.seal() == 2


def test_with_nothing_to_seal_nothing_is_written(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = keys_of()
    write(db, 3)
    sealer = Sealer(db, keys, patience=-1)
    assert sealer.seal() == 3
    asked: list[str] = []
    monkeypatch.setattr(db, "write", lambda _work: pytest.fail("a write"))
    run = seals.Reader._run

    def counted(reader: Any, sql: str, params: Any) -> None:
        asked.append(sql)
        run(reader, sql, params)

    monkeypatch.setattr(seals.Reader, "_run", counted)
    assert sealer.seal() == 0
    assert asked == [seals.STANDING]


def test_of_many_that_seal_at_once_each_number_is_made_once(db: Database) -> None:
    keys, barrier = keys_of(), threading.Barrier(6)
    keys.rotate(None)
    write(db, 60)

    def sweep(_: int) -> int:
        sealer = Sealer(db, keys, batch=10, patience=-1)
        barrier.wait()
        return sum(sealer.seal() for _ in range(8))

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(sweep, range(6))) == 60
    assert [s["number"] for s in found(db)] == [1, 2, 3, 4, 5, 6]
    assert Verifier(db, keys).verify().rows == 60


INSERT = (
    "INSERT INTO audit_logs (at, action, actor_kind, actor_name, data)"
    " VALUES (1, 'held', 'system', 'x', '{}') RETURNING seq"
)


@pytest.fixture
def other(db: Database) -> Callable[[], Any]:
    """Return a connection of somebody else's, ended with the test."""
    url = db.url.set(drivername="postgresql").render_as_string(hide_password=False)
    return lambda: psycopg2.connect(url)


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
def test_rows_beyond_a_transaction_under_way_wait_for_it(
    db: Database, other: Callable[[], Any]
) -> None:
    keys = keys_of()
    sealer = Sealer(db, keys, patience=-1)
    held = other()
    try:
        cursor = held.cursor()
        cursor.execute(INSERT)
        (number,) = cursor.fetchone()
        write(db, 5)  # committed, with higher numbers
        assert sealer.seal() == 0
        assert sealer.seal() == 0
        held.commit()
    finally:
        held.close()
    assert sealer.seal() == 6
    assert found(db)[0]["first_seq"] == number
    assert Verifier(db, keys).verify().verdict is Verdict.INTACT


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
def test_neither_the_order_of_ids_nor_of_begins_lets_a_row_slip_behind(
    db: Database, other: Callable[[], Any]
) -> None:
    """The older transaction takes the later number and commits first: xmin alone is fooled."""
    keys = keys_of()
    sealer = Sealer(db, keys, patience=-1)
    older, younger = other(), other()
    try:
        first = older.cursor()
        first.execute("SELECT pg_current_xact_id()")
        second = younger.cursor()
        second.execute(INSERT)
        (lower,) = second.fetchone()
        first.execute(INSERT)
        (higher,) = first.fetchone()
        assert lower < higher
        older.commit()
        assert sealer.seal() == 0
        younger.commit()
    finally:
        older.close()
        younger.close()
    assert sealer.seal() == 2
    assert Verifier(db, keys).verify().verdict is Verdict.INTACT


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
def test_a_constant_stream_of_writers_does_not_keep_rows_from_being_sealed(
    db: Database, other: Callable[[], Any]
) -> None:
    keys = keys_of()
    sealer = Sealer(db, keys, patience=-1)
    write(db, 3)
    before = other()
    before.cursor().execute(INSERT)
    assert sealer.seal() == 0
    after = other()  # there is always somebody
    try:
        after.cursor().execute(INSERT)
        before.rollback()
        assert sealer.seal() == 3
    finally:
        before.close()
        after.close()
    # The number that was taken and given up is a gap, and no row may appear in it.
    write(db, 1)
    assert sealer.seal() == 1
    assert Verifier(db, keys).verify().verdict is Verdict.INTACT


def test_rows_that_many_threads_write_are_all_sealed_and_none_slips_behind(db: Database) -> None:
    keys, stop = keys_of(), threading.Event()
    keys.rotate(None)

    def work(_: int) -> int:
        done = 0
        while not stop.is_set():
            write(db, 1)
            done += 1
        return done

    def sweep() -> int:
        sealer = Sealer(db, keys, batch=50, patience=-1)
        return sum(sealer.seal() for _ in range(20))

    with ThreadPoolExecutor(6) as pool:
        writers = [pool.submit(work, n) for n in range(4)]
        sealers = [pool.submit(sweep) for _ in range(2)]
        sealed = sum(each.result() for each in sealers)
        stop.set()
        written = sum(each.result() for each in writers)
    sealed += seal(db, keys)
    assert sealed == written
    result = Verifier(db, keys).verify()
    assert (result.verdict, result.rows, result.unsealed) == (Verdict.INTACT, written, 0)


def test_old_seals_are_verified_with_the_key_that_signed_them(db: Database) -> None:
    store = MemoryKeys()
    keys = keys_of(store)
    for number in range(1, 4):
        write(db, 2)
        seal(db, keys)
        keys.rotate(found(db)[-1]["key_id"])
        assert len(store.held) == number + 1
    write(db, 2)
    seal(db, keys)
    assert [s["key_id"].partition("-")[0] for s in found(db)] == ["1", "2", "3", "4"]
    assert Verifier(db, keys).verify().verdict is Verdict.INTACT
    del store.held["audit.seal.2"]
    result = Verifier(db, keys).verify()
    assert (result.verdict, result.first_bad_seq) == (Verdict.UNSIGNED, None)
    assert found(db)[1]["key_id"] in result.reason
    store.held["audit.seal.2"] = "somebody else's"
    assert Verifier(db, keys).verify().verdict is Verdict.UNSIGNED


def test_a_machine_without_the_key_does_not_go_on_under_one_of_its_own(
    db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    write(db, 2)
    seal(db, keys_of())
    write(db, 2)
    stranger = MemoryKeys()
    assert seal(db, keys_of(stranger)) == 0
    assert stranger.held == {}
    assert "lacks the key" in caplog.text
    keys_of(stranger).rotate(found(db)[-1]["key_id"])  # by a person, who knows why
    assert seal(db, keys_of(stranger)) == 2
    assert found(db)[-1]["key_id"].startswith("2-")


def test_where_no_key_can_be_kept_the_log_says_so_once(
    db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    write(db, 2)
    sealer = Sealer(db, without_store(), patience=-1)
    assert [sealer.seal(), sealer.seal()] == [0, 0]
    assert caplog.text.count("is not sealed by this process") == 1


FORBIDDEN = [
    "UPDATE audit_seals SET hash = 'x'",
    "UPDATE audit_seals SET last_seq = last_seq + 1, pruned_at = 1",
    "UPDATE audit_seals SET root = 'x'",
    "UPDATE audit_seals SET count = count + 1, pruned_at = 1",
    "DELETE FROM audit_seals",
]


def test_the_database_itself_refuses_to_change_seals(db: Database) -> None:
    write(db, 3)
    seal(db, keys_of())
    before = found(db)
    for sql in FORBIDDEN:
        with pytest.raises(Exception, match="audit_seals is append-only"):
            db.write(lambda tx, sql=sql: tx.execute(sql))  # type: ignore[misc]
    assert found(db) == before


def test_sealed_rows_cannot_be_deleted_either(db: Database) -> None:
    write(db, 3)
    seal(db, keys_of())
    for sql in ("DELETE FROM audit_logs", "DELETE FROM audit_logs WHERE seq = 2"):
        with pytest.raises(Exception, match="audit_logs is append-only"):
            db.write(lambda tx, sql=sql: tx.execute(sql))  # type: ignore[misc]
    assert Verifier(db, keys_of()).verify().rows == 3
