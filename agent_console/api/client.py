"""Who is at the other end of the connection, behind the proxies we were told of."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.requests import HTTPConnection, Request
from starlette.types import Scope

SCOPE_KEY = "agent_console.client_ip"
_LOOPBACK = frozenset({"127.0.0.1", "::1"})


def resolve_ip(scope: Scope, hops: int) -> str | None:
    """Return the address ``hops`` trusted proxies away; entries beyond them are hearsay.

    With fewer entries than hops somebody came around a proxy: the peer is all that is known.
    """
    client = scope.get("client")
    peer = str(client[0]) if client else None
    if hops == 0:
        return peer
    chain = _forwarded_for(scope["headers"])
    return chain[-hops] if len(chain) >= hops else peer


def _forwarded_for(headers: Iterable[tuple[bytes, bytes]]) -> list[str]:
    values = [v.decode("latin-1") for k, v in headers if k == b"x-forwarded-for"]
    return [part.strip() for value in values for part in value.split(",") if part.strip()]


def client_ip(request: HTTPConnection) -> str | None:
    """Return the client's address as the middleware resolved it, or the peer's."""
    known = request.scope.get(SCOPE_KEY)
    if isinstance(known, str):
        return known
    return request.client.host if request.client else None


def is_local(request: Request) -> bool:
    """Say whether a program on this machine asks, itself and not through a proxy.

    It calls this machine by a name of its own: a page elsewhere may let its name point here, and
    read the answers through the browser of whoever looks at it (DNS rebinding).
    """
    proxied = "x-forwarded-for" in request.headers or "forwarded" in request.headers
    named = request.url.hostname in {"localhost", *_LOOPBACK}
    return named and not proxied and client_ip(request) in _LOOPBACK
