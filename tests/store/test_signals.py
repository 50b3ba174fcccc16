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
