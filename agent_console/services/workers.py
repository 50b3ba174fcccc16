"""Workers: who runs jobs, and the wish that they start or stop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent_console.domain.access import Actor, Permission, authorize
from agent_console.domain.errors import Invalid
from agent_console.domain.jobs import JobStatus
from agent_console.domain.records import Worker, WorkerStatus
from agent_console.store import worker_writes
from agent_console.store.database import Database
from agent_console.store.reads import counts, workers

MAX_JOBS = 256  # at the same time, per worker
MIN_POLL, MAX_POLL = 0.1, 300.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class JobNumbers:
    """Jobs that wait to be claimed, run, and have ended well or badly."""

    pending: int
    running: int
    completed: int
    failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerStatusReport:
    """All live workers as one. ``poll_interval`` is seconds."""

    is_running: bool
    active_jobs: int
    max_concurrent_jobs: int
    poll_interval: float
    jobs: JobNumbers
    workers: Sequence[Worker]


class WorkerService:
    """Use cases of workers. Every method checks the actor's permission itself."""

    def __init__(
        self, db: Database, *, timeout: float, max_concurrent_jobs: int, poll_interval: float
    ) -> None:
        """``timeout``: seconds without a heartbeat after which a worker counts as dead.

        Capacity and poll interval (seconds) are what is reported while no worker lives.
        """
        self._db = db
        self._timeout = timeout
        self._max_concurrent_jobs = max_concurrent_jobs
        self._poll_interval = poll_interval

    def page(self, actor: Actor) -> list[Worker]:
        """Return the workers, latest heartbeat first; dead ones stay listed."""
        authorize(actor, Permission.WORKERS_READ)
        return self._listed()

    def start(self, actor: Actor, worker_id: str | None = None) -> list[Worker]:
        """Want a worker, or all of them, to run.

        Raises:
            NotFound: there is no such worker.
            Conflict: it is dead, or there is none at all.
        """
        return self._want(actor, "run", worker_id)

    def stop(self, actor: Actor, worker_id: str | None = None) -> list[Worker]:
        """Want a worker, or all of them, to finish what they run and claim no more.

        Raises:
            NotFound: there is no such worker.
            Conflict: it is dead, or there is none at all.
        """
        return self._want(actor, "stop", worker_id)

    def configure(
        self,
        actor: Actor,
        worker_id: str,
        *,
        max_concurrent_jobs: int | None = None,
        poll_interval: float | None = None,
    ) -> list[Worker]:
        """Change a live worker's capacity and poll interval (seconds).

        Raises:
            Invalid: a figure is out of bounds.
            NotFound: there is no such worker.
            Conflict: it is dead.
        """
        authorize(actor, Permission.WORKERS_CONTROL)
        if max_concurrent_jobs is not None and not 1 <= max_concurrent_jobs <= MAX_JOBS:
            raise Invalid.field("maxConcurrentJobs", f"must be between 1 and {MAX_JOBS}.")
        if poll_interval is not None and not MIN_POLL <= poll_interval <= MAX_POLL:
            message = f"must be between {MIN_POLL:g} and {MAX_POLL:g} seconds."
            raise Invalid.field("pollInterval", message)
        self._db.write(
            lambda tx: worker_writes.configure(
                tx,
                worker_id,
                max_concurrent_jobs=max_concurrent_jobs,
                poll_interval=poll_interval,
                actor=actor,
            )
        )
        return self._listed()

    def status(self, actor: Actor) -> WorkerStatusReport:
        """Return all live workers as one, with the numbers of jobs."""
        authorize(actor, Permission.WORKERS_READ)
        with self._db.read() as reader:
            listed = workers.listed(reader)
            numbers = counts.jobs_by_status(reader)
        living = [worker for worker in listed if is_alive(worker, self._timeout)]
        running = [worker for worker in living if worker.status is WorkerStatus.RUNNING]
        shown = running or living
        return WorkerStatusReport(
            is_running=bool(running),
            active_jobs=sum(worker.active_jobs for worker in living),
            max_concurrent_jobs=sum(worker.max_concurrent_jobs for worker in shown)
            or self._max_concurrent_jobs,
            poll_interval=min(
                (worker.poll_interval for worker in shown), default=self._poll_interval
            ),
            jobs=_numbers(numbers),
            workers=listed,
        )

    def _want(self, actor: Actor, desired: str, worker_id: str | None) -> list[Worker]:
        authorize(actor, Permission.WORKERS_CONTROL)
        self._db.write(
            lambda tx: worker_writes.set_desired(tx, desired, worker_id=worker_id, actor=actor)
        )
        return self._listed()

    def _listed(self) -> list[Worker]:
        with self._db.read() as reader:
            return workers.listed(reader)


def is_alive(worker: Worker, timeout: float) -> bool:
    """Say whether the worker's process has been heard within ``timeout`` seconds."""
    return worker.status is not WorkerStatus.DEAD and worker.heartbeat_age <= timeout


def _numbers(by_status: Mapping[JobStatus, int]) -> JobNumbers:
    return JobNumbers(
        pending=by_status[JobStatus.PENDING] + by_status[JobStatus.QUEUED],
        running=by_status[JobStatus.RUNNING],
        completed=by_status[JobStatus.COMPLETED],
        failed=by_status[JobStatus.FAILED],
    )
