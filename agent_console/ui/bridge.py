"""Between the event loop of the pages and the threads of the services; nobody else knows both.

A page asks ``await call(services().jobs.get, actor, job_id)`` and gets the answer, or a
:class:`Failure` that can be shown as it is.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from agent_console.domain.access import Actor
from agent_console.domain.errors import ConsoleError, FieldError, Invalid
from agent_console.store.feed import SnapshotCache
from agent_console.ui.together import Together

if TYPE_CHECKING:
    from agent_console.services import Services
    from agent_console.settings import Settings

P = ParamSpec("P")
T = TypeVar("T")

UNEXPECTED = "Something went wrong in the console. The log has the details."
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Notice:
    """A message to the person at the screen. ``tone`` is success, info, warning or error."""

    id: str
    tone: str
    text: str
    code: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """A call that did not succeed: what to show, and which fields were refused."""

    notice: Notice
    status: int
    fields: tuple[FieldError, ...] = ()

    @property
    def code(self) -> str:
        """The problem type, such as ``conflict``."""
        return self.notice.code


@dataclass(frozen=True, slots=True)
class _Bound:
    services: Services
    settings: Settings
    snapshots: SnapshotCache
    sessions: Together[str, Actor]


_bound: _Bound | None = None


def bind(services: Services, settings: Settings) -> None:
    """Give the pages their services; called once by the composition root."""
    global _bound  # noqa: PLW0603  - Reflex makes the states itself: nothing can be handed to them
    _bound = _Bound(services, settings, SnapshotCache(services.feed), Together(_actors))


def _ready() -> _Bound:
    if _bound is None:
        raise RuntimeError("bridge.bind() has not been called")
    return _bound


def services() -> Services:
    """Return the bound services."""
    return _ready().services


def settings() -> Settings:
    """Return the bound settings."""
    return _ready().settings


def snapshots() -> SnapshotCache:
    """Return the reads shared by all browsers of this process."""
    return _ready().snapshots


def request_id() -> str:
    """Return a fresh id that connects a notice with a log line."""
    return f"req_{uuid.uuid4().hex[:12]}"


def note(tone: str, text: str) -> Notice:
    """Return a notice that is not an error."""
    return Notice(id=request_id(), tone=tone, text=text)


def failure(error: Exception) -> Failure:
    """Turn ``error`` into what may be shown; the unexpected is logged and not shown."""
    rid = request_id()
    if isinstance(error, ConsoleError):
        fields = error.fields if isinstance(error, Invalid) else ()
        notice = Notice(rid, "error", error.message, error.code, rid)
        if error.status >= 500:
            _LOG.warning("%s: %s", rid, error.message)
        return Failure(notice, error.status, fields)
    _LOG.error("%s: unexpected error", rid, exc_info=error)
    return Failure(Notice(rid, "error", UNEXPECTED, "internal", rid), 500)


async def call(fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | Failure:
    """Run ``fn`` in a thread and return its result, or the failure as a value."""
    try:
        return await asyncio.to_thread(fn, *args, **kwargs)
    except Exception as error:  # noqa: BLE001  - the screen's boundary: all becomes a notice
        return failure(error)


def cookie_name() -> str:
    """Return the session cookie's name; over TLS no other name counts: a neighbour can set it."""
    return "__Host-ac_session" if settings().origin.startswith("https://") else "ac_session"


def session_secret(cookie_header: str, name: str) -> str | None:
    """Return the session's secret, which the cookie ``name`` holds, or None.

    Read pair by pair, as the REST door does: a strict parser gives up at the first cookie that it
    does not like, and cookies of whatever else runs on the same host come along.
    """
    found = None
    for pair in cookie_header.split(";"):
        key, _, value = pair.partition("=")
        if key.strip() == name:
            found = value.strip().strip('"') or None
    return found


def _actors(secrets: Sequence[str]) -> Mapping[str, Actor]:
    return services().access.actors_for_sessions(secrets)


async def actor_of(cookie_header: str, ip: str | None = None) -> Actor | None:
    """Return who the connection belongs to now, or None; the session is read unless it just was.

    Raises:
        ConsoleError: the database cannot be asked; nobody is let in on a guess.
    """
    secret = session_secret(cookie_header, cookie_name())
    if secret is None:
        return None
    access = services().access
    if (known := access.remembered_actor(secret, ip)) is not None:
        return known
    actor = await _ready().sessions.get(secret)
    return None if actor is None else replace(actor, ip=ip)
