"""Workers as children of the fork server, each in a process group of its own."""

from __future__ import annotations

import os
import signal

from agent_console.bootstrap import build
from agent_console.cli.worker import worker
from agent_console.settings import load_settings


def run(environment: dict[str, str], log: str) -> None:
    """Run ``agent-console worker`` until a signal ends it."""
    _set_apart(environment, log)
    worker()
    os._exit(0)


def run_forked(environment: dict[str, str], log: str, children: int) -> None:
    """Build the console once, as a preloading server does, then fork workers of it."""
    _set_apart(environment, log)
    console = build(load_settings())
    # Before there are threads: each inherits that the signal waits for whoever asks for it.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    pids = []
    for _ in range(children):
        pid = os.fork()
        if pid == 0:
            console.start_worker()
            signal.sigwait({signal.SIGTERM})
            console.stop()
            os._exit(0)
        pids.append(pid)
    ends = {os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids}
    os._exit(0 if ends == {0} else 1)


def _set_apart(environment: dict[str, str], log: str) -> None:
    os.setsid()
    os.environ.update(environment)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
