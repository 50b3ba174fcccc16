"""Waiting for something that another process gives no sign of but its answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def until(look: Callable[[], Found], what: str, limit: float) -> Found:
    """Return the first true answer of ``look``, asked again and again for ``limit`` seconds."""
    deadline = time.monotonic() + limit
    while not (found := look()):
        if time.monotonic() >= deadline:
            raise AssertionError(f"{what} did not come in {limit} s")
        time.sleep(0.02)
    return found
