"""Several processes fire the same schedules: every slot makes one job."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from agent_console.domain.errors import Conflict
from agent_console.domain.schedules import CatchUp, FireOutcome, NewSchedule, Rule
from agent_console.runtime.registry import Registry
from agent_console.services.schedule_fires import fire_due
from agent_console.services.schedules import ScheduleService
from agent_console.store import schedules as store
from agent_console.store.database import Database
from agent_console.store.reads import schedules as reads
from agent_console.testing import FakeClock
from tests.runtime.test_schedule_clock import noop
from tests.store.test_conformance_plans import plan
from tests.support.factories import ADA, employ

SCHEDULES, SLOTS, FIRERS = 5, 4, 6


@pytest.mark.parametrize("policy", [CatchUp.LATEST, CatchUp.ALL])
def test_many_processes_fire_each_slot_once(
    clocked_db: Database, database_url: str, fake_clock: FakeClock, policy: CatchUp
) -> None:
    registry = Registry([noop])
    employ(clocked_db, ADA)
    service = ScheduleService(clocked_db, registry)
    rule = Rule(interval_seconds=60)
    for number in range(SCHEDULES):
        service.create(
            ADA, NewSchedule(name=f"s{number}", job_type="noop", rule=rule, catch_up=policy)
        )
    databases = [Database(database_url, clock=fake_clock) for _ in range(FIRERS)]
    barrier = threading.Barrier(FIRERS)

    def firer(database: Database) -> int:
        barrier.wait()
        return sum(fire_due(database, registry) for _ in range(3))

    fired = 0
    with ThreadPoolExecutor(FIRERS) as pool:
        for _ in range(SLOTS):
            fake_clock.advance(timedelta(seconds=60))
            fired += sum(pool.map(firer, databases))
    for database in databases:
        database.close()
    assert fired == SCHEDULES * SLOTS
    with clocked_db.read() as reader:
        jobs = reader.rows("SELECT job_id, schedule_id, slot FROM schedule_fires")
        made = reader.rows("SELECT id FROM ai_jobs")
        told = reader.rows("SELECT job_id FROM audit_logs WHERE action = 'schedule.fired'")
    assert len(jobs) == SCHEDULES * SLOTS
    assert Counter(row[0] for row in jobs) == Counter(row[0] for row in made)
    assert Counter(row[0] for row in told) == Counter(row[0] for row in made)


def test_the_database_itself_refuses_a_second_fire_of_a_slot(clocked_db: Database) -> None:
    made = ScheduleService(clocked_db, Registry([noop])).create(
        ADA, NewSchedule(name="s", job_type="noop", rule=Rule(interval_seconds=60))
    )

    def fire(job_id: str) -> None:
        clocked_db.write(lambda tx: store.note_fire(tx, made, 7, FireOutcome.FIRED, job_id=job_id))

    fire("job_1")
    with pytest.raises(Conflict, match="already"):
        fire("job_2")
    with clocked_db.read() as reader:
        assert reader.rows("SELECT slot, job_id FROM schedule_fires") == [(7, "job_1")]
        assert reads.unfinished(reader, made.id) is False  # there is no such job


HOT = {
    "next slot": (reads.NEXT, {}, "ix_schedules_due"),
    "due": (reads.DUE, {"limit": 50}, "ix_schedules_due"),
    "unfinished": (reads.UNFINISHED, {"id": "sch_7"}, "schedule_fires"),
    "origin": (reads.ORIGIN, {"job_id": "job_7"}, "uq_schedule_fires_job"),
}


@pytest.mark.parametrize("name", HOT)
def test_what_is_asked_again_and_again_uses_its_index(db: Database, name: str) -> None:
    columns = (
        "id", "name", "job_type", "input_data", "task_description", "priority", "time_zone",
        "interval_seconds", "catch_up", "overlap", "declared", "paused", "pause_reason",
        "next_fire_at", "last_problem", "version", "owner_name", "created_at", "updated_at",
    )  # fmt: skip
    rows = [
        (
            f"sch_{n}", f"s{n}", "noop", "{}", "", 5, "UTC", 60, "latest", "allow", 0, int(n > 50),
            "", None if n > 50 else 10**16 + n, "", 1, "Ada", n, n,
        )
        for n in range(2_000)
    ]  # fmt: skip
    fires = [(f"sch_{n % 50}", n, 0, "fired", f"job_{n}", n) for n in range(10_000)]

    def fill(tx: store.Tx) -> None:
        tx.insert("schedules", columns, rows)
        names = ("schedule_id", "slot", "manual", "outcome", "job_id", "fired_at")
        tx.insert("schedule_fires", names, fires)
        if tx.dialect == "postgresql":
            tx.execute("ANALYZE")

    db.write(fill)
    sql, params, index = HOT[name]
    found = plan(db, sql, params)
    assert index in found
    assert "SCAN schedule_fires" not in found.upper().replace("SCAN SCHEDULE_FIRES USING", "")
