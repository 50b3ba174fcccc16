"""``/api/saved-queries``: filters of the lists, kept under names."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from agent_console.api.context import ServicesDep
from agent_console.api.documented import READING, READING_ONE, WRITING, problems
from agent_console.api.guard import requires
from agent_console.api.routing import resource_router
from agent_console.api.schemas.base import Success
from agent_console.api.schemas.saved_queries import (
    NewSavedQueryIn,
    SavedQueriesAnswer,
    SavedQueryAnswer,
    SavedQueryChangeIn,
    SavedQueryOut,
    SavedQueryParams,
)
from agent_console.domain.access import Actor, Permission

router = resource_router("Saved queries")

Reader = Annotated[Actor, requires(Permission.JOBS_READ)]


@router.get(
    "/api/saved-queries",
    response_model=SavedQueriesAnswer,
    summary="List your saved queries and the shared ones",
    responses=problems(*READING),
)
def list_queries(
    actor: Reader, services: ServicesDep, query: Annotated[SavedQueryParams, Query()]
) -> SavedQueriesAnswer:
    """Return those on lists that you may read, by resource and name; 500 at most."""
    resource = query.resource.value if query.resource else None
    found = services.saved_queries.page(actor, resource)
    return SavedQueriesAnswer(queries=[SavedQueryOut.model_validate(one) for one in found])


@router.post(
    "/api/saved-queries",
    status_code=201,
    response_model=SavedQueryAnswer,
    summary="Save a query",
    responses=problems(*WRITING),
)
def create(actor: Reader, services: ServicesDep, body: NewSavedQueryIn) -> SavedQueryAnswer:
    """Keep filters under a name, yours alone or for everybody; 409 when you have that name."""
    made = services.saved_queries.create(actor, body.to_new())
    return SavedQueryAnswer(query=SavedQueryOut.model_validate(made))


@router.get(
    "/api/saved-queries/{queryId}",
    response_model=SavedQueryAnswer,
    summary="Show a saved query",
    responses=problems(*READING_ONE),
)
def show(actor: Reader, services: ServicesDep, queryId: str) -> SavedQueryAnswer:  # noqa: N803
    """Return one of yours, or a shared one."""
    found = services.saved_queries.get(actor, queryId)
    return SavedQueryAnswer(query=SavedQueryOut.model_validate(found))


@router.patch(
    "/api/saved-queries/{queryId}",
    response_model=SavedQueryAnswer,
    summary="Change a saved query",
    responses=problems(*WRITING),
)
def change(
    actor: Reader,
    services: ServicesDep,
    queryId: str,  # noqa: N803
    body: SavedQueryChangeIn,
) -> SavedQueryAnswer:
    """Rename one of yours, ask for something else, share it or not."""
    changed = services.saved_queries.change(actor, queryId, body.to_change())
    return SavedQueryAnswer(query=SavedQueryOut.model_validate(changed))


@router.delete(
    "/api/saved-queries/{queryId}",
    response_model=Success,
    summary="Delete a saved query",
    responses=problems(*READING_ONE),
)
def delete(actor: Reader, services: ServicesDep, queryId: str) -> Success:  # noqa: N803
    """Delete one of yours; an admin may delete any shared one."""
    services.saved_queries.delete(actor, queryId)
    return Success()
