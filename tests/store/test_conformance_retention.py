"""Retention: only what is finished, whole, the oldest first, in small commits, counts right."""

from __future__ import annotations

import json
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import SQLModel

from agent_console.domain.access import SYSTEM
from agent_console.domain.clock import MICROSECONDS, to_micros
from agent_console.domain.errors import Conflict, NotFound
from agent_console.domain.jobs import FINISHED, JobStatus, JobVerb, NewJob
from agent_console.domain.retention import Keep, Removed, RetentionPolicy
from agent_console.services.retention import Retention
from agent_console.store import (
    job_deletion,
    job_writes,
    retention,
    tables,  # noqa: F401 - fills the metadata
)
from agent_console.store.database import Database
from agent_console.store.job_writes import Made, RequestKey
from agent_console.store.reads import counts
from agent_console.store.tallies import TOTALS
from agent_console.store.transactions import Tx
from agent_console.testing import FakeClock
from tests.support.factories import ADA, enqueue
from tests.support.finished import DAY, PARTS, counted, make
from tests.support.journals import keys_of

S = JobStatus
NONE = Keep()
MONTH = Keep(seconds=30 * DAY)


def policy(
    completed: Keep = NONE, failed: Keep = NONE, canceled: Keep = NONE, journal: Keep = NONE
) -> RetentionPolicy:
    jobs = {S.COMPLETED: completed, S.FAILED: failed, S.CANCELED: canceled}
    return RetentionPolicy(jobs=jobs, journal=journal)


def run(db: Database, wanted: RetentionPolicy) -> list[Removed]:
    batches: list[Any] = []
    assert Retention(db, wanted, keys_of()).turn(SYSTEM, 60, batches.append)
    return batches


def there(db: Database) -> set[str]:
    with db.read() as reader:
        return {str(row[0]) for row in reader.rows("SELECT id FROM ai_jobs")}


def tallied(db: Database) -> dict[JobStatus, int]:
    with db.read() as reader:
        found = counts.jobs_by_status(reader)
    return {status: found[status] for status in FINISHED}


def test_nothing_that_refers_to_a_job_is_forgotten() -> None:
    """A table that refers to jobs, directly or not, is deleted from, before what it refers to."""
    metadata = SQLModel.metadata.tables
    reached, more = {"ai_jobs"}, True
    while more:
        found = {
            name
            for name, table in metadata.items()
            if any(key.column.table.name in reached for key in table.foreign_keys)
        }
        more = not found <= reached
        reached |= found
    by_cascade = {
        name
        for name in reached
        if all(key.ondelete == "CASCADE" for key in metadata[name].foreign_keys)
        and metadata[name].foreign_keys
    }
    columns = {name for name, table in metadata.items() if "job_id" in table.columns}
    named = columns - {"audit_logs"}  # without a reference that the database holds
    assert reached - by_cascade | named == set(job_deletion.PARTS)
    order = list(job_deletion.PARTS)
    for name in order:
        for key in metadata[name].foreign_keys:
            assert order.index(name) < order.index(key.column.table.name)


STATUSES = st.sampled_from(list(S))
JOB = st.tuples(STATUSES, st.integers(0, 60), st.integers(0, 2))
BOUND = st.builds(
    Keep,
    seconds=st.one_of(st.none(), st.integers(1, 50).map(lambda days: days * DAY)),
    count=st.one_of(st.none(), st.integers(1, 5)),
)


def survivors(
    jobs: list[tuple[JobStatus, float, int]], ids: list[str], wanted: RetentionPolicy
) -> set[str]:
    """Return what the policy, read as a sentence, leaves."""
    left = set(ids)
    for status, keep in wanted.jobs.items():
        mine = [(j[1], i) for j, i in zip(jobs, ids, strict=True) if j[0] is status]
        newest_first = sorted(mine, key=lambda one: (-one[0], one[1]), reverse=True)
        for number, (days, job_id) in enumerate(newest_first):
            old = keep.seconds is not None and days * DAY > keep.seconds
            many = keep.count is not None and number >= keep.count
            if old or many:
                left.discard(job_id)
    return left


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(jobs=st.lists(JOB, max_size=14), bounds=st.tuples(BOUND, BOUND, BOUND))
def test_only_what_is_finished_and_beyond_a_bound_goes_and_it_goes_whole(
    clocked_db: Database,
    fake_clock: FakeClock,
    jobs: list[tuple[JobStatus, float, int]],
    bounds: tuple[Keep, Keep, Keep],
) -> None:
    run(clocked_db, policy(*[Keep(seconds=1)] * 3))  # what the example before has left
    clocked_db.write(wipe)
    fake_clock.advance(DAY + 1)
    ids = make(clocked_db, fake_clock, jobs)
    wanted = policy(*bounds)
    run(clocked_db, wanted)
    left = survivors(jobs, ids, wanted)
    assert there(clocked_db) == left
    sizes = {i: size for i, (_, _, size) in zip(ids, jobs, strict=True)}
    rows = sum(sizes[i] for i in left)
    for name in set(PARTS) - {"idempotency_keys"}:
        assert counted(clocked_db, name) == rows, name
    by_status = Counter(s for (s, _, _), i in zip(jobs, ids, strict=True) if i in left)
    assert tallied(clocked_db) == {s: by_status[s] for s in FINISHED}


