"""Default deny: every route declares who may use it, and a route that does not stops the start.

The check runs before the body is read. It is not the only one: the services authorize again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from fastapi import Depends, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.requests import HTTPConnection, Request
from starlette.routing import BaseRoute, Route

from agent_console.api.client import client_ip
from agent_console.api.context import ApiContext, context_of
from agent_console.api.origins import (
    SAFE_METHODS,
    check_same_origin,
    check_socket_origin,
    cookie_name,
)
from agent_console.domain.access import ANONYMOUS, Actor, Permission, authorize
from agent_console.domain.errors import Misconfigured, Unauthenticated

Check = Callable[[Request, ApiContext], Actor]


@dataclass(frozen=True, slots=True)
class Declaration:
    """Who may use a route: holders of ``permission``, whom ``check`` admits, or everybody.

    ``reason`` says why a route without a permission is open, or what ``check`` asks for.
    """

    permission: Permission | None = None
    check: Check | None = None
    reason: str = ""

    @property
    def is_public(self) -> bool:
        """Say whether nobody has to sign in."""
        return self.permission is None and self.check is None


_declarations: dict[Callable[..., Any], Declaration] = {}


def requires(permission: Permission) -> Any:
    """Return the dependency of a route for holders of ``permission``; gives the ``Actor``."""
    return _declare(Declaration(permission=permission))


def public(reason: str) -> Any:
    """Return the dependency of a route for everybody; gives ``ANONYMOUS``."""
    return _declare(Declaration(reason=reason))


def checked(check: Check, reason: str) -> Any:
    """Return the dependency of a route with a rule of its own; gives the ``Actor``."""
    return _declare(Declaration(check=check, reason=reason))


def _declare(declaration: Declaration) -> Any:
    async def admitted(request: Request) -> Actor:
        # Set by `admit`; its absence is a broken house and must not pass for an answer.
        return cast("Actor", request.state.actor)

    _declarations[admitted] = declaration
    return Depends(admitted)


def declaration_of(dependant: Dependant) -> Declaration | None:
    """Return what a route declares, found among its dependencies."""
    for call in _calls(dependant):
        if call in _declarations:
            return _declarations[call]
    return None


def _calls(dependant: Dependant) -> Iterator[Callable[..., Any]]:
    for inner in dependant.dependencies:
        if inner.call is not None:
            yield inner.call
        yield from _calls(inner)


def admit(request: Request, declaration: Declaration) -> Actor:
    """Return who sent ``request``, if the route is for them.

    Raises:
        Unauthenticated: nobody is signed in, or the token is not valid.
        Forbidden: somebody is, and may not.
        CrossOrigin: a cookie came along with an unsafe request of another site.
    """
    context = context_of(request)
    if declaration.check is not None:
        return declaration.check(request, context)
    if declaration.permission is None:
        return ANONYMOUS
    actor = identify(request, context)
    authorize(actor, declaration.permission)
    return actor


def bearer(request: HTTPConnection) -> str | None:
    """Return the bearer token, or None when there is no ``Authorization`` header.

    Raises:
        Unauthenticated: another scheme was used.
    """
    header = request.headers.get("authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("Send the API token as: Authorization: Bearer ac_…")
    return token.strip()


def identify(request: HTTPConnection, context: ApiContext) -> Actor:
    """Return the actor behind token or cookie; a cookie beside a token is not looked at.

    ``request`` is a request, or the handshake of a socket.

    Raises:
        Unauthenticated: the token is not valid (a wrong key is never taken for nobody).
        CrossOrigin: see ``admit``.
    """
    access = context.services.access
    ip = client_ip(request)
    token = bearer(request)
    if token is not None:
        actor = access.actor_for_token(token, ip=ip)
        if actor is None:
            raise Unauthenticated("The API token is not valid: unknown, expired or revoked.")
        return actor
    secret = request.cookies.get(cookie_name(context.settings))
    actor = access.actor_for_session(secret, ip=ip) if secret else None
    if actor is None:
        return ANONYMOUS
    if not isinstance(request, Request):
        check_socket_origin(request.headers, context.settings)
    elif request.method not in SAFE_METHODS:
        check_same_origin(request, context.settings)
    return actor


def assert_all_guarded(app: FastAPI) -> None:
    """Refuse to start with a route that nobody declared.

    Raises:
        Misconfigured: names the routes.
    """
    naked = [_label(route) for route in app.routes if not _is_declared(route)]
    if naked:
        raise Misconfigured(f"Routes without a declared permission: {', '.join(naked)}.")


def _is_declared(route: BaseRoute) -> bool:
    # Only our own route class reads declarations: elsewhere one would be words without effect.
    return getattr(route, "declaration", None) is not None


def _label(route: BaseRoute) -> str:
    if isinstance(route, Route):
        return f"{'|'.join(sorted(route.methods or ()))} {route.path}"
    return repr(route)


def guarded_routes(routes: Iterable[BaseRoute]) -> Iterator[tuple[APIRoute, Declaration]]:
    """Yield each route with its declaration: the table that tests and documentation walk."""
    for route in routes:
        declaration = getattr(route, "declaration", None)
        if isinstance(route, APIRoute) and isinstance(declaration, Declaration):
            yield route, declaration
