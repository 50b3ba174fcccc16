"""``/api/admin/agent-worker``: state, start, stop."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query

from agent_console.api.context import ServicesDep
from agent_console.api.documented import READING, READING_ONE, problems
from agent_console.api.guard import requires
from agent_console.api.parameters import WorkerParams
from agent_console.api.routing import resource_router
from agent_console.api.schemas.base import attributes
from agent_console.api.schemas.workers import (
    JobCountsOut,
    WorkerAnswer,
    WorkerRowOut,
    WorkerSummaryOut,
)
from agent_console.domain.access import Actor, Permission
from agent_console.domain.records import Worker
from agent_console.services import Services

router = resource_router("Worker")

Reader = Annotated[Actor, requires(Permission.WORKERS_READ)]
Controller = Annotated[Actor, requires(Permission.WORKERS_CONTROL)]
Which = Annotated[WorkerParams, Query()]
_ADDRESS = "/api/admin/agent-worker"


@router.get(
    _ADDRESS, response_model=WorkerAnswer, summary="Show the workers", responses=problems(*READING)
)
def status(actor: Reader, services: ServicesDep) -> WorkerAnswer:
    """Return the workers as one, each of them, and the counts of jobs."""
    return _answer(actor, services)


@router.post(
    _ADDRESS,
    response_model=WorkerAnswer,
    summary="Start the workers",
    responses=problems(*READING_ONE),
)
def start(actor: Controller, services: ServicesDep, which: Which) -> WorkerAnswer:
    """Ask for running workers; each obeys with its next heartbeat, one in this process at once."""
    services.workers.start(actor, which.worker_id)
    return _answer(actor, services)


@router.delete(
    _ADDRESS,
    response_model=WorkerAnswer,
    summary="Stop the workers",
    responses=problems(*READING_ONE),
)
def stop(actor: Controller, services: ServicesDep, which: Which) -> WorkerAnswer:
    """Ask the workers to stop claiming; jobs that run are given time to end."""
    services.workers.stop(actor, which.worker_id)
    return _answer(actor, services)


def _answer(actor: Actor, services: Services) -> WorkerAnswer:
    report = services.workers.status(actor)
    return WorkerAnswer(
        worker=WorkerSummaryOut(
            is_running=report.is_running,
            active_jobs=report.active_jobs,
            max_concurrent_jobs=report.max_concurrent_jobs,
            poll_interval=_milliseconds(report.poll_interval),
        ),
        jobs=JobCountsOut.model_validate(report.jobs),
        workers=[WorkerRowOut.model_validate(_row(worker)) for worker in report.workers],
    )


def _row(worker: Worker) -> dict[str, Any]:
    return attributes(worker) | {"poll_interval": _milliseconds(worker.poll_interval)}


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
