"""The one look tells every sweep whether there is something to do, and nothing else."""

from __future__ import annotations

from datetime import timedelta

from agent_console.domain.jobs import JobVerb
from agent_console.domain.parking import ParkCode
from agent_console.domain.records import WorkerStatus
from agent_console.domain.seals import GENESIS, cover
from agent_console.store import chores, parking, previews, seals, tally_deltas
from agent_console.store.database import Database
from agent_console.store.deadlines import expire_due
from agent_console.store.finishes import finish
from agent_console.store.liveness import heartbeat, rescue
from agent_console.testing import FakeClock
from tests.support.factories import enqueue
from tests.support.runs import claim_one, end, introduce, start_worker, waiting_many

TIMEOUT = 15.0


def waiting(db: Database, own: str = "") -> set[str]:
    """Return what there is to do; what every commit leaves has tests of its own."""
    return {*chores.waiting(db, timeout=TIMEOUT, own=own)} - {"tallies", "sealing"}


def test_a_new_house_has_nothing_to_do(db: Database) -> None:
    assert chores.waiting(db, timeout=TIMEOUT, own="") == frozenset()


def test_a_silent_worker_is_to_be_buried_unless_it_is_ones_own(
    clocked_db: Database, fake_clock: FakeClock
) -> None:
    start_worker(clocked_db)
    fake_clock.advance(TIMEOUT)
    assert waiting(clocked_db) == set()
    fake_clock.advance(timedelta(microseconds=1))
    assert waiting(clocked_db) == {"rescue"}
    assert waiting(clocked_db, own="w1") == set()
    rescue(clocked_db, TIMEOUT, 5)
    assert waiting(clocked_db) == set()


def test_a_job_of_nobody_is_to_be_rescued(db: Database) -> None:
    enqueue(db)
    claim_one(db, "w9")  # which never introduced itself
    assert waiting(db) == {"rescue"}
    rescue(db, TIMEOUT, 5)
    assert waiting(db) == set()


def test_an_overdue_checkpoint_is_to_expire(clocked_db: Database, fake_clock: FakeClock) -> None:
    start_worker(clocked_db)
    waiting_many(clocked_db, 1, expires_in=timedelta(seconds=5))
    assert waiting(clocked_db) == set()
    fake_clock.advance(5)
    assert waiting(clocked_db) == {"expiry"}
    assert expire_due(clocked_db) == 1
    assert waiting(clocked_db) == set()


def test_a_job_that_nobody_knew_is_to_be_looked_at_as_long_as_it_is_parked(db: Database) -> None:
    start_worker(db)
    job_id = enqueue(db)
    key = claim_one(db).key
    finish(db, [end(key, JobVerb.PARK, park_reason="?", park_code=ParkCode.NO_HANDLER)])
    assert waiting(db) == {"parked"}
    introduce(db, "w2", "noop")
    heartbeat(db, "w2", [], WorkerStatus.RUNNING)
    assert waiting(db) == set()
    assert parking.sweep(db) == 0
    assert claim_one(db, "w2").key.job_id == job_id


def test_a_live_text_is_left_over_once_its_run_has_ended(db: Database) -> None:
    start_worker(db)
    enqueue(db)
    key = claim_one(db).key
    previews.show(db, key, "half a sentence")
    assert waiting(db) == set()
    finish(db, [end(key)])
    assert waiting(db) == {"previews"}
    previews.sweep(db)
    assert waiting(db) == set()


def test_every_commit_leaves_figures_to_add_up_and_journal_to_seal(db: Database) -> None:
    enqueue(db)
    assert chores.waiting(db, timeout=TIMEOUT, own="") == {"tallies", "sealing"}
    tally_deltas.settle(db)
    assert chores.waiting(db, timeout=TIMEOUT, own="") == {"sealing"}
    with db.read() as reader:
        standing = seals.standing(reader)
        found = list(seals.hashes(reader, after=0, upto=standing.newest, most=10))
    seal = cover(
        [(seq, each) for seq, _, each in found],
        number=1,
        newest_at=max(at for _, at, _ in found),
        sealed_at=standing.now,
        previous=GENESIS,
    )
    db.write(lambda tx: seals.insert(tx, seal))
    assert chores.waiting(db, timeout=TIMEOUT, own="") == frozenset()
