"""What a stretch of work costs: CPU time here and in the database server, and transactions.

Rates on a busy machine say little; CPU time per job says more, and is comparable between engines.
Used by the product's measurements and by the peers', which have this module's folder on the path.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import psutil

ONE = "SELECT pg_backend_pid()"
COMMITS = (
    "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"
)


class Cost:
    """Counts from its making; ``ask`` runs SQL and returns one value, None where no server is."""

    def __init__(self, ask: Callable[[str], Any] | None) -> None:
        self._ask = ask
        self._server = None if ask is None else psutil.Process(ask(ONE)).parent()
        self._commits = self._committed()
        self._there = self._server_seconds()
        self._began, self._here = time.monotonic(), time.process_time()

    def per(self, jobs: int, seconds: float | None = None) -> dict[str, float]:
        """Return rate, and cost per job in microseconds of CPU."""
        seconds = seconds or time.monotonic() - self._began
        here, there = time.process_time() - self._here, self._server_seconds() - self._there
        figures = {"jobs/s": jobs / seconds, "CPU us/job": here / jobs * 1e6}
        if self._ask is not None:
            figures["server CPU us/job"] = there / jobs * 1e6
            figures["transactions/job"] = (self._committed() - self._commits) / jobs
        return figures

    def _committed(self) -> int:
        if self._ask is None:
            return 0
        self._ask("SELECT pg_stat_force_next_flush()::text")
        time.sleep(1.1)  # other sessions report theirs once a second
        return int(self._ask(COMMITS))

    def _server_seconds(self) -> float:
        if self._server is None:
            return 0.0
        times = self._server.cpu_times()
        total = times.user + times.system + times.children_user + times.children_system
        for child in self._server.children():
            try:
                mine = child.cpu_times()
            except psutil.Error:
                continue  # it has ended meanwhile, and is in the sum of the children
            total += mine.user + mine.system
        return float(total)
