"""Workers that are stopped in the middle of a job and wake up when it is somebody else's.

The child runs the same handler as the living worker. It stops before (or in) its one write, says
so, and waits for the word to go on, which comes after it was stopped, buried and continued.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from agent_console import JobContext, RetryPolicy, handler
from agent_console.gateways.workspace import Workspace
from agent_console.runtime.host import WorkerHost
from agent_console.runtime.registry import Registry
from agent_console.settings import Settings
from agent_console.store.database import Database, StoreOptions
from agent_console.store.signals import Signals

LIVING, ZOMBIE = "the living", "a zombie"
Kind = Literal[
    "step", "failed step", "log", "note", "artifact", "approve", "policy", "usage", "progress",
    "preview", "callback", "sleep", "output", "failure",
]  # fmt: skip
KINDS: tuple[Kind, ...] = Kind.__args__  # type: ignore[attr-defined]


class Who:
    """Who this process is; a zombie has a pipe to whoever stops it."""

    name = LIVING
    pipe: Connection | None = None
    goes_on = threading.Event()

    @classmethod
    def dies(cls) -> None:
        """Say that the moment has come, and go on when told to; the living just go on."""
        if cls.pipe is not None:
            cls.pipe.send("here")
            cls.goes_on.wait()


class Input(BaseModel):
    """Which write the run is to make, once it is no longer the job's."""

    kind: Kind


def _step(ctx: JobContext) -> None:
    def effect() -> str:
        Who.dies()
        return Who.name

    ctx.step("s", effect)


def _failed_step(ctx: JobContext) -> None:
    def effect() -> None:
        Who.dies()
        raise ValueError(Who.name)

    try:
        ctx.step("s", effect)
    except ValueError:
        ctx.step("after", lambda: Who.name)


def _failure(_ctx: JobContext) -> None:
    if Who.name == ZOMBIE:
        raise ValueError(Who.name)


_WRITES: dict[str, Callable[[JobContext], Any]] = {
    "log": lambda ctx: ctx.log(Who.name),
    "note": lambda ctx: ctx.info(Who.name),
    "artifact": lambda ctx: ctx.artifact("a.txt", Who.name),
    "approve": lambda ctx: ctx.approve(Who.name),
    "policy": lambda ctx: ctx.approve(Who.name),
    "usage": lambda ctx: ctx.usage(f"house/{Who.name}", 1, 1, 0.001),
    "progress": lambda ctx: ctx.progress(0.5, Who.name),
    "preview": lambda ctx: ctx.preview(Who.name),
    "callback": lambda ctx: ctx.callback("answer").token(),
    "sleep": lambda ctx: ctx.sleep(0.01),
    "output": lambda _ctx: None,
    "failure": _failure,
}


@handler("linger", input=Input, version="1", retry=RetryPolicy(max_attempts=100))
def linger(ctx: JobContext) -> str:
    """Make one write of the kind that is asked for, and say who made it."""
    if ctx.input.kind == "step":
        _step(ctx)
    elif ctx.input.kind == "failed step":
        _failed_step(ctx)
    else:
        Who.dies()
        _WRITES[ctx.input.kind](ctx)
    return Who.name


def run(url: str, folder: str, pipe: Connection) -> None:
    """Work on one job at a time until the one that is cut short is over; then end the process."""
    Who.name, Who.pipe = ZOMBIE, pipe
    db = Database(url, StoreOptions(pool_min=1, pool_max=4))
    signals = Signals(db)
    signals.start()
    settings = Settings(data_dir=Path(folder), max_concurrent_jobs=1, worker_timeout=30)
    host = WorkerHost(db, Registry([linger]), settings, signals, Workspace(Path(folder)))
    pipe.send(host.worker_id)
    host.start()
    pipe.recv()
    Who.goes_on.set()
    pipe.recv()
    host.stop(5.0)  # which lets the run come to its end
    db.close()
    os._exit(0)
