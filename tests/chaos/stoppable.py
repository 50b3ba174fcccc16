"""``agent-console worker`` as a child of the fork server: the command itself, in its own group."""

from __future__ import annotations

import logging
import os
import signal
import sys


def run(environment: dict[str, str], log: str) -> None:
    """Run the command until a signal ends it; its exit code is the process's."""
    os.setsid()
    os.environ.update(environment)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    logging.getLogger().handlers.clear()
    from agent_console.cli.worker import worker

    worker()
    sys.stdout.flush()
    os._exit(0)


def run_forked(environment: dict[str, str], log: str, children: int) -> None:
    """Build the console once, as a preloading server does, then fork workers of it."""
    os.setsid()
    os.environ.update(environment)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    from agent_console.bootstrap import build
    from agent_console.settings import load_settings

    console = build(load_settings())
    pids = []
    for _ in range(children):
        pid = os.fork()
        if pid == 0:
            console.start_worker()
            signal.sigwait({signal.SIGTERM})
            console.stop()
            os._exit(0)
        pids.append(pid)
    for pid in pids:
        os.waitpid(pid, 0)
    os._exit(0)
