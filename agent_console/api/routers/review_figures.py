"""``/api/review-figures``: how reviewing goes."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from agent_console.api.context import ServicesDep
from agent_console.api.documented import READING, problems
from agent_console.api.guard import requires
from agent_console.api.parameters import ReviewFigureParams
from agent_console.api.routing import resource_router
from agent_console.api.schemas.review_figures import ReviewFiguresAnswer
from agent_console.domain.access import Actor, Permission

router = resource_router("Metrics")


@router.get(
    "/api/review-figures",
    response_model=ReviewFiguresAnswer,
    summary="How reviewing goes",
    responses=problems(*READING),
)
def review_figures(
    actor: Annotated[Actor, requires(Permission.METRICS_READ)],
    services: ServicesDep,
    query: Annotated[ReviewFigureParams, Query()],
) -> ReviewFiguresAnswer:
    """Return stages, outcomes and rates of a stretch of time, and the ages of what waits."""
    return ReviewFiguresAnswer.of(services.review_figures.read(actor, **query.model_dump()))
