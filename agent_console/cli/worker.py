"""``worker``: a worker alone, in a process that never loads the web side."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType

from agent_console.cli.output import document, note
from agent_console.settings import load_settings

UNHEARD = 0.5  # seconds that a signal may go unheard at the most


def worker() -> None:
    """Run jobs until stopped; prints its stats as JSON. A signal drains, a second one ends."""
    from agent_console.bootstrap import build, keep_what_is_loaded

    stop = threading.Event()

    def on_signal(number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            os._exit(128 + number)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    console = build(load_settings())
    keep_what_is_loaded()
    console.start_worker()
    try:
        document(console.host.stats())
        # Python hears a signal between two of its instructions. One that comes at the edge of a
        # wait, or to another thread, does not end the wait: without a limit it went unheard.
        while not stop.wait(UNHEARD):
            pass
        note("Draining: running jobs get time to finish. Stop again to end at once.")
    finally:
        console.stop()
