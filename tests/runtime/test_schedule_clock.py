"""When a process looks at the schedules, and that a hosted one fires in time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from agent_console import JobContext, handler
from agent_console.domain.access import local_operator
from agent_console.domain.jobs import JobStatus
from agent_console.domain.schedules import NewSchedule, Rule
from agent_console.runtime.registry import Registry
from agent_console.runtime.schedule_clock import LONGEST, SPACING, ScheduleClock
from agent_console.services.schedules import ScheduleService
from agent_console.store.database import Database
from tests.runtime.hosts import Changes, hosted


@handler("noop")
def noop(_ctx: JobContext) -> str:
    """Do nothing."""
    return "done"


class Book:
    """Plays the database and the scheduler: what is planned, and which calls were asked for."""

    def __init__(self, *waits: float | None) -> None:
        self.waits, self.looks, self.fires = list(waits), 0, 0
        self.calls: list[tuple[str, float]] = []
        self.clock = ScheduleClock(self.fire, self.wait)

    def fire(self) -> int:
        self.fires += 1
        return 1

    def wait(self) -> float | None:
        self.looks += 1
        return self.waits.pop(0)

    def later(self, name: str, _look: Callable[[], object], seconds: float) -> None:
        self.calls.append((name, seconds))


def test_it_asks_to_be_called_at_the_next_slot_and_leaves_the_sweeps_in_peace() -> None:
    book = Book(30.0)
    book.clock.start(book.later)
    book.clock.sweep()
    book.clock.sweep()
    assert (book.looks, book.fires, book.calls) == (1, 0, [("schedules.slot", 30.0)])


def test_without_a_plan_the_database_is_left_alone() -> None:
    book = Book(None, 10 * LONGEST)
    book.clock.start(book.later)
    for _ in range(5):
        book.clock.sweep()
    assert (book.looks, book.calls) == (1, [])
    book.clock.look()
    assert book.calls == []


def test_what_is_due_fires_until_nothing_is() -> None:
    book = Book(0.0, 0.0, 0.0, 12.0)
    book.clock.start(book.later)
    book.clock.look()
    assert (book.fires, book.calls) == (3, [("schedules.slot", 12.0)])


def test_what_only_others_can_fire_is_looked_at_again_soon() -> None:
    book = Book(0.0, 0.0)
    book.clock = ScheduleClock(lambda: 0, book.wait)
    book.clock.start(book.later)
    book.clock.look()
    assert book.calls == [("schedules.slot", SPACING)]


def test_a_burst_of_changes_asks_for_one_look() -> None:
    book = Book(None, None)
    book.clock.changed()  # not started yet
    book.clock.start(book.later)
    book.clock.look()
    for _ in range(100):
        book.clock.changed()
    ((name, seconds),) = book.calls
    assert name == "schedules.change"
    assert 0 < seconds <= SPACING
    book.clock.look()
    book.clock.changed()
    assert len(book.calls) == 2


def test_who_asks_during_a_look_has_another_one_follow() -> None:
    inside, go = threading.Event(), threading.Event()
    looks = []

    def wait() -> None:
        looks.append(1)
        inside.set()
        assert go.wait(10)

    clock = ScheduleClock(lambda: 0, wait)
    first = threading.Thread(target=clock.look)
    first.start()
    assert inside.wait(10)
    clock.look()  # returns at once
    go.set()
    first.join(10)
    assert len(looks) == 2


def test_a_hosted_worker_fires_and_runs_a_schedule_that_another_process_makes(
    db: Database, database_url: str, tmp_path: Path
) -> None:
    changes = Changes(db)
    other = Database(database_url)
    with hosted(db, tmp_path, noop):
        made = ScheduleService(other, Registry([noop])).create(
            local_operator("root"),
            NewSchedule(name="tick", job_type="noop", rule=Rule(interval_seconds=1)),
        )

        def completed() -> int:
            with db.read() as reader:
                return len(
                    reader.rows(
                        "SELECT 1 FROM ai_jobs j JOIN schedule_fires f ON f.job_id = j.id"
                        " WHERE f.schedule_id = :id AND j.status = :done",
                        {"id": made.id, "done": JobStatus.COMPLETED.value},
                    )
                )

        assert changes.until(lambda: completed() >= 2)
    other.close()
    with db.read() as reader:
        late = reader.rows("SELECT max(fired_at - slot) FROM schedule_fires")[0][0]
    assert timedelta(microseconds=late) < timedelta(seconds=5)  # a sweep's distance, at worst
