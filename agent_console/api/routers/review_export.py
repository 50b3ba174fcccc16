"""``/api/agent-checkpoints/export``: reviews that are over, as lines of JSON."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from fastapi.responses import StreamingResponse

from agent_console.api.context import ServicesDep
from agent_console.api.documented import READING, problems
from agent_console.api.guard import requires
from agent_console.api.parameters import ReviewExportParams
from agent_console.api.routing import resource_router
from agent_console.domain.access import Actor, Permission

router = resource_router("Checkpoints")

LINES = "application/x-ndjson"


@router.get(
    "/api/agent-checkpoints/export",
    response_class=StreamingResponse,
    summary="Export reviews as a data set",
    responses={
        200: {
            "description": "A JSON object a line.",
            "content": {LINES: {"schema": {"type": "string"}}},
        },
        **problems(*READING),
    },
)
def export(
    actor: Annotated[Actor, requires(Permission.AUDIT_READ)],
    services: ServicesDep,
    query: Annotated[ReviewExportParams, Query()],
) -> StreamingResponse:
    """Stream what was proposed, said and decided, oldest first, without secrets."""
    lines = services.review_export.lines(actor, query.to_query())
    return StreamingResponse(
        lines,
        media_type=LINES,
        headers={"Content-Disposition": 'attachment; filename="reviews.jsonl"'},
    )
