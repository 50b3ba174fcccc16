"""Where a handler runs and what it may use, as values and in words."""

from __future__ import annotations

import re
from typing import Literal

from agent_console.domain.errors import Misconfigured

Isolation = Literal["thread", "process"]
ISOLATIONS: tuple[Isolation, ...] = ("thread", "process")
LEAST_MEMORY = 16_000_000  # bytes; below it not even an empty handler gets anywhere

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kKMG]i?)?B?")
_FACTORS = {"": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9}
_FACTORS |= {"ki": 2**10, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}


def bytes_of(size: int | str) -> int:
    """Return bytes as they are, or what words such as ``512 MB`` or ``1.5 GiB`` mean.

    Raises:
        Misconfigured: the words mean no size.
    """
    if isinstance(size, int):
        return size
    match = _SIZE.fullmatch(size.strip())
    if match is None:
        raise Misconfigured(f"{size!r} is no size; use bytes or words such as '512 MB' or '2 GiB'.")
    return int(float(match[1]) * _FACTORS[match[2] or ""])


def size_words(size: int) -> str:
    """Return ``size`` in bytes for people: ``512 MB``, ``1.5 GB``."""
    if size >= 10**9:
        return f"{size / 10**9:.3g} GB"
    return f"{size / 10**6:.4g} MB"


def limits_words(isolation: str, timeout: float | None, memory: int | None) -> str:
    """Return where a handler runs and its limits; empty for a thread without any."""
    where = "Runs in a process of its own" if isolation == "process" else ""
    limits = [f"at most {timeout:g} s"] if timeout is not None else []
    limits += [size_words(memory)] if memory is not None else []
    words = ", ".join([where, *limits] if where else limits)
    return words[:1].upper() + words[1:]
