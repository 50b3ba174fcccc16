"""The one route class: guard first, then a bounded and strict body, then FastAPI's own work."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from agent_console.api import problems, strict_json
from agent_console.api.context import context_of
from agent_console.api.guard import Declaration, admit, declaration_of
from agent_console.domain.errors import ConsoleError, Invalid, NotFound, TooLarge, Unauthenticated

_log = logging.getLogger(__name__)
_SMALL = 16_384  # bytes; below, parsing costs less than a thread

_Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class _ParsedRequest(Request):
    """A request whose body was read and parsed already."""

    raw_body: bytes = b""
    value: Any = None

    async def body(self) -> bytes:
        """Return the bytes that came."""
        return self.raw_body

    async def json(self) -> Any:
        """Return the strictly parsed value."""
        return self.value


class GuardedRoute(APIRoute):
    """A route that admits, then parses, then answers; its errors are problems."""

    declaration: Declaration | None = None

    def get_route_handler(self) -> _Handler:
        """Wrap FastAPI's handler."""
        self.declaration = declaration_of(self.dependant)
        plain = super().get_route_handler()
        return self._guarded(plain)

    def _guarded(self, plain: _Handler) -> _Handler:
        async def handler(request: Request) -> Response:
            if self.declaration is None:
                raise Unauthenticated
            request.state.actor = await run_in_threadpool(admit, request, self.declaration)
            _check_text(request)
            if self.body_field is not None:
                request = await _parsed(request)
            try:
                return await plain(request)
            except (ConsoleError, HTTPException, RequestValidationError, ClientDisconnect):
                raise
            except Exception:  # noqa: BLE001 - the last line: logged whole, answered bare
                _log.exception("%s %s failed", request.method, self.path)
                return problems.internal(request.url.path)

        return handler


def _check_text(request: Request) -> None:
    """Refuse NUL, which one of the databases would: an id that cannot exist, a bad filter."""
    if any("\x00" in str(value) for value in request.path_params.values()):
        raise NotFound
    for name, value in request.query_params.multi_items():
        if "\x00" in value or "\x00" in name:
            raise Invalid.field(name.replace("\x00", "\\u0000")[:80], "contains a NUL character")


async def read_body(request: Request, limit: int) -> bytes:
    """Return the body, never holding more than ``limit`` bytes and one chunk of it.

    Raises:
        TooLarge: it is longer; nothing was parsed.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise TooLarge(f"The body is larger than {limit:,} bytes.", limit=limit)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise TooLarge(f"The body is larger than {limit:,} bytes.", limit=limit)
    return bytes(body)


async def _parsed(request: Request) -> Request:
    body = await read_body(request, context_of(request).settings.max_body)
    parsed = _ParsedRequest(request.scope, request.receive)
    if body:
        _check_content_type(request)
        parsed.raw_body = body
        if len(body) <= _SMALL:
            parsed.value = strict_json.parse(body)
        else:
            parsed.value = await run_in_threadpool(strict_json.parse, body)
    return parsed


def _check_content_type(request: Request) -> None:
    media_type, _, parameters = request.headers.get("content-type", "").partition(";")
    charset = parameters.strip().lower().replace('"', "")
    if media_type.strip().lower() != "application/json":
        raise problems.UnsupportedMediaType
    if charset.startswith("charset=") and charset != "charset=utf-8":
        raise problems.UnsupportedMediaType("Send JSON as UTF-8.")


def resource_router(tag: str) -> APIRouter:
    """Return an empty router for one resource, with guarded routes."""
    return APIRouter(
        route_class=GuardedRoute,
        tags=[tag],
        generate_unique_id_function=lambda route: f"{tag.lower()}_{route.name}".replace("-", "_"),
    )
