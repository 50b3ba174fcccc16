"""Every error as one shape: problem details (RFC 9457), ``application/problem+json``."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from agent_console.api.request_id import request_id
from agent_console.api.schemas.base import instant
from agent_console.domain.errors import ConsoleError, FieldError, Invalid

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:agent-console:problem:"
_NAME_SHOWN = 80  # characters of a client's own key that an answer repeats
_ERRORS_SHOWN = 50  # refused fields that one answer lists
RETRY_AFTER = 1  # seconds, when an error that passes does not say how long it takes

_log = logging.getLogger(__name__)


class MalformedJson(ConsoleError):
    """The body is not valid JSON."""

    code = "malformed_json"
    status = 400


class UnsupportedMediaType(ConsoleError):
    """Send the body as application/json."""

    code = "unsupported_media_type"
    status = 415


class MethodNotAllowed(ConsoleError):
    """This address does not answer to that method."""

    code = "method_not_allowed"
    status = 405


class CrossOrigin(ConsoleError):
    """A signed-in browser may change things only from the console's own pages."""

    code = "cross_origin"
    status = 403


_BY_STATUS = {
    400: "bad_request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
    429: "rate_limited",
    503: "unavailable",
}


class ProblemResponse(JSONResponse):
    """A problem document as an answer."""

    media_type = MEDIA_TYPE


def problem(
    *,
    status: int,
    code: str,
    detail: str,
    instance: str,
    errors: Sequence[FieldError] = (),
    context: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
) -> ProblemResponse:
    """Build the answer; ``context`` adds facts such as ``currentStatus`` beside the members."""
    body: dict[str, object] = {key: _plain(value) for key, value in (context or {}).items()}
    body |= {
        "type": TYPE_PREFIX + code,
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "detail": detail,
        "instance": instance,
        "code": code,
        "errors": [{"field": e.field, "message": e.message} for e in errors],
        "requestId": request_id.get(),
    }
    return ProblemResponse(body, status_code=status, headers=dict(headers or {}))


def of_console_error(error: ConsoleError, instance: str) -> ProblemResponse:
    """Turn an error of the domain into its problem; 500s keep their text for the log."""
    if error.status >= 500 and error.status != 503:
        _log.error("request failed: %s", error, exc_info=error)
        return internal(instance)
    fields = error.fields if isinstance(error, Invalid) else ()
    return problem(
        status=error.status,
        code=error.code,
        detail=error.message,
        instance=instance,
        errors=fields,
        context=error.context,
        headers=_headers(error.status, error.context),
    )


def internal(instance: str) -> ProblemResponse:
    """Return the 500: no exception text, only the request id to find it in the log by."""
    return problem(
        status=500,
        code="internal",
        detail="Something went wrong inside the console. The log has it under this request id.",
        instance=instance,
    )


def _headers(status: int, context: Mapping[str, object]) -> dict[str, str]:
    if status == 401:
        return {"WWW-Authenticate": 'Bearer realm="agent_console"'}
    if status == 405:
        return {"Allow": ", ".join(_strings(context.get("allow")))}
    if status in {429, 503}:
        return {"Retry-After": str(_seconds(context.get("retryAfter")))}
    return {}


def _strings(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list | tuple) else []


def _seconds(value: object) -> int:
    """Round up: a client that comes back early is only refused again."""
    if isinstance(value, int | float):
        return max(1, int(-(-value // 1)))
    return RETRY_AFTER


def _plain(value: object) -> object:
    match value:
        case datetime():
            return instant(value)
        case Enum():
            return value.value
        case Mapping():
            return {str(k): _plain(v) for k, v in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(v) for v in value]
        case None | bool() | int() | float() | str():
            return value
        case _:
            return str(value)


def field_path(location: Sequence[object]) -> str:
    """Return ``inputData.files.0.path`` for pydantic's ``("body", "inputData", "files", 0, …)``."""
    parts = [str(part)[:_NAME_SHOWN] for part in location]
    if parts and parts[0] in {"body", "query", "path", "header", "cookie"}:
        parts = parts[1:]
    return ".".join(parts)


def _field_error(error: Mapping[str, Any]) -> FieldError:
    path = field_path(error.get("loc", ()))
    message = str(error.get("msg", "is not acceptable")).removeprefix("Value error, ")
    if not path and error.get("type") == "missing":
        message = "A JSON body is required."
    return FieldError(path, message)


def _path(request: Request) -> str:
    return request.url.path


def _on_console_error(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, ConsoleError)  # noqa: S101 - registered for this class only
    return of_console_error(error, _path(request))


def _on_validation(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - as above
    fields = [_field_error(e) for e in error.errors()[:_ERRORS_SHOWN]]
    return of_console_error(Invalid(fields=fields), _path(request))


def _on_http_exception(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - as above
    return problem(
        status=error.status_code,
        code=_BY_STATUS.get(error.status_code, f"http_{error.status_code}"),
        detail=str(error.detail),
        instance=_path(request),
        headers=error.headers,
    )


def _on_anything(request: Request, error: Exception) -> ProblemResponse:
    _log.error("request failed: %s", type(error).__name__, exc_info=error)
    return internal(_path(request))


def install(app: FastAPI) -> None:
    """Make every error that ``app`` answers with a problem document."""
    app.add_exception_handler(ConsoleError, _on_console_error)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(Exception, _on_anything)
