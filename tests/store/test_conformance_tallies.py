"""What commits add to the tallies: read at once, added up later, never lost or counted twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from agent_console.domain.jobs import JobStatus
from agent_console.store import tallies, tally_deltas
from agent_console.store.claims import claim
from agent_console.store.database import Database
from agent_console.store.finishes import finish
from agent_console.store.reads import counts, series
from agent_console.store.tally_deltas import settle
from agent_console.store.tally_slots import MINUTE, QUARTER, WIDTHS
from agent_console.testing import FakeClock
from tests.support.factories import enqueue_many
from tests.support.runs import end, start_worker

TOTALS = f"SELECT name, labels, sum(value) FROM {tallies.TOTALS} GROUP BY name, labels"


def totals(db: Database) -> dict[tuple[str, str], float]:
    with db.read() as reader:
        return {(name, labels): value for name, labels, value in reader.rows(TOTALS)}


def done(db: Database, count: int) -> None:
    """Enqueue, claim and complete jobs."""
    enqueue_many(db, count)
    finish(db, [end(one.key) for one in claim(db, "w1", count)])


def left(db: Database) -> int:
    with db.read() as reader:
        return int((reader.row("SELECT count(*) FROM tally_deltas") or (0,))[0])


def charts(db: Database) -> list[Any]:
    with db.read() as reader:
        return [series.read(reader, width=width, count=4) for width in WIDTHS]


def test_what_is_read_is_the_same_before_and_after_it_is_added_up(
    clocked_db: Database, fake_clock: FakeClock
) -> None:
    start_worker(clocked_db)
    for _ in range(3):  # in three slots of a minute, and in two of a quarter of an hour
        done(clocked_db, 2)
        fake_clock.advance(8 * MINUTE)
    before, drawn = totals(clocked_db), charts(clocked_db)
    assert before[tallies.JOBS_TOTAL, "COMPLETED"] == 6
    assert drawn[WIDTHS.index(QUARTER)].total(tallies.JOBS_TOTAL, "COMPLETED") == 6
    assert left(clocked_db) > 0
    assert settle(clocked_db) > 0
    assert (left(clocked_db), totals(clocked_db), charts(clocked_db)) == (0, before, drawn)
    # The next ones are added to what is there.
    done(clocked_db, 1)
    settle(clocked_db)
    assert totals(clocked_db)[tallies.JOBS_TOTAL, "COMPLETED"] == 7
    with clocked_db.read() as reader:
        assert counts.jobs_by_status(reader)[JobStatus.COMPLETED] == 7


def test_many_who_add_up_while_others_commit_lose_nothing_and_count_nothing_twice(
    db: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tally_deltas, "TAKE", tally_deltas.TAKE.replace("5000", "7"))
    monkeypatch.setattr(tally_deltas, "BATCH", 7)
    others = [Database(database_url) for _ in range(3)]

    def work(number: int) -> int:
        own = others[number % 3]
        return settle(own) if number % 2 else len(enqueue_many(own, 5))

    with ThreadPoolExecutor(6) as pool:
        made = sum(done for number, done in enumerate(pool.map(work, range(60))) if number % 2 == 0)
    settle(db)
    for other in others:
        other.close()
    assert left(db) == 0
    sums = {(tallies.JOBS_TOTAL, "PENDING"): 150.0, (tallies.JOBS_NOW, "PENDING"): 150.0}
    assert (made, totals(db)) == (150, sums)


def test_a_sweep_with_nothing_to_add_up_writes_nothing(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    enqueue_many(db, 1)
    assert settle(db) == 2
    monkeypatch.setattr(db, "write", None)
    assert settle(db) == 0
