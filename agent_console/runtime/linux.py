"""What Linux offers to those who start processes; elsewhere each of these does nothing."""

from __future__ import annotations

import ctypes
import os
import resource
import sys
from pathlib import Path

_SET_PDEATHSIG, _SET_CHILD_SUBREAPER = 1, 36
_PAGE = resource.getpagesize()

HERE = sys.platform == "linux"


def die_with_parent(signal: int) -> None:
    """Be sent ``signal`` when the thread that started this process ends."""
    _prctl(_SET_PDEATHSIG, signal)


def adopt_orphans() -> None:
    """Become the parent of what descendants leave behind when they end."""
    _prctl(_SET_CHILD_SUBREAPER, 1)


def children() -> list[int]:
    """Return the processes whose parent this one is; call it on the main thread."""
    path = Path(f"/proc/self/task/{os.getpid()}/children")
    return [int(pid) for pid in path.read_text().split()] if path.exists() else []


def data_bytes() -> int:
    """Return how much private, writable memory is mapped: what ``RLIMIT_DATA`` counts."""
    if not HERE:
        return 0
    return int(Path("/proc/self/statm").read_text().split()[5]) * _PAGE


def limit_data(more: int) -> None:
    """Let this process map at most ``more`` bytes beyond what it has; ``lift_data`` undoes it.

    ``RLIMIT_DATA``, not ``RLIMIT_AS``: address space is reserved in plenty by threads and numeric
    libraries that never use it, shared libraries and mapped files included.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = data_bytes() + more
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (allowed, hard))


def lift_data() -> None:
    """Take the limit away again, as far as the system allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))


def _prctl(option: int, value: int) -> None:
    if HERE:
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
