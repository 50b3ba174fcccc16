"""Is the console well? For people, monitors and probes; says nothing that needs protection."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from agent_console.domain.clock import Clock
from agent_console.domain.errors import ConsoleError
from agent_console.services.workers import is_alive
from agent_console.store.database import Database
from agent_console.store.reads import workers

_log = logging.getLogger(__name__)

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


class HealthService:
    """Open to everybody: probes have no account, and the answer holds no data."""

    def __init__(
        self,
        db: Database,
        *,
        clock: Clock,
        worker_timeout: float,
        orchestrator: Callable[[], bool] | None = None,
    ) -> None:
        """``orchestrator`` says whether this process's scheduler runs; None: it has none.

        ``worker_timeout``: seconds without a heartbeat after which a worker counts as dead.
        """
        self._db = db
        self._clock = clock
        self._timeout = worker_timeout
        self._orchestrator = orchestrator

    def report(self) -> HealthReport:
        """Look at every component, and never raise for one that is unwell."""
        database = self._database()
        components = {
            "orchestrator": self._scheduler(),
            "database": database,
            "workers": self._workers() if database.status == "ok" else _UNKNOWN_WORKERS,
        }
        well = all(component.status == "ok" for component in components.values())
        return HealthReport(
            status="ok" if well else "degraded",
            components=components,
            timestamp=self._clock.now(),
        )

    def ready(self) -> bool:
        """Say whether requests can be served: the database answers."""
        return self._database().status == "ok"

    def _database(self) -> ComponentHealth:
        before = self._clock.monotonic()
        try:
            with self._db.read() as reader:
                reader.row("SELECT 1 FROM ai_jobs LIMIT 1")
        except ConsoleError as error:
            return _component("down", error.message)
        except Exception:  # noqa: BLE001 - logged; a health report must come out of anything
            _log.exception("the database check failed")
            return _component("down", "The database refuses queries; the log says why.")
        latency = round((self._clock.monotonic() - before) * 1000, 2)
        return _component("ok", f"{self._db.dialect} answers", latencyMs=latency)

    def _workers(self) -> ComponentHealth:
        with self._db.read() as reader:
            listed = workers.listed(reader)
        living = sum(is_alive(worker, self._timeout) for worker in listed)
        silent = sum(
            worker.status in _AT_WORK and not is_alive(worker, self._timeout) for worker in listed
        )
        if not living:
            return _component("degraded", "No worker is alive.", live=0, silent=silent)
        return _component("ok", f"{living} alive", live=living, silent=silent)

    def _scheduler(self) -> ComponentHealth:
        if self._orchestrator is None:
            return _component("ok", "This process runs no scheduler.")
        if self._orchestrator():
            return _component("ok", "running")
        return _component("degraded", "The scheduler of this process is not running.")


_AT_WORK = frozenset({"RUNNING", "DRAINING"})


def _component(status: ComponentStatus, detail: str, **figures: float) -> ComponentHealth:
    return ComponentHealth(status=status, detail=detail, figures=figures)


_UNKNOWN_WORKERS = _component("degraded", "Unknown while the database does not answer.")
