"""Pruning: only behind seals, never what living jobs tell, and the rest stays proven."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from agent_console.domain.access import SYSTEM
from agent_console.domain.jobs import JobStatus, JobVerb
from agent_console.domain.retention import Keep, Pruned, RetentionPolicy
from agent_console.domain.verification import Verdict
from agent_console.services.retention import Retention
from agent_console.services.seal_keys import SealKeys
from agent_console.services.verification import Verifier
from agent_console.store import job_writes, seal_pruning, seals
from agent_console.store.database import Database
from agent_console.store.reads import journal
from agent_console.testing import FakeClock
from tests.support.factories import ADA, enqueue
from tests.support.finished import DAY
from tests.support.journals import MemoryKeys, keys_of, seal, tamper, write

YEAR = 400 * DAY
POLICY = RetentionPolicy(jobs={JobStatus.COMPLETED: Keep()}, journal=Keep(seconds=YEAR))


def run(db: Database, keys: SealKeys) -> list[Pruned]:
    batches: list[Any] = []
    assert Retention(db, POLICY, keys).turn(SYSTEM, 60, batches.append)
    return batches


def sequences(db: Database) -> list[int]:
    with db.read() as reader:
        return [int(row[0]) for row in reader.rows("SELECT seq FROM audit_logs ORDER BY seq")]


def numbers(db: Database) -> list[tuple[int, int, int]]:
    with db.read() as reader:
        rows = reader.rows("SELECT number, count, anchor FROM audit_seals ORDER BY number")
    return [(number, count, anchor) for number, count, anchor in rows]


@pytest.fixture
def keys() -> SealKeys:
    return keys_of()


@pytest.fixture
def aged(clocked_db: Database, fake_clock: FakeClock, keys: SealKeys) -> Database:
    """Return a journal of 30 sealed rows that are too old, and 10 sealed and 5 others since."""
    write(clocked_db, 30)
    seal(clocked_db, keys, batch=10)
    fake_clock.advance(YEAR + 1)
    write(clocked_db, 10)
    seal(clocked_db, keys)
    write(clocked_db, 5)
    return clocked_db


def test_what_is_too_old_goes_and_an_anchor_stays(aged: Database, keys: SealKeys) -> None:
    (batch,) = run(aged, keys)
    assert (batch.rows, batch.kept, batch.last_seq) == (30, 0, 30)
    assert sequences(aged) == list(range(31, 47))  # the newest one tells of this
    assert numbers(aged) == [(3, 0, 1), (4, 10, 0)]
    with aged.read() as reader:
        (event,) = reader.dicts("SELECT * FROM audit_logs WHERE action = 'audit.pruned'")
    assert json.loads(event["data"]) == {
        "rows": 30, "kept": 0, "fromSeal": 1, "toSeal": 3, "lastSeq": 30,
    }  # fmt: skip
    found = Verifier(aged, keys).verify()
    assert (found.verdict, found.rows, found.anchor_seq, found.unsealed) == (
        Verdict.INTACT, 10, 30, 6,
    )  # fmt: skip
    assert run(aged, keys) == []


def test_the_rest_is_proven_as_before(aged: Database, keys: SealKeys) -> None:
    run(aged, keys)
    tamper(aged, "UPDATE audit_logs SET data = '{}' WHERE seq = 35")
    assert Verifier(aged, keys).verify().first_bad_seq == 35


def test_a_row_that_comes_back_behind_the_anchor_is_found(aged: Database, keys: SealKeys) -> None:
    run(aged, keys)
    names = ", ".join(name for name in seals.ROW if name != "seq")
    tamper(aged, f"INSERT INTO audit_logs (seq, {names}) SELECT 12, {names} FROM audit_logs"
           " WHERE seq = 31")  # fmt: skip
    found = Verifier(aged, keys).verify()
    assert (found.verdict, found.first_bad_seq) == (Verdict.BROKEN, 12)


def test_what_is_not_sealed_is_not_pruned(
    clocked_db: Database, fake_clock: FakeClock, keys: SealKeys
) -> None:
    write(clocked_db, 5)
    seal(clocked_db, keys)
    write(clocked_db, 5)
    fake_clock.advance(2 * YEAR)
    run(clocked_db, keys)
    assert sequences(clocked_db) == [6, 7, 8, 9, 10, 11]


def test_a_living_job_keeps_its_journal_until_it_is_finished(
    clocked_db: Database, fake_clock: FakeClock, keys: SealKeys
) -> None:
    done, living = enqueue(clocked_db), enqueue(clocked_db)
    clocked_db.write(lambda tx: job_writes.control(tx, done, JobVerb.CANCEL, ADA))
    clocked_db.write(lambda tx: job_writes.control(tx, living, JobVerb.PAUSE, ADA))
    write(clocked_db, 3)
    seal(clocked_db, keys)
    write(clocked_db, 3)
    seal(clocked_db, keys)
    fake_clock.advance(YEAR + 1)
    (batch,) = run(clocked_db, keys)
    assert (batch.rows, batch.kept) == (8, 2)
    assert sequences(clocked_db) == [2, 4, 11]
    assert numbers(clocked_db) == [(1, 2, 0), (2, 0, 0)]
    with clocked_db.read() as reader:
        told = [entry.action for entry in journal.timeline(reader, living)]
        assert told == ["job.created", "job.paused"]
        assert journal.timeline(reader, done) == []
    found = Verifier(clocked_db, keys).verify()
    assert (found.verdict, found.rows, found.anchor_seq) == (Verdict.INTACT, 2, None)
    assert run(clocked_db, keys) == []

    tamper(clocked_db, "UPDATE audit_logs SET actor_name = 'Eve' WHERE seq = 4")
    assert Verifier(clocked_db, keys).verify().first_bad_seq == 4
    tamper(clocked_db, "UPDATE audit_logs SET actor_name = 'Ada' WHERE seq = 4")

    clocked_db.write(lambda tx: job_writes.control(tx, living, JobVerb.CANCEL, ADA))
    (batch,) = run(clocked_db, keys)
    assert (batch.rows, batch.kept) == (2, 0)
    assert numbers(clocked_db) == [(2, 0, 1)]
    found = Verifier(clocked_db, keys).verify()
    assert (found.verdict, found.anchor_seq, found.unsealed) == (Verdict.INTACT, 10, 3)


def test_what_was_tampered_with_is_not_pruned_away(
    aged: Database, keys: SealKeys, caplog: pytest.LogCaptureFixture
) -> None:
    tamper(aged, "UPDATE audit_logs SET data = '{}' WHERE seq = 15")
    before = sequences(aged)
    assert run(aged, keys) == []
    assert sequences(aged) == before
    assert "row 15: row was changed" in caplog.text
    assert Verifier(aged, keys).verify().first_bad_seq == 15


def test_a_seal_of_nobody_is_no_licence_to_prune(aged: Database, keys: SealKeys) -> None:
    tamper(aged, "UPDATE audit_seals SET mac = '00' WHERE number = 1")
    assert run(aged, keys) == []
    assert len(sequences(aged)) == 45


def test_without_the_key_nothing_is_pruned(aged: Database) -> None:
    stranger = MemoryKeys()
    assert run(aged, keys_of(stranger)) == []
    assert stranger.held == {}
    assert len(sequences(aged)) == 45


def test_for_ever_is_for_ever(aged: Database, keys: SealKeys) -> None:
    kept = RetentionPolicy(jobs={}, journal=Keep())
    assert Retention(aged, kept, keys).turn(SYSTEM, 60)
    assert len(sequences(aged)) == 45


def test_an_exported_head_holds_across_pruning(aged: Database, keys: SealKeys) -> None:
    from agent_console.domain.seals import head_of

    key = keys.newest()
    assert key is not None
    with aged.read() as reader:
        made = [seals.following(reader, number) for number in range(4)]
    heads = [head_of(one, key.id, key.value) for one in made if one is not None]
    run(aged, keys)
    verifier = Verifier(aged, keys)
    assert [verifier.verify(head=head).verdict for head in heads] == [Verdict.INTACT] * 4


REFUSED: Sequence[str] = [
    "DELETE FROM audit_logs WHERE seq = 31",
    "DELETE FROM audit_logs WHERE seq <= 31",
    "DELETE FROM audit_logs WHERE seq = 45",
    "DELETE FROM audit_logs",
    "UPDATE audit_logs SET data = '{}' WHERE seq = 31",
    "UPDATE audit_logs SET seq = 1 WHERE seq = 31",
]


def test_after_pruning_every_other_delete_is_still_refused(aged: Database, keys: SealKeys) -> None:
    run(aged, keys)
    before = sequences(aged)
    for sql in REFUSED:
        with pytest.raises(Exception, match="audit_logs is append-only"):
            aged.write(lambda tx, sql=sql: tx.execute(sql))  # type: ignore[misc]
    for number in (3, 4):  # the anchor, and a seal after it
        params: dict[str, object] = {"number": number}
        with pytest.raises(Exception, match="audit_seals is append-only"):
            aged.write(
                lambda tx, params=params: tx.execute(  # type: ignore[misc]
                    "DELETE FROM audit_seals WHERE number = :number", params
                )
            )
    assert sequences(aged) == before


def test_rows_that_a_pruned_seal_still_lists_are_refused_too(
    clocked_db: Database, fake_clock: FakeClock, keys: SealKeys
) -> None:
    enqueue(clocked_db)
    write(clocked_db, 9)
    seal(clocked_db, keys)
    fake_clock.advance(YEAR + 1)
    run(clocked_db, keys)
    assert sequences(clocked_db) == [1, 11]
    with pytest.raises(Exception, match="audit_logs is append-only"):
        clocked_db.write(lambda tx: tx.execute("DELETE FROM audit_logs WHERE seq = 1"))


def test_a_batch_takes_many_small_seals_and_only_one_large_one(
    clocked_db: Database, fake_clock: FakeClock, keys: SealKeys
) -> None:
    write(clocked_db, 2_500)
    seal(clocked_db, keys, batch=300)
    fake_clock.advance(YEAR + 1)
    batches = run(clocked_db, keys)
    assert [one.rows for one in batches] == [900, 900, 700]
    assert max(one.rows for one in batches) <= seal_pruning.ROWS
