"""The REST application: routers, problems, guard, OpenAPI."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from agent_console.api import problems
from agent_console.api.context import ApiContext
from agent_console.api.documented import problem_schema
from agent_console.api.figure_stream import FigureHub
from agent_console.api.guard import assert_all_guarded, guarded_routes
from agent_console.api.origins import cookie_name
from agent_console.api.routers import (
    artifacts,
    audit,
    auth,
    automatic,
    batches,
    callbacks,
    chat,
    checkpoints,
    comments,
    context,
    delegations,
    docs,
    evidence,
    fallback,
    forks,
    groups,
    health,
    integrity,
    job_types,
    jobs,
    metrics,
    notifications,
    review_export,
    review_figures,
    review_policies,
    saved_queries,
    schedules,
    sessions,
    stream,
    tasks,
    templates,
    viewers,
    worker,
)
from agent_console.api.sockets import Hub
from agent_console.services import Services
from agent_console.settings import Settings

VERSION = "1"
_ROUTERS = (
    jobs,
    batches,
    forks,
    tasks,
    callbacks,
    schedules,
    checkpoints,
    review_policies,
    automatic,
    groups,
    delegations,
    viewers,
    evidence,
    comments,
    sessions,
    context,
    templates,
    worker,
    job_types,
    artifacts,
    audit,
    integrity,
    saved_queries,
    notifications,
    chat,
    health,
    metrics,
    review_export,
    review_figures,
    stream,
    auth,
    docs,
    fallback,
)
_DESCRIPTION = """Enqueue jobs, watch them, decide what may happen.

Send an API token as `Authorization: Bearer ac_…`. Every error is a problem document (RFC 9457).
Instants are ISO 8601 in UTC; lists are read with `limit` and `offset` or `cursor`."""


def create_api(services: Services, settings: Settings, metrics: Callable[[], bytes]) -> FastAPI:
    """Return the REST application; starts nothing, reads nothing.

    ``metrics`` renders the Prometheus text.

    Raises:
        Misconfigured: a route has no declared permission.
    """
    app = FastAPI(
        title="agent_console",
        description=_DESCRIPTION,
        version=VERSION,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.state.api_context = ApiContext(services, settings, metrics)
    app.state.figure_hub = FigureHub(services)
    app.state.hub = Hub(services.feed)
    problems.install(app)
    for module in _ROUTERS:
        # One flat table, in order: the guard's walk and the 405 of the fallback read it.
        app.router.routes.extend(module.router.routes)
    assert_all_guarded(app)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            openapi_version="3.1.0",
        )
        _describe_security(document, cookie_name(app.state.api_context.settings))
        _mark_permissions(app, document)
        app.openapi_schema = document
    return app.openapi_schema


def _describe_security(document: dict[str, Any], cookie: str) -> None:
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas |= problem_schema()
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    components["securitySchemes"] = {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "An API token: `agent-console token create --email …`.",
        },
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": cookie,
            "description": "The session of a signed-in browser.",
        },
    }


def _mark_permissions(app: FastAPI, document: dict[str, Any]) -> None:
    """Say at every operation who may use it, from the same declarations that guard it."""
    for route, declaration in guarded_routes(app.routes):
        if not route.include_in_schema:
            continue
        for method in route.methods or ():
            operation = document["paths"][route.path_format][method.lower()]
            if declaration.is_public:
                operation["security"] = []
                continue
            operation["security"] = [{"token": []}, {"session": []}]
            if declaration.permission is not None:
                operation["x-permission"] = declaration.permission.value
