"""What the OpenAPI document says of errors: one shape, by status."""

from __future__ import annotations

from typing import Any

from agent_console.api.schemas.base import Problem

_MEANING = {
    400: "The body is not JSON.",
    401: "Nobody is signed in, or the API token is not valid.",
    403: "The account may not do this, or another site sent the request.",
    404: "There is nothing here with that id.",
    409: "The current state does not allow this; names it, and for decisions who won and when.",
    413: "The body is larger than allowed.",
    415: "The body is not application/json.",
    422: "Some fields are not acceptable; lists them.",
    429: "Too many attempts; Retry-After says when to come back.",
    503: "The database is not available; Retry-After says when to come back.",
}
_RETRY_AFTER = {
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}
}

READING = (401, 403, 422, 503)
READING_ONE = (*READING, 404)
ACTING = (*READING_ONE, 409)
WRITING = (*ACTING, 400, 413, 415)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the ``responses`` of a route that may answer with ``statuses``."""
    return {status: _response(status) for status in sorted(statuses)}


def _response(status: int) -> dict[str, Any]:
    response: dict[str, Any] = {
        "description": _MEANING[status],
        "content": {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
        },
    }
    if status in {429, 503}:
        response["headers"] = _RETRY_AFTER
    return response


def problem_schema() -> dict[str, Any]:
    """Return the schemas that ``problems`` refers to, for ``components``."""
    schema = Problem.model_json_schema(by_alias=True, ref_template="#/components/schemas/{model}")
    inner: dict[str, Any] = schema.pop("$defs", {})
    return inner | {"Problem": schema}
