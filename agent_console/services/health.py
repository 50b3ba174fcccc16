"""Is the console well? For people, monitors and probes; says nothing that needs protection."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from agent_console.domain.clock import MICROSECONDS, Clock
from agent_console.domain.errors import Unavailable
from agent_console.domain.records import Worker
from agent_console.gateways import disk
from agent_console.services.probe import Probe
from agent_console.services.workers import is_alive
from agent_console.store import migrate
from agent_console.store.database import Database
from agent_console.store.reads import health, workers

SCHEDULER_LATE: Final = 30.0  # seconds; it comes round every five
QUEUE_LATE: Final = 300.0  # seconds a claimable job may be due before somebody should look
DISK_LOW: Final = 512 * 2**20  # bytes

ComponentStatus = Literal["ok", "degraded", "down"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentHealth:
    """One part of the console; ``figures`` are small facts such as ``latencyMs``."""

    status: ComponentStatus
    detail: str
    figures: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthReport:
    """``status`` is ok when every component is."""

    status: Literal["ok", "degraded"]
    components: Mapping[str, ComponentHealth]
    timestamp: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthOptions:
    """What health is measured by.

    ``worker_timeout``: seconds without a heartbeat after which a worker counts as dead.
    ``data_dir``: the folder whose disk must not run full. ``scheduler_age``: seconds since this
    process's scheduler came round, None while it does not run; without the function the process
    has none.
    """

    worker_timeout: float
    data_dir: Path
    scheduler_age: Callable[[], float | None] | None = None


class HealthService:
    """Open to everybody: probes have no account, and the answer holds no data."""

    def __init__(self, db: Database, *, clock: Clock, options: HealthOptions) -> None:
        """Look at nothing yet."""
        self._db = db
        self._clock = clock
        self._options = options
        self._probe = Probe(db)

    def report(self) -> HealthReport:
        """Look at every component, and never raise for one that is unwell."""
        database = self._database()
        components = {"orchestrator": self._scheduler(), "database": database}
        if database.status == "ok":
            components |= self._of_the_database()
        else:
            components |= dict.fromkeys(("workers", "schema", "queue"), _UNKNOWN)
        components["disk"] = self._disk()
        well = all(component.status == "ok" for component in components.values())
        return HealthReport(
            status="ok" if well else "degraded",
            components=components,
            timestamp=self._clock.now(),
        )

    def ready(self) -> bool:
        """Say whether requests can be served: the database answers, within seconds."""
        return not self._probe.ask()

    def _database(self) -> ComponentHealth:
        before = self._clock.monotonic()
        problem = self._probe.ask()
        if problem:
            return _component("down", problem)
        latency = round((self._clock.monotonic() - before) * 1000, 2)
        return _component("ok", f"{self._db.dialect} answers", latencyMs=latency)

    def _of_the_database(self) -> dict[str, ComponentHealth]:
        """Return what is read from the database; unknown where it fails meanwhile."""
        try:
            with self._db.read() as reader:
                return {
                    "workers": self._workers(workers.listed(reader)),
                    "schema": _schema(health.revision(reader)),
                    "queue": _queue(health.queue_age(reader) / MICROSECONDS),
                }
        except Unavailable:
            return dict.fromkeys(("workers", "schema", "queue"), _UNKNOWN)

    def _workers(self, listed: Sequence[Worker]) -> ComponentHealth:
        timeout = self._options.worker_timeout
        living = sum(is_alive(worker, timeout) for worker in listed)
        silent = sum(
            worker.status in _AT_WORK and not is_alive(worker, timeout) for worker in listed
        )
        if not living:
            return _component("degraded", "No worker is alive.", live=0, silent=silent)
        return _component("ok", f"{living} alive", live=living, silent=silent)

    def _scheduler(self) -> ComponentHealth:
        if self._options.scheduler_age is None:
            return _component("ok", "This process runs no scheduler.")
        age = self._options.scheduler_age()
        if age is None:
            return _component("degraded", "The scheduler of this process is not running.")
        figures = {"ageSeconds": round(age, 1)}
        if age > SCHEDULER_LATE:
            return _component("degraded", "The scheduler is late.", **figures)
        return _component("ok", "running", **figures)

    def _disk(self) -> ComponentHealth:
        found = disk.room(self._options.data_dir)
        if found is None:
            return _component("degraded", "The data directory's disk cannot be looked at.")
        figures = {"freeBytes": found.free, "totalBytes": found.total}
        if found.free < DISK_LOW:
            return _component(
                "degraded", "The disk of the data directory is nearly full.", **figures
            )
        return _component("ok", f"{found.free / 2**30:.1f} GiB free", **figures)


_AT_WORK = frozenset({"RUNNING", "DRAINING"})


def _schema(revision: str | None) -> ComponentHealth:
    wanted = migrate.head()
    if revision == wanted:
        return _component("ok", f"at {wanted}")
    detail = f"The schema is at {revision}, this version works with {wanted}; migrate."
    return _component("degraded", detail)


def _queue(age: float) -> ComponentHealth:
    if age > QUEUE_LATE:
        detail = "A job has been due for minutes; more workers, or slots, are needed."
        return _component("degraded", detail, ageSeconds=round(age, 1))
    return _component("ok", "nothing waits long", ageSeconds=round(age, 1))


def _component(status: ComponentStatus, detail: str, **figures: float) -> ComponentHealth:
    return ComponentHealth(status=status, detail=detail, figures=figures)


_UNKNOWN = _component("degraded", "Unknown while the database does not answer.")
