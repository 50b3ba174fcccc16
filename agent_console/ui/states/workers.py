"""The workers: who runs jobs, how they are, and starting and stopping them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import reflex as rx

from agent_console.domain.access import Actor, Permission, refusal
from agent_console.domain.records import Worker, WorkerStatus
from agent_console.services.workers import WorkerStatusReport, is_alive
from agent_console.ui import bridge
from agent_console.ui.bridge import Failure
from agent_console.ui.guard import guarded
from agent_console.ui.live import Ask, LiveState, follow
from agent_console.ui.views import iso

SILENCE = 7.0  # seconds; a process that is up beats every 5


@dataclass(frozen=True, slots=True)
class Breaker:
    """A host that the worker calls, by its allowlist entry, and whether it is called now."""

    host: str
    state: str


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """A worker process. ``start`` and ``stop`` say why not; empty where it can be done."""

    id: str
    name: str
    place: str
    version: str
    status: str
    load: str
    percent: int
    poll: str
    job_types: str
    heartbeat_at: str
    started_at: str
    note: str
    start: str
    stop: str
    breakers: list[Breaker]


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its name; leads to the jobs it counts where there are some."""

    label: str
    value: str
    href: str


class Workers(LiveState, rx.State):
    """The rows on the screen; ``start`` and ``stop`` are about all workers together."""

    rows: list[WorkerRow] = []
    gone: list[WorkerRow] = []
    single: bool = True
    start: str = "Loading."
    stop: str = "Loading."
    figures: list[Figure] = []

    @rx.event(background=True)
    @guarded(Permission.WORKERS_READ)
    async def watch(self) -> Any:
        """Follow the workers."""
        return await follow(self)

    @rx.event
    @guarded(Permission.WORKERS_CONTROL)
    async def start_worker(self, worker_id: str) -> None:
        """Let a worker (or all, with an empty id) take jobs."""
        service = bridge.services().workers
        done = await bridge.call(service.start, await self._actor(), _one(worker_id))
        await self._tell(_told(done, "Starting."))

    @rx.event
    @guarded(Permission.WORKERS_CONTROL)
    async def stop_worker(self, worker_id: str) -> None:
        """Let a worker (or all, with an empty id) finish what it does and take no more."""
        service = bridge.services().workers
        done = await bridge.call(service.stop, await self._actor(), _one(worker_id))
        await self._tell(_told(done, "Stopping: what runs may end, nothing new is taken."))

    def _ask(self, actor: Actor) -> Ask:
        service = bridge.services().workers
        may_not = (
            "" if actor.may(Permission.WORKERS_CONTROL) else refusal(Permission.WORKERS_CONTROL)
        )
        timeout = bridge.settings().worker_timeout
        return Ask(("workers",), lambda: view(service.status(actor), may_not, timeout), every=2.0)

    def _show(self, answer: dict[str, Any]) -> None:
        self._put(**answer)


def _one(worker_id: str) -> str | None:
    return str(worker_id) or None


def _told(done: object, text: str) -> bridge.Notice:
    return done.notice if isinstance(done, Failure) else bridge.note("success", text)


def view(report: WorkerStatusReport, may_not: str, timeout: float) -> dict[str, Any]:
    """Return what the page shows; workers silent for longer than ``timeout`` s are gone."""
    workers = sorted(report.workers, key=_place)
    alive = [one for one in workers if _alive(one, timeout)]
    gone = [one for one in workers if one not in alive]
    gone.sort(key=lambda one: one.heartbeat_at, reverse=True)
    running = [one for one in alive if one.desired == "run"]
    none = "" if alive else "No worker process is up. Start one with: agent-console worker"
    return {
        "rows": [_row(one, may_not) for one in alive],
        "gone": [_row(one, may_not) for one in gone[:10]],
        "single": len(alive) <= 1,
        "start": may_not or none or ("It runs already." if len(running) == len(alive) else ""),
        "stop": may_not or none or ("" if running else "It is stopped already."),
        "figures": _figures(report, sum(_room(one) for one in alive)),
    }


def _place(worker: Worker) -> tuple[bool, datetime, str]:
    """Return a key of a lasting order: the console's own first, then as they came up."""
    return not worker.embedded, worker.started_at, worker.id


def _room(worker: Worker) -> int:
    """Return how many jobs the worker runs at most; one that stops still ends what it has."""
    return worker.max_concurrent_jobs if worker.desired == "run" else worker.active_jobs


def _figures(report: WorkerStatusReport, room: int) -> list[Figure]:
    numbers = report.jobs
    return [
        Figure("Slots busy", f"{report.active_jobs} of {room}", "/jobs?status=RUNNING"),
        Figure("Jobs pending", f"{numbers.pending:,}", "/jobs?status=PENDING"),
        Figure("Jobs running", f"{numbers.running:,}", "/jobs?status=RUNNING"),
        Figure("Jobs completed", f"{numbers.completed:,}", "/jobs?status=COMPLETED"),
        Figure("Jobs failed", f"{numbers.failed:,}", "/jobs?status=FAILED"),
    ]


def _alive(worker: Worker, timeout: float) -> bool:
    """Say whether the process is up; one that stopped and fell silent has ended as it should."""
    patience = min(timeout, SILENCE) if worker.status == WorkerStatus.STOPPED else timeout
    return is_alive(worker, patience)


def _note(worker: Worker) -> str:
    """Say what is about to happen, where what is wanted is not yet so."""
    if worker.desired == "stop" and worker.status != WorkerStatus.STOPPED:
        return "finishing its jobs" if worker.active_jobs else "stopping"
    return "starting" if worker.desired == "run" and worker.status == WorkerStatus.STOPPED else ""


def _row(worker: Worker, may_not: str) -> WorkerRow:
    runs = worker.desired == "run"
    busy = worker.active_jobs / max(1, worker.max_concurrent_jobs)
    return WorkerRow(
        id=worker.id,
        name=worker.host,
        place=f"pid {worker.pid}{' · in the console' if worker.embedded else ''}",
        version=worker.version,
        status=worker.status.value,
        load=f"{worker.active_jobs} of {worker.max_concurrent_jobs}",
        percent=round(min(1.0, busy) * 100),
        poll=f"{worker.poll_interval:g} s",
        job_types=", ".join(worker.job_types),
        heartbeat_at=iso(worker.heartbeat_at),
        started_at=iso(worker.started_at),
        note=_note(worker),
        start=may_not or ("It runs already." if runs else ""),
        stop=may_not or ("" if runs else "It is stopped already."),
        breakers=[Breaker(host, state.value) for host, state in worker.breakers.items()],
    )
