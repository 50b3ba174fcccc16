"""A worker of the command line, told to stop in the one way that does not interrupt its wait."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.databases import SqliteFiles

ROOT = Path(__file__).resolve().parents[2]
# The kernel may hand a signal to any thread: then Python hears it, and the main thread sleeps on.
CODE = """
import signal, threading
from agent_console.cli import worker as command

waits = threading.Event()
command.document = lambda stats: waits.set()

def tell():
    waits.wait()
    threading.Event().wait(0.3)  # the main thread waits by now; nothing tells of that
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

threading.Thread(target=tell, daemon=True).start()
command.worker()
"""


def test_a_signal_that_another_thread_gets_stops_it(
    sqlite_files: SqliteFiles, tmp_path: Path
) -> None:
    with sqlite_files.database(tmp_path) as url:
        environment = {**os.environ, "DATABASE_URL": url}
        done = subprocess.run(
            [sys.executable, "-c", CODE],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Draining" in done.stderr
