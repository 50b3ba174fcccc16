"""Children of a process that has imported everything once: each is forked in some milliseconds.

The fork server is the standard library's. It starts no thread and opens no database.
"""

from __future__ import annotations

import multiprocessing
import threading
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerProcess

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.chaos.preloaded"])
# Whoever starts a child asks after all others, and of two that ask how one has ended one finds
# nothing: the library is not made for threads.
_ASKING = threading.Lock()


def start(process: ForkServerProcess) -> None:
    """Start a child; callable from several threads."""
    with _ASKING:
        process.start()


def ended(process: ForkServerProcess, patience: float) -> int | None:
    """Return how a child has ended, None if it has not within ``patience`` seconds."""
    wait([process.sentinel], patience)
    with _ASKING:
        process.join(0)
        return process.exitcode
