"""Word of a commit reaches other processes, whoever wrote it."""

from __future__ import annotations

import threading

from agent_console.domain.events import Event
from agent_console.store.database import Database
from agent_console.store.signals import Signals

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
