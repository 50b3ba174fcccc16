"""Prefixed, time-sortable ids."""

from __future__ import annotations

import uuid_utils


def new_id(prefix: str) -> str:
    """Return ``prefix_`` and the 32 hex digits of a UUIDv7: ids sort by creation time."""
    return f"{prefix}_{uuid_utils.uuid7().hex}"
