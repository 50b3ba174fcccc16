"""The id of the request being answered: in the answer, in problems, in log lines."""

from __future__ import annotations

import re
import secrets
from contextvars import ContextVar

HEADER = "X-Request-ID"
_ACCEPTED = re.compile(r"[A-Za-z0-9._:-]{1,64}")

request_id: ContextVar[str] = ContextVar("request_id", default="")


def choose(offered: str | None) -> str:
    """Return ``offered`` if it is harmless in logs and headers, else a new random id."""
    if offered is not None and _ACCEPTED.fullmatch(offered):
        return offered
    return f"req_{secrets.token_hex(12)}"
