from __future__ import annotations

from typing import Annotated, Any

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from agent_console.api.guard import assert_all_guarded, guarded_routes, public, requires
from agent_console.api.routers.fallback import nothing_here
from agent_console.api.routing import GuardedRoute
from agent_console.api.sockets import GuardedSocket
from agent_console.domain.access import ROLE_PERMISSIONS, Actor, Permission, Role
from agent_console.domain.errors import Misconfigured
from tests.api.conftest import Door

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)

# Everything that answers without an account. A new public route has to be added here as well.
PUBLIC = {
    "/api/health",
    "/health",
    "/health/live",
    "/health/ready",
    "/auth/login",
    "/auth/logout",
    "/auth/setup",
    "/api/docs",
    "/api/docs/{asset}",
    "/api/openapi.json",
}
# Where a request that no other route takes is told that there is nothing.
FALLBACK = {
    "/api",
    "/api/{rest:path}",
    "/auth/{rest:path}",
    "/health",
    "/health/{rest:path}",
    "/metrics",
    "/metrics/{rest:path}",
}
# Routes with a rule of their own; see test_metrics_and_health and test_callbacks.
CHECKED = {"/metrics", "/api/metrics", "/api/agent-jobs/{jobId}/callback"}


def _calls(door: Door) -> list[tuple[str, APIRoute, Permission | None]]:
    return [
        (method, route, declaration.permission)
        for route, declaration in guarded_routes(door.api.routes)
        if route.endpoint is not nothing_here
        for method in sorted(route.methods or ())
    ]


def _call(client: TestClient, method: str, route: APIRoute, **headers: str) -> Any:
    path = route.path
    for name in route.param_convertors:
        path = path.replace(f"{{{name}}}", "x_1")
    body = {"jobType": "noop", "action": "cancel", "reason": "x"}
    sent = None if method in {"GET", "HEAD"} else body
    return client.request(method, path, json=sent, headers=headers)


def test_every_route_is_in_the_table(door: Door) -> None:
    routes = [route for route in door.api.routes if isinstance(route, APIRoute)]
    sockets = [route for route in door.api.routes if isinstance(route, GuardedSocket)]
    assert len(routes) + len(sockets) == len(door.api.routes)
    assert len(list(guarded_routes(routes))) == len(routes)
    assert all(one.declaration.permission is not None for one in sockets)


def test_the_public_routes_are_exactly_these(door: Door) -> None:
    declared = list(guarded_routes(door.api.routes))
    assert {r.path for r, _ in declared if r.endpoint is nothing_here} == FALLBACK
    endpoints = [(r, d) for r, d in declared if r.endpoint is not nothing_here]
    assert {r.path for r, d in endpoints if d.is_public} == PUBLIC
    assert {r.path for r, d in declared if d.check is not None} == CHECKED
    assert all(d.reason for r, d in declared if d.permission is None)


def test_nobody_passes_without_an_account(door: Door) -> None:
    stranger = door.client()
    for method, route, permission in _calls(door):
        if route.path in PUBLIC:
            assert permission is None
            continue
        for headers in ({}, {"Cookie": "ac_session=x"}, {"Authorization": "Bearer ac_a_b"}):
            answer = _call(stranger, method, route, **headers)
            assert answer.status_code == 401, (method, route.path, headers)
            assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("role", list(Role))
def test_each_role_passes_where_it_may_and_nowhere_else(door: Door, role: Role) -> None:
    client = door.as_role(role)
    for method, route, permission in _calls(door):
        if permission is None:
            continue
        status = _call(client, method, route).status_code
        if permission in ROLE_PERMISSIONS[role]:
            assert status not in {401, 403, 500}, (method, route.path, status)
        else:
            assert status == 403, (method, route.path, status)


def test_a_token_passes_only_with_its_scopes(door: Door) -> None:
    allowed = (Permission.JOBS_READ, Permission.CHECKPOINTS_READ, Permission.CHECKPOINTS_DECIDE)
    scopes = [permission.value for permission in allowed]
    client = door.client(Authorization=f"Bearer {door.token(Role.ADMIN, scopes=scopes)}")
    for method, route, permission in _calls(door):
        if permission is None:
            continue
        status = _call(client, method, route).status_code
        assert (status == 403) is (permission.value not in scopes), (method, route.path)


def test_the_guard_comes_before_the_body(door: Door) -> None:
    answer = door.client().post("/api/agent-jobs", content=b"{", headers={"content-type": "a/b"})
    assert answer.status_code == 401


def test_a_revoked_token_is_nobody(door: Door) -> None:
    email = door.account(Role.ADMIN)
    from tests.api.conftest import ROOT

    grant = door.services.access.create_token(ROOT, email, name="t", days=1)
    client = door.client(Authorization=f"Bearer {grant.token}")
    assert client.get("/api/agent-jobs").status_code == 200
    door.services.access.revoke_token(ROOT, grant.id)
    assert client.get("/api/agent-jobs").status_code == 401


def _app_with(router: APIRouter) -> FastAPI:
    app = FastAPI(openapi_url=None)
    app.router.routes.extend(router.routes)
    return app


def test_an_undeclared_route_stops_the_start(door: Door) -> None:
    assert door.api.title == "agent_console"
    router = APIRouter(route_class=GuardedRoute)

    @router.get("/naked")
    def naked() -> None: ...

    with pytest.raises(Misconfigured, match="GET /naked"):
        assert_all_guarded(_app_with(router))
    answer = TestClient(_app_with(router), raise_server_exceptions=False).get("/naked")
    assert answer.status_code == 500  # closed, even without the check at the start


def test_a_declaration_on_a_foreign_route_class_does_not_count(door: Door) -> None:
    assert door.api.title == "agent_console"
    router = APIRouter()

    @router.get("/words")
    def words(actor: Annotated[Actor, requires(Permission.JOBS_READ)]) -> None: ...

    @router.get("/more")
    def more(actor: Annotated[Actor, public("test")]) -> None: ...

    with pytest.raises(Misconfigured, match="/words"):
        assert_all_guarded(_app_with(router))
