"""Which trace work belongs to: the W3C Trace Context header ``traceparent``, kept with each job.

A job that somebody's trace caused belongs to that trace; any other begins one of its own. In the
latter the span id is the first half of the trace id: by that, whoever makes the first span of the
job knows its id, and everybody that it is the job's own beginning and not a caller's.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from contextlib import AbstractContextManager
from contextvars import ContextVar, Token
from dataclasses import dataclass

HEADER = "traceparent"
SAMPLED = 0x01

# Later versions may append fields; the first four keep their meaning.
_FORM = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_MAX = 512  # characters of a header that is looked at

_current: ContextVar[str | None] = ContextVar("traceparent", default=None)


@dataclass(frozen=True, slots=True)
class TraceContext:
    """A place in a trace; ids are lower-case hexadecimal, 32 and 16 digits long."""

    trace_id: str
    span_id: str
    flags: int = SAMPLED

    @property
    def is_beginning(self) -> bool:
        """Say whether this is the beginning of a job's own trace."""
        return self.span_id == self.trace_id[:16]

    def __str__(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-{self.flags & SAMPLED:02x}"


def parse(header: str | None) -> TraceContext | None:
    """Return what ``header`` says, or None when it is not a valid ``traceparent``."""
    match = _FORM.fullmatch(header.strip()) if header and len(header) <= _MAX else None
    if match is None or match[1] == "ff" or (match[1] == "00" and match[5]):
        return None
    if not int(match[2], 16) or not int(match[3], 16):
        return None
    return TraceContext(match[2], match[3], int(match[4], 16))


def beginning(trace_id: str | None = None) -> TraceContext:
    """Return the beginning of a trace of its own, by default a new one."""
    chosen = trace_id or secrets.token_hex(16)
    return TraceContext(chosen, chosen[:16])


def of_job(job_id: str, stored: str | None) -> TraceContext:
    """Return where a job belongs; one that stored nothing gets a trace by its id."""
    return parse(stored) or beginning(hashlib.sha256(job_id.encode()).hexdigest()[:32])


def current() -> TraceContext | None:
    """Return the place in a trace at which the caller works, if it does in one."""
    return parse(_current.get())


class within(AbstractContextManager[None]):  # noqa: N801 - reads like the function it is used as
    """Work at ``place``, a ``traceparent`` or anything else a header may hold, for the block."""

    __slots__ = ("_place", "_token")

    def __init__(self, place: str | None) -> None:
        """Change nothing before the block begins."""
        self._place = place

    def __enter__(self) -> None:
        self._token: Token[str | None] = _current.set(self._place)

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)
