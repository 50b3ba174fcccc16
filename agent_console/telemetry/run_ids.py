"""The ids of the run in progress, on every line that is written meanwhile.

Bound as they are and put into words only when a line is written: most runs write none.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from contextvars import ContextVar, Token
from typing import NamedTuple

from structlog.typing import EventDict, WrappedLogger

from agent_console.domain import trace


class RunIds(NamedTuple):
    """What a line says of the run in which it was written."""

    job_id: str
    job_type: str
    attempt: int
    traceparent: str | None


_run: ContextVar[RunIds | None] = ContextVar("run_ids", default=None)


class Bound(AbstractContextManager[None]):
    """Binds the ids for the length of a block."""

    __slots__ = ("_ids", "_token")

    def __init__(self, ids: RunIds) -> None:
        """Bind nothing before the block begins."""
        self._ids = ids

    def __enter__(self) -> None:
        self._token: Token[RunIds | None] = _run.set(self._ids)

    def __exit__(self, *_: object) -> None:
        _run.reset(self._token)


def add_run_ids(_logger: WrappedLogger, _method: str, event_dict: EventDict) -> EventDict:
    """Add the ids of the run; what the line itself says goes before."""
    if (ids := _run.get()) is not None:
        event_dict.setdefault("job_id", ids.job_id)
        event_dict.setdefault("job_type", ids.job_type)
        event_dict.setdefault("attempt", ids.attempt)
        trace_id = trace.of_job(ids.job_id, ids.traceparent).trace_id
        event_dict.setdefault("trace_id", trace_id)
    return event_dict
