"""Runs jobs on the calling thread, without a worker's threads."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from agent_console.domain.clock import Clock, SystemClock
from agent_console.domain.observer import RunObservers
from agent_console.domain.records import WorkerStatus
from agent_console.domain.risk import RiskAssessor
from agent_console.domain.risk_rules import STANDARD
from agent_console.gateways.http import HttpGateway
from agent_console.gateways.workspace import Workspace
from agent_console.runtime.async_context import LoopThread
from agent_console.runtime.executor import Executor
from agent_console.runtime.registry import Registry
from agent_console.runtime.run import Surroundings
from agent_console.store.claims import claim
from agent_console.store.database import Database
from agent_console.store.engine_values import Finish, NewWorker
from agent_console.store.finishes import finish
from agent_console.store.ids import new_id
from agent_console.store.liveness import heartbeat, register_worker


class HasDatabase(Protocol):
    """A console: anything with an open database."""

    @property
    def db(self) -> Database:
        """The database."""
        ...


def drain(
    where: Database | HasDatabase,
    registry: Registry,
    *,
    clock: Clock | None = None,
    workspace: Path | None = None,
    limit: int = 1000,
    seed: int = 0,
    assessors: Sequence[RiskAssessor] = STANDARD,
    http: HttpGateway | None = None,
    origin: str = "",
) -> int:
    """Run claimable jobs, best first, until none is due; return how many runs there were.

    ``clock`` should be the one the database was given. Jobs that suspend, or retry later, stay as
    they are; decide or advance the clock and drain again. ``seed`` fixes the jitter of retries;
    ``assessors`` look at what is put up for approval.
    ``http`` is what handlers see as ``ctx.http`` (default: nothing is allowed).

    Raises:
        RuntimeError: after ``limit`` runs; a job that comes back for ever is the likely cause.
    """
    db = where if isinstance(where, Database) else where.db
    worker_id = new_id("wrk")
    _introduce(db, worker_id)
    loop = LoopThread()
    runs = 0
    with tempfile.TemporaryDirectory() as scratch:
        surroundings = Surroundings(
            db=db,
            registry=registry,
            clock=clock or SystemClock(),
            workspace=Workspace(workspace or Path(scratch)),
            observers=RunObservers(),
            assessors=assessors,
            http=http or HttpGateway(),
            origin=origin,
        )
        executor = Executor(surroundings, loop, random.Random(seed))  # noqa: S311 - repeatable
        try:
            while claimed := claim(db, worker_id, 1):
                if runs >= limit:
                    raise RuntimeError(f"{limit} runs and still jobs to run")
                runs += 1
                run = executor.begin(claimed[0])
                end = run if isinstance(run, Finish) else executor.execute(run)
                if end is not None:
                    finish(db, [end])
        finally:
            loop.close()
            heartbeat(db, worker_id, (), WorkerStatus.STOPPED)
    return runs


def _introduce(db: Database, worker_id: str) -> None:
    """Register a worker: jobs of unknown ones would be rescued by the next sweep."""
    register_worker(
        db,
        NewWorker(
            id=worker_id,
            host="test",
            pid=0,
            version="test",
            embedded=True,
            desired="run",
            max_concurrent_jobs=1,
            poll_interval=5.0,
            job_types=(),
        ),
    )
    heartbeat(db, worker_id, (), WorkerStatus.RUNNING)