def wipe(tx: Any) -> None:
    """Take unfinished jobs away too, so that the next example begins with nothing."""
    tx.execute("UPDATE ai_jobs SET status = 'COMPLETED'")
    ids = [str(row[0]) for row in tx.rows("SELECT id FROM ai_jobs")]
    params = job_deletion._ids(tx, ids)
    for name, of in job_deletion.PARTS.items():
        tx.execute(f"DELETE FROM {name} WHERE {of}", params)
    tx.execute("DELETE FROM tallies")
    tx.execute("DELETE FROM tally_deltas")


def test_a_batch_is_journaled_with_its_counts_and_totals_only_rise(
    clocked_db: Database, fake_clock: FakeClock
) -> None:
    make(clocked_db, fake_clock, [(S.COMPLETED, 40, 1), (S.FAILED, 50, 1), (S.FAILED, 2, 1)])
    with clocked_db.read() as reader:
        total = f"SELECT sum(value) FROM {TOTALS} WHERE name = 'agent_jobs_total'"
        before = reader.row(total)
    run(clocked_db, policy(MONTH, MONTH))
    with clocked_db.read() as reader:
        assert reader.row(total) == before
        (event,) = reader.dicts("SELECT * FROM audit_logs WHERE action = 'retention.deleted'")
    assert (event["actor_kind"], event["actor_name"], event["job_id"]) == ("system", "system", None)
    data = json.loads(event["data"])
    assert data["jobs"] == {"COMPLETED": 1, "FAILED": 1}
    assert data["rows"] == 2 * len(set(PARTS) - {"idempotency_keys", "artifact_texts"}) + 2
    assert data["finishedFrom"] < data["finishedTo"]
    assert tallied(clocked_db) == {S.COMPLETED: 0, S.FAILED: 1, S.CANCELED: 0}


def test_the_least_recently_finished_go_first_and_a_commit_stays_small(
    clocked_db: Database, fake_clock: FakeClock
) -> None:
    jobs = [(S.COMPLETED if n % 2 else S.CANCELED, 100 - n / 10, 5) for n in range(120)]
    ids = make(clocked_db, fake_clock, jobs)
    first = job_deletion.delete_batch(clocked_db, policy(MONTH, NONE, MONTH).jobs, SYSTEM)
    assert first is not None
    left = there(clocked_db)
    gone = [one not in left for one in ids]
    assert gone == sorted(gone, reverse=True)
    batches = [first, *run(clocked_db, policy(MONTH, NONE, MONTH))]
    assert len(batches) > 3
    assert sum(one.total for one in batches) == 120
    assert max(one.rows for one in batches) <= job_deletion.ROWS


def test_a_large_job_goes_whole_and_alone(clocked_db: Database, fake_clock: FakeClock) -> None:
    make(clocked_db, fake_clock, [(S.FAILED, 90, 400), (S.FAILED, 80, 1), (S.FAILED, 70, 1)])
    batches = run(clocked_db, policy(failed=MONTH))
    assert [one.total for one in batches] == [1, 2]
    assert batches[0].rows > job_deletion.ROWS


def test_with_nothing_due_nothing_is_written(
    clocked_db: Database, fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(clocked_db, fake_clock, [(S.COMPLETED, 3, 1), (S.WAITING, 900, 1)])
    monkeypatch.setattr(clocked_db, "write", lambda _work: pytest.fail("a write"))
    wanted = policy(Keep(seconds=5 * DAY, count=1), MONTH, MONTH, journal=MONTH)
    assert run(clocked_db, wanted) == []


def test_a_count_is_kept_though_many_processes_delete_at_once(db: Database) -> None:
    make(db, FakeClock(), [(S.COMPLETED, n, 0) for n in range(300)])
    barrier = threading.Barrier(4)

    def sweep(_: int) -> None:
        sweeper = Retention(db, policy(Keep(count=40)), keys_of())
        barrier.wait()
        for _ in range(10):
            sweeper.turn(SYSTEM, 10)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(sweep, range(4)))
    assert len(there(db)) == tallied(db)[S.COMPLETED] == 40


