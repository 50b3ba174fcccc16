"""Limits of job types: never more than allowed, whoever claims, and nothing left behind."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from time import monotonic

import pytest

from agent_console.domain.jobs import JobVerb
from agent_console.domain.limits import Caps
from agent_console.store import admission, job_writes
from agent_console.store.claims import claim, give_back, next_due
from agent_console.store.database import Database
from agent_console.store.engine_values import Claimed
from agent_console.store.finishes import finish
from agent_console.store.liveness import rescue
from agent_console.store.runs import suspend
from agent_console.store.waits import sleep
from agent_console.testing import FakeClock
from tests.support.factories import ADA, begin, enqueue, enqueue_many
from tests.support.limits import complete, declare, service, taken
from tests.support.runs import checkpoint, claim_one, decide, end, row, start_worker, step


def ids(claimed: list[Claimed]) -> list[str]:
    return [one.key.job_id for one in claimed]


def gates(db: Database) -> Counter[int]:
    with db.read() as reader:
        return Counter(
            dict(
                reader.rows(
                    "SELECT gate, count(*) FROM ai_jobs"
                    " WHERE status IN ('PENDING', 'QUEUED') GROUP BY gate"
                )
            )
        )


def test_no_more_run_at_once_than_the_type_allows(db: Database) -> None:
    declare(db, "noop", Caps(running=2))
    wanted = enqueue_many(db, 5)
    free = enqueue(db, "free")
    first = taken(db)
    assert ids(first) == [wanted[0], wanted[1], free]
    assert taken(db) == []
    assert next_due(db) is None  # no time will do: a run has to end
    complete(db, first[0])
    assert next_due(db) == 0.0
    assert ids(taken(db)) == [wanted[2]]


def test_a_higher_priority_is_let_in_first_among_all_types(db: Database) -> None:
    declare(db, "noop", Caps(running=2))
    low, high = enqueue(db, priority=1), enqueue(db, priority=9)
    middle = enqueue(db, "free", priority=5)
    assert ids(taken(db, 2)) == [high, middle]
    assert gates(db) == {1: 1}  # what was let in and not taken is held again
    assert ids(taken(db)) == [low]


def test_a_job_that_waits_sleeps_or_retries_takes_no_place(db: Database) -> None:
    declare(db, "noop", Caps(running=1))
    waiting, sleeping, failing, last = enqueue_many(db, 4)
    one = claim_one(db)
    checkpoint_id = suspend(db, one.key, checkpoint())
    two = claim_one(db)
    assert two.key.job_id == sleeping
    sleep(db, two.key, step(), 3600, job_type="noop")
    three = claim_one(db)
    assert three.key.job_id == failing
    finish(db, [end(three.key, JobVerb.RETRY_LATER, delay=3600.0)])
    assert claim_one(db).key.job_id == last
    decide(db, checkpoint_id)
    assert taken(db) == []  # a job that comes back is let in like any other
    assert row(db, waiting)["gate"] == 1


def test_a_released_or_rescued_job_gives_its_place_back(db: Database) -> None:
    start_worker(db)
    declare(db, "noop", Caps(running=1))
    first, _ = enqueue_many(db, 2)
    give_back(db, [claim_one(db).key])
    assert claim_one(db).key.job_id == first
    assert taken(db) == []
    assert rescue(db, 3600, 3, known_dead=["w1"]) == 1
    assert claim_one(db, "w2").key.job_id == first


def test_each_key_has_its_own_limit_and_no_key_has_none(db: Database) -> None:
    declare(db, "noop", Caps(per_key=1))
    a1, a2 = enqueue_many(db, 2, lane="a")
    b1 = enqueue(db, lane="b")
    free = enqueue_many(db, 2)
    first = taken(db)
    assert ids(first) == [a1, b1, *free]
    assert next_due(db) is None
    complete(db, first[1])
    assert taken(db) == []
    complete(db, first[0])
    assert ids(taken(db)) == [a2]


def test_a_long_lane_is_put_aside_once_and_comes_back_in_order(db: Database) -> None:
    declare(db, "noop", Caps(per_key=1))
    lane = enqueue_many(db, 60, lane="a")
    others = [enqueue(db, lane=f"b{n}") for n in range(3)]
    assert ids(taken(db, 4)) == [lane[0], *others]
    assert gates(db) == {1: 1, 3: 58}
    urgent = enqueue(db, lane="a", priority=9)
    running = lane[0]
    for expected in (urgent, *lane[1:6]):
        cancel(db, running)
        assert ids(taken(db, 4)) == [expected]
        running = expected


def cancel(db: Database, job_id: str) -> None:
    db.write(lambda tx: job_writes.control(tx, job_id, JobVerb.CANCEL, ADA))


def test_when_the_first_of_a_lane_leaves_the_queue_the_next_takes_its_place(db: Database) -> None:
    declare(db, "noop", Caps(per_key=1))
    lane = enqueue_many(db, 30, lane="a")
    assert ids(taken(db, 2)) == [lane[0]]
    assert gates(db) == {1: 1, 3: 28}
    cancel(db, lane[1])
    assert gates(db) == {1: 1, 3: 27}
    cancel(db, lane[0])
    assert ids(taken(db)) == [lane[2]]


def test_a_lane_of_which_nothing_is_in_view_is_found_again(db: Database) -> None:
    declare(db, "noop", Caps(per_key=1))
    lane = enqueue_many(db, 30, lane="a")
    first = taken(db, 2)
    db.write(lambda tx: admission.move(tx, [lane[1]], 1, 3))  # as if two processes had collided
    complete(db, *first)
    assert taken(db) == []
    assert admission.mend(db) == 1
    assert ids(taken(db)) == [lane[1]]


def test_as_many_start_as_the_rate_allows(clocked_db: Database, fake_clock: FakeClock) -> None:
    db = clocked_db
    declare(db, "noop", Caps(starts=3, per=60.0))
    wanted = enqueue_many(db, 6)
    complete(db, *(first := taken(db)))
    assert ids(first) == wanted[:3]
    assert taken(db) == []
    assert next_due(db) == 20.0
    fake_clock.advance(timedelta(seconds=20) - timedelta(microseconds=1))
    assert taken(db) == []
    fake_clock.advance(timedelta(microseconds=1))
    assert next_due(db) == 0.0
    assert ids(taken(db)) == [wanted[3]]
    fake_clock.advance(timedelta(seconds=3600))
    assert ids(taken(db)) == wanted[4:]


def test_what_the_claim_did_not_take_uses_up_no_start(clocked_db: Database) -> None:
    declare(clocked_db, "noop", Caps(starts=2, per=60.0))
    low = enqueue_many(clocked_db, 2, priority=1)
    enqueue(clocked_db, "free", priority=5)
    assert len(taken(clocked_db, 1)) == 1
    assert ids(taken(clocked_db)) == low


def test_a_paused_type_starts_nothing_until_it_is_resumed(db: Database) -> None:
    before = enqueue(db)
    waiting = claim_one(db)
    checkpoint_id = suspend(db, waiting.key, checkpoint())
    types = service(db)
    state = types.pause(ADA, "noop", "supplier down")
    assert (state.pause and state.pause.reason) == "supplier down"
    after = enqueue(db)
    decide(db, checkpoint_id)
    assert taken(db) == []
    assert next_due(db) is None
    assert types.get(ADA, "noop").held == 2
    types.resume(ADA, "noop")
    assert sorted(ids(taken(db))) == sorted([before, after])
    assert gates(db) == {}


def test_a_limit_holds_for_what_is_queued_and_running_already(db: Database) -> None:
    wanted = enqueue_many(db, 4)
    running = taken(db, 1)
    service(db).limit(ADA, "noop", Caps(running=2))
    more = taken(db)
    assert ids(more) == [wanted[1]]
    complete(db, *running, *more)
    assert len(taken(db)) == 2
    service(db).limit(ADA, "noop", Caps())
    assert gates(db) == {}


def test_lifted_limits_free_what_they_held(db: Database) -> None:
    declare(db, "noop", Caps(per_key=1))
    enqueue_many(db, 40, lane="a")
    assert len(taken(db, 2)) == 1
    service(db).limit(ADA, "noop", Caps(per_key=0))
    assert len(taken(db, 100)) == 39
    assert gates(db) == {}


def test_a_key_limit_that_was_replaced_lets_the_whole_lane_in(db: Database) -> None:
    declare(db, "noop", Caps(per_key=1))
    lane = enqueue_many(db, 40, lane="a")
    assert len(taken(db, 2)) == 1
    service(db).limit(ADA, "noop", Caps(per_key=0, running=5))
    assert ids(taken(db)) == lane[1:5]


def test_declared_limits_follow_the_code(db: Database) -> None:
    enqueue_many(db, 3)
    declare(db, "noop", Caps(running=1))
    assert len(taken(db)) == 1
    declare(db, "noop", Caps(running=1), "wrk_again")
    with db.read() as reader:
        entries = reader.rows("SELECT action FROM audit_logs WHERE action LIKE 'job_type.%'")
    assert entries == [("job_type.declared",)]  # what did not change is not written again
    declare(db, "noop", Caps(), "wrk_newer")
    assert len(taken(db)) == 2


def test_what_was_enqueued_while_the_limit_came_is_found(db: Database) -> None:
    declare(db, "noop", Caps(running=1))
    job_id = enqueue(db)
    # As an enqueue leaves it that read the type's row before the change and committed after it.
    db.write(lambda tx: tx.execute("UPDATE ai_jobs SET gate = 0 WHERE id = :id", {"id": job_id}))
    assert taken(db) == []
    assert next_due(db) is None
    assert admission.mend(db) == 1
    assert ids(taken(db)) == [job_id]
    assert admission.mend(db) == 0


def test_types_that_others_know_are_left_closed(db: Database) -> None:
    declare(db, "noop", Caps(running=1))
    enqueue(db)
    assert claim(db, "w1", 5, others=["noop"]) == []
    assert next_due(db, others=["noop"]) is None
    assert claim(db, "w1", 5, admit=0) == []
    assert len(claim(db, "w1", 5)) == 1


class Crowd:
    """Eight claimers on ``count`` databases, until ``jobs`` have been run; how many ran at once."""

    def __init__(self, url: str, count: int, jobs: int, kind: Callable[[Claimed], str]) -> None:
        self._databases = [Database(url) for _ in range(count)]
        self._left, self._kind = jobs, kind
        self._lock = threading.Lock()
        self._now: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self._pause = threading.Event()

    def run(self) -> None:
        with ThreadPoolExecutor(8) as pool:
            for done in [pool.submit(self._work, n) for n in range(8)]:
                done.result()
        for database in self._databases:
            database.close()

    def _work(self, number: int) -> None:
        db = self._databases[number % len(self._databases)]
        deadline = monotonic() + 60
        while self._left > 0 and monotonic() < deadline:
            batch = claim(db, f"w{number}", 2)
            with self._lock:
                self._now.update(self._kind(one) for one in batch)
                self.most |= self._now
            if not batch:
                self._pause.wait(0.005)
                continue
            self._pause.wait(0.01)
            with self._lock:
                self._now.subtract(self._kind(one) for one in batch)
                self._left -= len(batch)
            complete(db, *batch)
        assert self._left <= 0


@pytest.mark.parametrize("processes", [1, 4])
def test_eight_claimers_together_stay_within_the_limit(
    db: Database, database_url: str, processes: int
) -> None:
    declare(db, "noop", Caps(running=3))
    enqueue_many(db, 60)
    crowd = Crowd(database_url, processes, 60, lambda one: one.job_type)
    crowd.run()
    assert 1 < crowd.most["noop"] <= 3
    with db.read() as reader:
        assert reader.rows("SELECT DISTINCT status, attempts FROM ai_jobs") == [("COMPLETED", 1)]


def test_eight_claimers_together_stay_within_the_limit_of_each_key(
    db: Database, database_url: str
) -> None:
    declare(db, "noop", Caps(running=5, per_key=2))
    lanes = {job_id: lane for lane in "abcd" for job_id in enqueue_many(db, 15, lane=lane)}
    crowd = Crowd(database_url, 4, 60, lambda one: lanes[one.key.job_id])
    crowd.run()
    assert set(crowd.most) == set("abcd")
    assert max(crowd.most.values()) == 2
    with db.read() as reader:
        assert reader.rows("SELECT DISTINCT status FROM ai_jobs") == [("COMPLETED",)]


def test_nothing_starts_after_a_pause_has_returned_whatever_races(
    db: Database, database_url: str
) -> None:
    """Claimers, and who makes jobs, go on all the while; the journal says what started when."""
    databases = [Database(database_url) for _ in range(4)]
    over = threading.Event()

    def claimer(number: int) -> None:
        while not over.is_set():
            complete(databases[number], *claim(databases[number], f"w{number}", 2))

    def enqueuer(number: int) -> None:
        while not over.is_set():
            enqueue(databases[number])

    def beginner(number: int) -> None:
        while not over.is_set():
            begun = begin(databases[number], f"w{number}")
            complete(databases[number], *([] if begun is None else [begun]))

    def started() -> int:
        with db.read() as reader:
            found = reader.row("SELECT count(*) FROM audit_logs WHERE action = 'job.started'")
        return 0 if found is None else int(found[0])

    types = service(db)
    with ThreadPoolExecutor(7) as pool:
        work = [pool.submit(claimer, n) for n in range(4)]
        work += [pool.submit(enqueuer, 0), pool.submit(beginner, 1), pool.submit(beginner, 2)]
        try:
            for _ in range(4):
                types.pause(ADA, "noop")
                at_once = started()
                threading.Event().wait(0.1)
                assert started() == at_once
                types.resume(ADA, "noop")
                threading.Event().wait(0.05)
                assert started() > at_once
        finally:
            over.set()
        for one in work:
            one.result()
    for database in databases:
        database.close()
