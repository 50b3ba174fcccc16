"""Handlers that misbehave, in processes of their own; and who loads them there."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agent_console import AsyncJobContext, JobContext, RetryPolicy, handler
from agent_console.domain.observer import RunObserver, RunObservers
from agent_console.gateways.workspace import Workspace
from agent_console.runtime.forkserver import Warm
from agent_console.runtime.host import WorkerHost
from agent_console.runtime.processes import Processes
from agent_console.runtime.registry import Registry
from agent_console.settings import Settings
from agent_console.store.database import Database
from agent_console.store.signals import Signals

ONCE = RetryPolicy(max_attempts=1)
AGAIN = RetryPolicy(max_attempts=2, base=0.01, cap=0.02)


def for_ever() -> None:
    """Wait for something that never comes."""
    threading.Event().wait()


def mark(ctx: Any, name: str, text: str = "") -> None:
    """Leave a line in a file of the workspace, where the test looks."""
    with (ctx.workspace.root / name).open("a") as file:
        file.write(f"{text}\n")


@handler("exits", isolation="process", retry=AGAIN)
def exits(ctx: JobContext) -> None:
    ctx.log(f"attempt {ctx.job.attempt} says goodbye")
    os._exit(3)


@handler("segfaults", isolation="process", retry=ONCE)
def segfaults(_ctx: JobContext) -> None:
    ctypes.string_at(0)


@handler("loops", isolation="process", retry=ONCE, timeout=0.3)
def loops(ctx: JobContext) -> None:
    try:
        while True:
            pass
    finally:
        mark(ctx, "finally")


@handler("blocks", isolation="process", retry=ONCE, timeout=0.3)
def blocks(_ctx: JobContext) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    ctypes.CDLL(None).pause()


@handler("hogs", isolation="process", retry=ONCE, memory_limit="64 MB")
def hogs(_ctx: JobContext) -> int:
    return len(bytearray(500_000_000))


@handler("hogs-in-c", isolation="process", retry=ONCE, memory_limit="64 MB")
def hogs_in_c(_ctx: JobContext) -> None:
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    while block := libc.malloc(1_000_000):
        ctypes.memset(block, 1, 1_000_000)
    libc.abort()


@handler("computes", isolation="process", retry=ONCE, memory_limit="1 GB")
def computes(_ctx: JobContext) -> float:
    import numpy as np

    made: list[float] = []

    def work() -> None:
        made.append(float(np.ones((300, 300)).dot(np.ones((300, 300))).sum()))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return sum(made)


@handler("waits", isolation="process", retry=ONCE)
def waits(ctx: JobContext) -> None:
    """Tell where it is, then wait until it is stopped."""
    ctx.progress(0.5, "half-way")
    ctx.preview("being written")
    ctx.log("here I am", pid=os.getpid())
    mark(ctx, "pids", str(os.getpid()))
    try:
        for_ever()
    finally:
        mark(ctx, "finally")


@handler("family", isolation="process", retry=ONCE)
def family(ctx: JobContext) -> str:
    """Leave a child, a daemon and a grandchild behind; wait or return, as told."""
    sleeper = [sys.executable, "-c", "import os, threading; threading.Event().wait()"]
    plain = subprocess.Popen(sleeper)
    away = f"Popen({sleeper!r}, stdout=DEVNULL, start_new_session=True)"
    script = f"from subprocess import DEVNULL, Popen; print({away}.pid)"
    daemon = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, check=True)
    mark(ctx, "pids", f"{plain.pid}\n{daemon.stdout.decode().strip()}")
    ctx.info("Born")
    if ctx.input.get("wait"):
        for_ever()
    return "left"


@handler("reviewed", isolation="process", retry=ONCE)
def reviewed(ctx: JobContext) -> dict[str, Any]:
    built = ctx.step("build", lambda: mark(ctx, "built", ctx.idempotency_key))
    name = ctx.artifact("plan.txt", "the plan")
    decision = ctx.approve("May I?", data={"plan": name}, action="apply")
    ctx.step("apply", lambda: mark(ctx, "applied", ctx.idempotency_key))
    return {"by": decision.approved_by, "built": built}


@handler("awaits", isolation="process", retry=ONCE, timeout=20)
async def awaits(ctx: AsyncJobContext) -> str:
    await ctx.step("build", lambda: mark(ctx, "built"))
    if ctx.input.get("wait"):
        import asyncio

        mark(ctx, "pids", str(os.getpid()))
        await asyncio.Event().wait()
    return f"in {os.getpid()}"


@handler("dawdles", isolation="process", retry=ONCE)
def dawdles(ctx: JobContext) -> None:
    """Go on after its time: wait for a file, then try to write."""
    gate = ctx.workspace.root / "gate"
    mark(ctx, "pids", str(os.getpid()))
    gate.open().close()  # a named pipe: opens when the other side is
    try:
        ctx.step("late", lambda: "done")
    finally:
        mark(ctx, "tried")


@handler("draws", isolation="process", retry=ONCE)
def draws(_ctx: JobContext) -> list[float]:
    import random

    import numpy as np

    return [random.random(), float(np.random.random())]


@handler("fails", isolation="process", retry=ONCE)
def fails(ctx: JobContext) -> None:
    ctx.log("trying")
    ctx.info("Trying")
    ctx.step("divide", lambda: 1 // 0)


@handler("plain")
def plain(_ctx: JobContext) -> int:
    return os.getpid()


@handler("kills-server", isolation="process", retry=ONCE)
def kills_server(_ctx: JobContext) -> None:
    os.kill(os.getppid(), signal.SIGKILL)
    for_ever()


ALL = [
    exits, segfaults, loops, blocks, hogs, hogs_in_c, computes, waits, family, reviewed, awaits,
    dawdles, draws, fails, plain, kills_server,
]  # fmt: skip


def warm(settings: Settings) -> Warm:
    """Load these, in the fork server."""
    import numpy as np

    np.random.random()
    return Warm(settings=settings, registry=Registry(ALL), observers=RunObservers())


class SharedProcesses(Processes):
    """One fork server for all tests of a session: its start takes most of a second."""

    def __init__(self) -> None:
        super().__init__(Settings(), f"tests.runtime.isolated:{warm.__name__}")

    def close(self) -> None:
        """Leave it to the end of the session."""

    def end(self) -> None:
        super().close()

    def warm_up(self) -> None:
        """Return once the server is there; loading takes seconds on a busy machine."""
        child = self.start()
        os.read(child.status, 100)
        child.close()


@contextmanager
def hosted(
    db: Database,
    folder: Path,
    processes: Processes,
    observers: RunObserver | None = None,
    **settings: Any,
) -> Iterator[WorkerHost]:
    """Yield a started host with all of these handlers."""
    signals = Signals(db)
    signals.start()
    workspace = Workspace(folder / "workspace")
    workspace.root.mkdir(exist_ok=True)
    config = Settings(data_dir=folder, max_concurrent_jobs=12, **settings)
    host = WorkerHost(
        db, Registry(ALL), config, signals, workspace, observers=observers, processes=processes
    )
    host.start()
    try:
        yield host
    finally:
        host.stop(0)
        signals.stop()


def main(url: str, folder: str) -> None:
    """Be a worker that somebody kills."""
    db, processes = Database(url), SharedProcesses()
    with hosted(db, Path(folder), processes):
        for_ever()


if __name__ == "__main__":
    main(*sys.argv[1:])
