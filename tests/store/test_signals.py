"""Word of a commit reaches other processes, whoever wrote it."""

from __future__ import annotations

import threading

from agent_console.domain.events import Event
from agent_console.domain.records import WorkerStatus
from agent_console.store.database import Database
from agent_console.store.liveness import heartbeat
from agent_console.store.signals import Signals
from tests.support.factories import begin, enqueue
from tests.support.runs import introduce

PATIENCE = 3.0  # seconds; the safety poll would take 5


def test_a_process_without_a_listener_is_heard_as_well(database_url: str) -> None:
    """A command of the shell writes and ends; it starts no listener of its own."""
    console, command = Database(database_url), Database(database_url)
    work, change = threading.Event(), threading.Event()
    listening = Signals(console)
    listening.on_work(work.set)
    listening.on_change(change.set)
    Signals(command)
    listening.start()
    try:
        # The first call says that it listens: from here on nothing may be missed.
        assert work.wait(PATIENCE)
        work.clear()
        change.clear()
        command.write(
            lambda tx: tx.record(Event(action="job.created", job_id="job_1", after="PENDING"))
        )
        assert work.wait(PATIENCE)
        assert change.wait(PATIENCE)
    finally:
        listening.stop()
        command.close()
        console.close()


QUIET = """
INSERT INTO idempotency_keys (scope, key, request_digest, subject_id, created_at)
VALUES ('test', :key, 'd', 's', 0)
"""


def test_own_writes_that_nobody_needs_to_hear_of_wake_nobody(database_url: str) -> None:
    """Heartbeats and looks of reviewers would wake every open page several times a second."""
    console, other = Database(database_url), Database(database_url)
    heard: list[str] = []
    there = threading.Semaphore(0)

    def note(what: str) -> None:
        heard.append(what)
        there.release()

    listening = Signals(console)
    listening.on_change(lambda: note("change"))
    Signals(other)
    listening.start()
    try:
        assert there.acquire(timeout=PATIENCE)  # it listens
        for n in range(5):
            console.write(lambda tx, n=n: tx.execute(QUIET, {"key": f"k{n}"}))
        other.write(lambda tx: tx.record(Event(action="user.created", subject_id="usr_1")))
        assert there.acquire(timeout=PATIENCE)
        assert not there.acquire(timeout=0.3)
        assert heard == ["change", "change"]
    finally:
        listening.stop()
        other.close()
        console.close()


def test_a_beat_with_nothing_new_is_for_the_screens_of_its_own_process(database_url: str) -> None:
    """Else each of many workers would have all others look at everything, every few seconds."""
    console, worker = Database(database_url), Database(database_url)
    elsewhere, change, screen = (threading.Semaphore(0) for _ in range(3))
    here, there = Signals(console), Signals(worker)
    here.on_change(elsewhere.release)
    there.on_change(change.release)
    there.on_look(lambda _jobs: screen.release())
    here.start()
    there.start()

    def quiet(heard: threading.Semaphore) -> bool:
        return not heard.acquire(timeout=0.3)

    try:
        introduce(worker, "w1")
        heartbeat(worker, "w1", [], WorkerStatus.RUNNING)
        for heard in (elsewhere, change, screen):
            assert heard.acquire(timeout=PATIENCE)
            while not quiet(heard):  # what else the start and the introduction have to say
                continue
        heartbeat(worker, "w1", [], WorkerStatus.RUNNING, news=False)
        assert screen.acquire(timeout=PATIENCE)
        assert quiet(change)
        # The commit itself is what other processes see of a SQLite file.
        assert quiet(elsewhere) == (console.dialect == "postgresql")
        heartbeat(worker, "w1", [], WorkerStatus.STOPPED)
        assert elsewhere.acquire(timeout=PATIENCE)
    finally:
        here.stop()
        there.stop()
        worker.close()
        console.close()


def test_a_job_that_has_begun_where_it_was_made_is_work_for_nobody(db: Database) -> None:
    heard: list[str] = []
    signals = Signals(db)
    signals.on_work(lambda: heard.append("work"))
    signals.on_change(lambda: heard.append("change"))
    begin(db, "w1")
    assert heard == ["change"]
    enqueue(db)
    assert heard == ["change", "work", "change"]
