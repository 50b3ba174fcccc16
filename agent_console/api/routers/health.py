"""Health for people and programs: ``/api/health`` in words, ``/health/*`` for probes."""

from __future__ import annotations

from typing import Annotated

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from agent_console.api.context import ServicesDep
from agent_console.api.guard import public
from agent_console.api.routing import resource_router
from agent_console.api.schemas.workers import HealthOut, ProbeOut
from agent_console.domain.access import Actor

router = resource_router("Health")

Probe = Annotated[Actor, public("probes have no account; the answer names states, not data")]


@router.get("/api/health", response_model=HealthOut, summary="Health of the components")
@router.get("/health", response_model=HealthOut, include_in_schema=False)
def health(actor: Probe, services: ServicesDep) -> HealthOut:  # noqa: ARG001 - the guard
    """Return `ok` or `degraded`, and the state of each component."""
    return HealthOut.model_validate(services.health.report())


@router.get("/health/live", response_model=ProbeOut, summary="Liveness probe")
async def live(actor: Probe) -> ProbeOut:  # noqa: ARG001 - the guard
    """Answer as long as the process can; no database, no thread."""
    return ProbeOut(status="ok")


@router.get(
    "/health/ready",
    response_model=ProbeOut,
    summary="Readiness probe",
    responses={503: {"model": ProbeOut, "description": "Not ready for work."}},
)
async def ready(actor: Probe, services: ServicesDep) -> JSONResponse:  # noqa: ARG001 - the guard
    """Answer 200 when jobs can be taken and decided, else 503."""
    is_ready = await run_in_threadpool(services.health.ready)
    status = "ready" if is_ready else "unavailable"
    return JSONResponse({"status": status}, status_code=200 if is_ready else 503)
