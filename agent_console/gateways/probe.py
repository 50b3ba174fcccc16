"""Asks a running console how it is; over HTTP, and only the address it is told."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from agent_console.domain.errors import Invalid, Unavailable

MAX_ANSWER = 65_536  # bytes; a health report has about a thousand


@dataclass(frozen=True, slots=True)
class Answer:
    """What a health address said: the HTTP status and the fields of its JSON object."""

    status: int
    fields: dict[str, object] = field(default_factory=dict)


def ask(url: str, path: str, timeout: float) -> Answer:
    """GET ``path`` of the console at ``url``; follows no redirect.

    ``timeout``: seconds for each of connecting, sending and every read.

    Raises:
        Invalid: ``url`` is no http or https address.
        Unavailable: nobody answers there, or not like a console does.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise Invalid.field("url", "an address such as http://127.0.0.1:3000 is needed")
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname, parts.port, timeout=timeout)
    try:
        connection.request("GET", path, headers={"Accept": "application/json"})
        response = connection.getresponse()
        text = response.read(MAX_ANSWER)
    except (OSError, HTTPException) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise Unavailable(f"Nobody answers at {url}: {reason}.") from error
    finally:
        connection.close()
    return Answer(response.status, _fields(text, url))


def _fields(text: bytes, url: str) -> dict[str, object]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise Unavailable(f"What answers at {url} is no console.") from error
    if not isinstance(value, dict):
        raise Unavailable(f"What answers at {url} is no console.")
    return value
