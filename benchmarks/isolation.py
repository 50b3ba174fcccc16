"""How long the start of an isolated run takes: ``python -m benchmarks.isolation [RUNS]``.

A run that does nothing, on SQLite in a temporary folder: cold (the fork server has to be started
first) and warm, beside the same run on a thread of the worker.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from agent_console import JobContext, handler
from agent_console.domain.clock import SystemClock
from agent_console.domain.observer import RunObservers
from agent_console.gateways.workspace import Workspace
from agent_console.runtime.async_context import LoopThread
from agent_console.runtime.forkserver import Warm
from agent_console.runtime.isolation import IsolatingExecutor
from agent_console.runtime.processes import Processes
from agent_console.runtime.registry import Registry
from agent_console.runtime.run import Run, Surroundings
from agent_console.settings import Settings
from agent_console.store.claims import claim
from agent_console.store.database import Database
from agent_console.store.migrate import upgrade
from agent_console.testing import enqueue
from agent_console.testing.draining import _introduce


@handler("apart", isolation="process", version="1")
def apart(_ctx: JobContext) -> float:
    return time.monotonic()


@handler("here", version="1")
def here(_ctx: JobContext) -> float:
    return time.monotonic()


def warm(settings: Settings) -> Warm:
    registry = Registry([apart, here])
    return Warm(settings=settings, registry=registry, observers=RunObservers())


def milliseconds(executor: IsolatingExecutor, db: Database, job_type: str) -> tuple[float, float]:
    """Return how long it took from the claim to the handler, and to the finish."""
    enqueue(db, job_type)
    (claimed,) = claim(db, "wrk_bench", 1)
    began = time.monotonic()
    run = executor.begin(claimed)
    assert isinstance(run, Run)
    end = executor.execute(run)
    done = time.monotonic()
    assert end is not None
    assert end.output is not None
    return (float(end.output) - began) * 1000, (done - began) * 1000


def main(runs: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/bench.db"
        upgrade(url)
        db, registry = Database(url), Registry([apart, here])
        _introduce(db, "wrk_bench")
        around = Surroundings(
            db=db,
            registry=registry,
            clock=SystemClock(),
            workspace=Workspace(Path(folder)),
            observers=RunObservers(),
        )
        processes = Processes(Settings(), "benchmarks.isolation:warm")
        executor = IsolatingExecutor(around, LoopThread(), processes)
        cold = milliseconds(executor, db, "apart")
        print(f"cold: handler after {cold[0]:.0f} ms, finished after {cold[1]:.0f} ms")
        for name in ("apart", "here"):
            times = [milliseconds(executor, db, name) for _ in range(runs)]
            started, finished = [one[0] for one in times], [one[1] for one in times]
            slow = sorted(started)[int(runs * 0.95) - 1]
            print(
                f"{name}: handler after {median(started):.1f} ms (p95 {slow:.1f}), "
                f"finished after {median(finished):.1f} ms"
            )
        processes.close()
        db.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50)
