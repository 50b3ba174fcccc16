"""Helpers for tests of the console and of handlers written for it. Not used by the product.

``Bench`` is a console in miniature: enqueue, run, approve, look. Below it, ``FakeClock`` stands
still until told to advance; ``drain`` runs every claimable job on the calling thread; ``new_job``
and ``enqueue`` make jobs with sensible defaults. Example::

    clock = FakeClock()
    db = Database(url, StoreOptions(), clock=clock)
    job_id = enqueue(db, "my-type", {"n": 1})
    drain(db, Registry([my_handler]), clock=clock)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from agent_console.testing.clock import FakeClock

if TYPE_CHECKING:
    from agent_console.testing.bench import Bench as Bench
    from agent_console.testing.draining import drain as drain
    from agent_console.testing.factories import enqueue as enqueue
    from agent_console.testing.factories import new_job as new_job

_HOMES = {
    "Bench": "agent_console.testing.bench",
    "drain": "agent_console.testing.draining",
    "enqueue": "agent_console.testing.factories",
    "new_job": "agent_console.testing.factories",
}

__all__ = ["Bench", "FakeClock", "drain", "enqueue", "new_job"]


def __getattr__(name: str) -> object:
    """Load a helper on first use: a test of the clock alone needs no engine."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value
