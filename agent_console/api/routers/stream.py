"""``/api/metrics/stream``: live figures as Server-Sent Events, and the overview's series."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from time import monotonic
from typing import Annotated, Any, cast

from fastapi import Header, Query
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from agent_console.api.context import ServicesDep
from agent_console.api.documented import READING, problems
from agent_console.api.figure_stream import FigureHub, Sample
from agent_console.api.guard import Declaration, admit, requires
from agent_console.api.routing import resource_router
from agent_console.api.schemas.figures import OverviewAnswer, OverviewOut
from agent_console.domain.access import Actor, Permission
from agent_console.domain.errors import ConsoleError

router = resource_router("Figures")

Reader = Annotated[Actor, requires(Permission.METRICS_READ)]
HEARTBEAT = 15  # seconds between comments that keep proxies from closing a quiet stream
LIFE = 600.0  # seconds after which a client is asked to come again; it loses nothing
RECHECK = 5.0  # seconds between looks at the client's right to listen
_EVENT = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("id", "event", "data")},
}
_MEDIA: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {"schema": _EVENT}}}
}


@router.get(
    "/api/metrics/stream",
    response_class=EventSourceResponse,
    summary="Live figures as Server-Sent Events",
    responses={**_MEDIA, **problems(401, 403, 422, 503)},
)
@router.get("/metrics/stream", response_class=EventSourceResponse, include_in_schema=False)
async def stream(
    request: Request,
    actor: Reader,  # noqa: ARG001 - the guard
    last_event_id: Annotated[str | None, Header()] = None,
) -> EventSourceResponse:
    """Send `figures` events: at each change, at the latest every five seconds.

    `id` grows; a client that comes back with `Last-Event-ID` first gets what it missed, as far as
    it is remembered. A last event `bye` says that the server ends the stream; come again.
    """
    hub: FigureHub = request.app.state.figure_hub
    known = last_event_id is not None and last_event_id.isdecimal() and len(last_event_id) < 20
    followed = hub.follow(int(last_event_id or 0) if known else None)
    first = await anext(followed, None)  # what refuses the client must do so before the answer
    return EventSourceResponse(
        _events(request, followed, first), ping=HEARTBEAT, headers={"Cache-Control": "no-store"}
    )


async def _events(
    request: Request, followed: AsyncIterator[Sample], first: Sample | None
) -> AsyncIterator[ServerSentEvent]:
    declaration = cast("Declaration", request.scope["route"].declaration)
    ends, look = monotonic() + LIFE, monotonic() + RECHECK
    if first is not None:
        yield _event(first)
        async for sample in followed:
            if monotonic() >= ends:
                break
            if monotonic() >= look:
                look = monotonic() + RECHECK
                try:
                    await run_in_threadpool(admit, request, declaration)
                except ConsoleError:
                    break
            yield _event(sample)
    yield ServerSentEvent(event="bye", data="")


def _event(sample: Sample) -> ServerSentEvent:
    figures = sample.figures
    mean, p95 = figures.mean_duration, figures.p95_duration
    data = {
        "timestamp": figures.at.isoformat().replace("+00:00", "Z"),
        "task_count": figures.task_count,
        "avg_latency_ms": None if mean is None else round(mean * 1000, 3),
        "p95_latency_ms": None if p95 is None else round(p95 * 1000, 3),
        "success_rate": figures.success_rate,
        "active_workers": figures.active_workers,
        "running": figures.running,
        "queued": figures.waiting_in_queue,
        "checkpoints_pending": figures.pending_checkpoints,
    }
    return ServerSentEvent(id=str(sample.id), event="figures", data=json.dumps(data))


@router.get(
    "/api/metrics/overview",
    response_model=OverviewAnswer,
    summary="Figures of now and their course",
    responses=problems(*READING),
)
def overview(
    actor: Reader,
    services: ServicesDep,
    span: Annotated[str, Query(description="1h, 6h, 24h or 7d")] = "1h",
) -> OverviewAnswer:
    """Return what the Overview page shows: figures of now, and points over `span`."""
    found = services.figures.overview(actor, span)
    return OverviewAnswer(overview=OverviewOut.model_validate(found))
