"""Opaque cursors of keyset pages: the sort key of the last row shown."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from agent_console.domain.errors import Invalid


def encode(*key: str | int) -> str:
    """Return the cursor that continues after the row with sort key ``key``."""
    text = json.dumps(key, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(cursor: str, *kinds: type[str | int]) -> tuple[Any, ...]:
    """Return the sort key in ``cursor``, its parts of the given ``kinds``.

    Raises:
        Invalid: it is not a cursor of this list.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        parts = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        parts = None
    fits = isinstance(parts, list) and len(parts) == len(kinds)
    if not fits or not all(_is(part, kind) for part, kind in zip(parts, kinds, strict=True)):
        raise Invalid.field("cursor", "is not a cursor of this list.")
    return tuple(parts)


def _is(part: object, kind: type[str | int]) -> bool:
    if kind is int:
        # The bound is that of the database's BIGINT; beyond it the driver would raise.
        return type(part) is int and abs(part) < 2**63
    return isinstance(part, str) and len(part) <= 200 and part.isascii() and part.isprintable()
