"""``/api/admin/agent-worker``: state, start, stop."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from time import monotonic, sleep
from typing import Annotated, Any

from fastapi import Query

from agent_console.api.context import ApiContext, Context
from agent_console.api.documented import ACTING, READING, problems
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
from agent_console.domain.records import Worker, WorkerStatus
from agent_console.services.workers import WorkerStatusReport, is_alive

router = resource_router("Worker")

Reader = Annotated[Actor, requires(Permission.WORKERS_READ)]
Controller = Annotated[Actor, requires(Permission.WORKERS_CONTROL)]
Which = Annotated[WorkerParams, Query()]
_ADDRESS = "/api/admin/agent-worker"
_PATIENCE = 2.0  # seconds that start and stop wait for workers to obey
_LOOK_EVERY = 0.05  # seconds


@router.get(
    _ADDRESS, response_model=WorkerAnswer, summary="Show the workers", responses=problems(*READING)
)
def status(actor: Reader, context: Context) -> WorkerAnswer:
    """Return the workers as one, each of them, and the counts of jobs."""
    return _answer(context.services.workers.status(actor))


@router.post(
    _ADDRESS,
    response_model=WorkerAnswer,
    summary="Start the workers",
    responses=problems(*ACTING),
)
def start(actor: Controller, context: Context, which: Which) -> WorkerAnswer:
    """Ask for running workers; each obeys with its next heartbeat, one in this process at once."""
    context.services.workers.start(actor, which.worker_id)
    return _settled(actor, context, which.worker_id, {WorkerStatus.RUNNING})


@router.delete(
    _ADDRESS,
    response_model=WorkerAnswer,
    summary="Stop the workers",
    responses=problems(*ACTING),
)
def stop(actor: Controller, context: Context, which: Which) -> WorkerAnswer:
    """Ask the workers to stop claiming; jobs that run are given time to end."""
    context.services.workers.stop(actor, which.worker_id)
    return _settled(actor, context, which.worker_id, {WorkerStatus.STOPPED, WorkerStatus.DRAINING})


def _settled(
    actor: Actor, context: ApiContext, worker_id: str | None, wanted: AbstractSet[WorkerStatus]
) -> WorkerAnswer:
    """Give live workers a moment to obey, so that the answer shows what came of the request."""
    deadline = monotonic() + _PATIENCE
    while True:
        report = context.services.workers.status(actor)
        asked = [
            worker
            for worker in report.workers
            if worker_id in {None, worker.id} and is_alive(worker, context.settings.worker_timeout)
        ]
        if all(worker.status in wanted for worker in asked) or monotonic() >= deadline:
            return _answer(report)
        sleep(_LOOK_EVERY)


def _answer(report: WorkerStatusReport) -> WorkerAnswer:
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