def test_a_job_that_is_retried_meanwhile_is_not_deleted(
    clocked_db: Database, fake_clock: FakeClock
) -> None:
    kept, gone = make(clocked_db, fake_clock, [(S.FAILED, 90, 1), (S.FAILED, 80, 1)])
    clocked_db.write(lambda tx: job_writes.control(tx, kept, JobVerb.RETRY, ADA))
    run(clocked_db, policy(failed=MONTH))
    assert there(clocked_db) == {kept}
    with pytest.raises(NotFound):
        clocked_db.write(lambda tx: job_writes.control(tx, gone, JobVerb.RETRY, ADA))


def test_a_key_outlives_its_job_by_a_day_and_makes_no_second_one(
    clocked_db: Database, fake_clock: FakeClock
) -> None:
    key = RequestKey(scope="usr_ada enqueue", key="k", digest="d")

    def ask(job_id: str) -> Made:
        return clocked_db.write(
            lambda tx: job_writes.enqueue(
                tx, job_id, NewJob(job_type="noop"), max_attempts=3, actor=ADA, key=key
            )
        )

    ask("job_first")
    clocked_db.write(lambda tx: job_writes.control(tx, "job_first", JobVerb.CANCEL, ADA))
    fake_clock.advance(40 * DAY)
    run(clocked_db, policy(canceled=MONTH))
    assert there(clocked_db) == set()
    fake_clock.advance(DAY - 1)
    run(clocked_db, policy(canceled=MONTH))
    with pytest.raises(Conflict, match="job_first, which was deleted"):
        ask("job_second")
    assert there(clocked_db) == set()
    fake_clock.advance(2)
    run(clocked_db, policy(canceled=MONTH))
    assert ask("job_third").replayed is False


def test_slots_that_made_no_job_go_as_old_as_the_journal_gets(
    clocked_db: Database, fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "FIRES", 2)  # so that one turn is several commits
    columns = ("schedule_id", "slot", "manual", "outcome", "job_id", "fired_at")
    now = to_micros(fake_clock.now())

    def fill(tx: Tx) -> None:
        old, young = now - 31 * DAY * MICROSECONDS, now - 29 * DAY * MICROSECONDS
        rows = [("sch_a", n, 0, "skipped" if n % 2 else "refused", None, old) for n in range(5)]
        rows += [("sch_a", 5, 0, "skipped", None, young), ("sch_a", 6, 0, "fired", "job_6", old)]
        tx.insert("schedule_fires", columns, rows)

    def slots() -> list[int]:
        with clocked_db.read() as reader:
            return [row[0] for row in reader.rows("SELECT slot FROM schedule_fires ORDER BY slot")]

    clocked_db.write(fill)
    run(clocked_db, policy(MONTH, MONTH, MONTH))
    assert slots() == [0, 1, 2, 3, 4, 5, 6]  # the journal is kept for ever
    run(clocked_db, policy(journal=MONTH))
    assert slots() == [5, 6]  # the one with a job goes with it


def test_a_turn_ends_when_its_time_is_up_and_the_next_goes_on(
    clocked_db: Database, fake_clock: FakeClock
) -> None:
    make(clocked_db, fake_clock, [(S.COMPLETED, 90, 3) for _ in range(300)])
    sweeper = Retention(clocked_db, policy(MONTH), keys_of())
    batches: list[Any] = []
    assert sweeper.turn(SYSTEM, 0, batches.append) is False
    assert len(batches) == 1
    while not sweeper.turn(SYSTEM, 0, batches.append):
        assert len(batches) < 50
    assert len(batches) > 3
    assert there(clocked_db) == set()


@pytest.mark.rows_by_hand
def test_a_sweep_with_nothing_left_rests(
    clocked_db: Database, fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(clocked_db, fake_clock, [(S.COMPLETED, 90, 0)])
    sweeper = Retention(clocked_db, policy(MONTH), keys_of())
    sweeper.sweep()
    assert there(clocked_db) == set()
    monkeypatch.setattr(clocked_db, "read", lambda: pytest.fail("a read"))
    sweeper.sweep()


def test_what_is_not_finished_stays_however_old(
    clocked_db: Database, fake_clock: FakeClock
) -> None:
    live = sorted(set(S) - FINISHED)
    ids = make(clocked_db, fake_clock, [(status, 9_000, 1) for status in live])
    ids.append(enqueue(clocked_db))
    run(clocked_db, policy(*[Keep(seconds=60, count=1)] * 3))
    assert there(clocked_db) == set(ids)
