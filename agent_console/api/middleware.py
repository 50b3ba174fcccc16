"""The outermost layer: it stands around the pages as well as around the REST routes.

Plain ASGI, so that streams and sockets pass through it untouched: request id, client address,
body limit, security headers, and the origin of socket handshakes.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from agent_console.api.client import SCOPE_KEY, resolve_ip
from agent_console.api.leaving import Leaving
from agent_console.api.origins import allowed_origins, is_https
from agent_console.api.problems import problem
from agent_console.api.request_id import HEADER, choose, request_id
from agent_console.domain import trace
from agent_console.domain.errors import TooLarge
from agent_console.settings import Settings

_REST = ("/api", "/auth", "/health", "/metrics")


def wrap(app: ASGIApp, settings: Settings, leaving: Leaving | None = None) -> ASGIApp:
    """Return ``app`` inside the outermost layer; used as the last ``api_transformer``.

    Its sockets end when ``leaving`` says so.
    """
    return Outermost(app, settings, leaving or Leaving())


def content_security_policy(settings: Settings) -> str:
    """Return the policy of the pages.

    The page framework evaluates the scripts it sends over its socket, hence ``unsafe-eval``;
    the worth of the policy is in what it keeps out: foreign hosts, frames, plugins, form targets.
    """
    # A policy has no form for IPv6 hosts; there, 'self' has to do.
    origins = [origin for origin in allowed_origins(settings) if "[" not in origin]
    sockets = " ".join(_socket(origin) for origin in origins)
    plain = " ".join(origins)
    return "; ".join(
        (
            "default-src 'self'",
            "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            f"connect-src 'self' {plain} {sockets}",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def _socket(origin: str) -> str:
    parts = urlsplit(origin)
    return f"{'wss' if parts.scheme == 'https' else 'ws'}://{parts.netloc}"


def security_headers(settings: Settings) -> Mapping[str, str]:
    """Return what every answer carries, unless it set the header itself."""
    headers = {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Content-Security-Policy": content_security_policy(settings),
    }
    if is_https(settings):
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return headers


class Outermost:
    """The layer as an ASGI application."""

    def __init__(self, app: ASGIApp, settings: Settings, leaving: Leaving) -> None:
        self._app = app
        self._settings = settings
        self._leaving = leaving
        self._headers = security_headers(settings)
        self._origins = frozenset(allowed_origins(settings))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer ``scope``; lifespan messages pass unseen."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        scope[SCOPE_KEY] = resolve_ip(scope, self._settings.trusted_proxy_hops)
        chosen = choose(headers.get(HEADER))
        token = request_id.set(chosen)
        try:
            with bound_contextvars(request_id=chosen), trace.within(headers.get(trace.HEADER)):
                if scope["type"] == "websocket":
                    await self._socket(scope, receive, send, headers)
                else:
                    await self._http(scope, receive, send, headers)
        finally:
            request_id.reset(token)

    async def _socket(self, scope: Scope, receive: Receive, send: Send, headers: Headers) -> None:
        """Refuse handshakes that a page of another site started (browsers always say which)."""
        origin = headers.get("origin")
        if origin is not None and origin not in self._origins:
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": "origin not allowed"})
            return
        await self._app(scope, self._leaving.until(receive), send)

    async def _http(self, scope: Scope, receive: Receive, send: Send, headers: Headers) -> None:
        path, host = str(scope["path"]), headers.get("host", "")

        async def decorated(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._decorate(MutableHeaders(scope=message), path, host)
            await send(message)

        outgoing: Send = decorated
        if scope["method"] == "HEAD" and _is_rest(path):
            scope = {**scope, "method": "GET"}
            outgoing = _without_body(decorated)
        meter = BodyMeter(self._settings.max_body, receive, outgoing)
        declared = headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > self._settings.max_body:
            await meter.refuse(scope)
            return
        try:
            await self._app(scope, meter.receive, meter.send)
        except BaseException:
            if not meter.exceeded:
                raise
        if meter.exceeded and not meter.started:
            await meter.refuse(scope)

    def _decorate(self, headers: MutableHeaders, path: str, host: str) -> None:
        for name, value in self._headers.items():
            headers.setdefault(name, value)
        headers[HEADER] = request_id.get()
        if "location" in headers:
            headers["location"] = here(headers["location"], host)
        if _is_rest(path):
            headers.setdefault("Cache-Control", "no-store")


def here(location: str, host: str) -> str:
    """Return ``location`` as a path when it names ``host``, the Host header of the request.

    The server of the pages builds such addresses out of that header, which anybody can write, and
    with the scheme before the proxy that ends TLS: a setup link would travel on in plain text.
    """
    parts = urlsplit(location)
    if not host or parts.netloc != host:
        return location
    # Two slashes at the start would name another host.
    return urlunsplit(("", "", "/" + parts.path.lstrip("/"), parts.query, parts.fragment))


def _is_rest(path: str) -> bool:
    return any(path == part or path.startswith(part + "/") for part in _REST)


def _without_body(send: Send) -> Send:
    """Answer HEAD as GET does, with the same headers and nothing after them."""

    async def head(message: Message) -> None:
        await send({**message, "body": b""} if "body" in message else message)

    return head


class BodyMeter:
    """Counts the bytes of a body as they stream by, and ends the request that sends too many."""

    def __init__(self, limit: int, receive: Receive, send: Send) -> None:
        self._limit = limit
        self._receive = receive
        self._send = send
        self._seen = 0
        self.exceeded = False
        self.started = False

    async def receive(self) -> Message:
        """Pass the next message on.

        Raises:
            TooLarge: the body is beyond the limit; the REST routes answer it, for all others
                the layer does.
        """
        message = await self._receive()
        self._seen += len(message.get("body", b""))
        if self._seen > self._limit:
            self.exceeded = True
            raise self._error()
        return message

    async def send(self, message: Message) -> None:
        """Pass ``message`` on, except for a 500 that only tells of the interruption."""
        if message["type"] == "http.response.start":
            if self.exceeded and message["status"] >= 500:
                return
            self.started = True
        if self.started:
            await self._send(message)

    async def refuse(self, scope: Scope) -> None:
        """Answer 413."""
        error = self._error()
        self.started = True
        response = problem(
            status=error.status,
            code=error.code,
            detail=error.message,
            instance=str(scope["path"]),
            context=error.context,
            headers={"Connection": "close"},
        )
        await response(scope, self._receive, self._send)

    def _error(self) -> TooLarge:
        return TooLarge(f"The body is larger than {self._limit:,} bytes.", limit=self._limit)
