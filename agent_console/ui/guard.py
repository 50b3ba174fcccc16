"""The gate before every event: nothing runs that did not say who may run it.

Reflex lets any socket call any handler of any state. So every handler of ours carries
``@guarded(...)``; the gate reads the session anew for each event, refuses what is not declared,
and forgets everything when another person signs in on the same connection. The services check
permissions again: this is the first of two doors, not the only one.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast
from urllib.parse import quote

import reflex as rx
from reflex.event import EventSpec
from reflex.state import BaseState, StateUpdate
from reflex_base.event import Event
from reflex_base.registry import RegistrationContext

from agent_console.domain.access import Actor, Permission, refusal
from agent_console.domain.errors import Unauthenticated, Unavailable
from agent_console.ui import bridge, intake
from agent_console.ui.bridge import Notice
from agent_console.ui.states.session import OUTAGE, Session

F = TypeVar("F", bound=Callable[..., Any])

_ROOT = rx.State.get_full_name()
_ON_LOAD = f"{_ROOT}.reflex___state____on_load_internal_state"
FRAMEWORK = frozenset(
    {
        f"{_ROOT}.hydrate",
        f"{_ROOT}.hydrate_and_load",
        f"{_ROOT}.set_is_hydrated",
        f"{_ON_LOAD}.on_load_internal",
        f"{_ON_LOAD}.set_is_hydrated",
        f"{_ROOT}.reflex___state____update_vars_internal_state.update_vars_internal",
        f"{_ROOT}.reflex___state____frontend_event_exception_state.handle_frontend_exception",
    }
)
OPEN_PAGES = frozenset({"/login", "/setup"})
MISFIT = "The page sent something the console cannot read; load the page anew."
# Events by which a page begins: they only look, and may be asked for again.
_OF_PAGES = frozenset({"watch", "load"})
AGAIN = 1.0  # seconds until then
_LOG = logging.getLogger(__name__)
_MARK = "__console_guard__"
_UNDECLARABLE = frozenset({"setvar"})  # Reflex gives it to every state; the gate refuses it always


@dataclass(frozen=True, slots=True)
class Guard:
    """What an event handler asks for: a permission, or (None) merely a signed-in account."""

    permission: Permission | None


def guarded(permission: Permission | None = None) -> Callable[[F], F]:
    """Declare who may call an event handler; goes below ``@rx.event``."""

    def mark(handler: F) -> F:
        setattr(handler, _MARK, Guard(permission))
        return handler

    return mark


def guard_of(event_name: str) -> Guard | None:
    """Return what the handler registered as ``event_name`` asks for; None if it said nothing."""
    registered = RegistrationContext.ensure_context().event_handlers.get(event_name)
    mark = getattr(registered.handler.fn, _MARK, None) if registered else None
    return mark if isinstance(mark, Guard) else None


def our_handlers() -> Mapping[str, Guard | None]:
    """Return every event handler but the framework's own, with what it declares."""
    return {
        name: guard_of(name)
        for name in RegistrationContext.ensure_context().event_handlers
        if name not in FRAMEWORK and name.rsplit(".", 1)[-1] not in _UNDECLARABLE
    }


def assert_all_guarded() -> None:
    """Refuse to start when an event handler does not declare its permission.

    Raises:
        RuntimeError: names the handlers.
    """
    bare = sorted(name for name, guard in our_handlers().items() if guard is None)
    if bare:
        raise RuntimeError(f"event handlers without @guarded: {', '.join(bare)}")


class GuardedState(rx.State, mixin=True):
    """What the states of pages share: who is asking, notices, and sparing assignment."""

    def _connection(self) -> tuple[str, str | None]:
        """Return the Cookie header and the address of the connection."""
        router = self.router  # put together anew for whoever looks at it
        return router.headers.cookie, router.session.client_ip or None

    async def _actor(self) -> Actor:
        """Return who is asking, read from the session now.

        Raises:
            Unauthenticated: the session has ended.
        """
        actor = await bridge.actor_of(*self._connection())
        if actor is None:
            raise Unauthenticated
        return actor

    async def _tell(self, notice: Notice) -> None:
        """Show ``notice`` to the person at the screen."""
        (await self.get_state(Session))._notify(notice)

    def _put(self, **values: object) -> None:
        """Assign what changed; Reflex would send equal values again."""
        for name, value in values.items():
            if getattr(self, name) != value:
                setattr(self, name, value)


class Notices(GuardedState, rx.State):
    """The verbs of the notices on the screen."""

    @rx.event
    @guarded()
    async def dismiss(self, notice_id: str) -> None:
        """Take a notice away."""
        (await self.get_state(Session))._dismiss(notice_id)

    @rx.event
    @guarded()
    async def fail(self) -> None:
        """Say that an event could not be handled; the log knows why."""
        await self._tell(Notice(bridge.request_id(), "error", bridge.UNEXPECTED, "internal"))


def handler_failed(exception: Exception) -> EventSpec:
    """Log what no handler expected, and tell the person at the screen; takes Reflex's place."""
    _LOG.error("an event could not be handled", exc_info=exception)
    return cast("Callable[[], EventSpec]", Notices.fail)()


class AuthGate(rx.Middleware):
    """Default deny, before every event, Reflex's own included."""

    async def preprocess(
        self,
        app: rx.App,  # noqa: ARG002  - Reflex's signature
        state: BaseState,
        event: Event,
    ) -> StateUpdate | None:
        """Let ``event`` pass (None) or answer it in place of its handler."""
        root = state._get_root_state()
        try:
            actor = await bridge.actor_of(
                str((root.router_data.get("headers") or {}).get("cookie", "")),
                root.router_data.get("ip"),
            )
        except Unavailable as error:
            if event.name in FRAMEWORK:  # the frame may be drawn; the banner says why it is empty
                root.reset()
                (await root.get_state(Session)).outage = OUTAGE
                return None
            if event.name.rpartition(".")[2] in _OF_PAGES:
                return await _later(root, event)
            return await _refuse(root, bridge.failure(error).notice, event)
        except Exception as error:  # noqa: BLE001  - whatever it is: no answer, no entry
            return await _refuse(root, bridge.failure(error).notice, event)
        session = await root.get_state(Session)
        if session.user_id != ((actor.id if actor else None) or ""):
            root.reset()
        session._become(actor)
        if event.name in FRAMEWORK:
            return None if _fits(event) else StateUpdate()
        if actor is None:
            return await _to_login(root)
        guard = guard_of(event.name)
        if guard is None:
            return StateUpdate()
        if guard.permission is not None and not actor.may(guard.permission):
            if _bar(root, event, refusal(guard.permission)):
                return StateUpdate(delta=await _delta(root))
            rid = bridge.request_id()
            notice = Notice(rid, "error", refusal(guard.permission), "forbidden", rid)
            return await _refuse(root, notice, event)
        if not _fits(event):
            rid = bridge.request_id()
            return await _refuse(root, Notice(rid, "error", MISFIT, "invalid", rid), event)
        return None


def _fits(event: Event) -> bool:
    registered = RegistrationContext.ensure_context().event_handlers[event.name]
    return intake.fits(registered.handler.fn, event.payload)


def _bar(root: BaseState, event: Event, why: str) -> bool:
    """Say ``why`` in place of the page that ``event`` begins; False where it begins none."""
    *path, handler = event.name.split(".")
    page = root.get_substate(path)
    if handler not in _OF_PAGES or not hasattr(page, "problem"):
        return False
    cast("GuardedState", page)._put(problem=why, problem_code="forbidden", loaded=True)
    return True


async def _refuse(root: BaseState, notice: Notice, event: Event) -> StateUpdate | None:
    if event.name in FRAMEWORK:  # the frame of a page may be drawn; it holds nothing
        root.reset()
    (await root.get_state(Session))._notify(notice)
    return None if event.name in FRAMEWORK else StateUpdate(delta=await _delta(root))


async def _later(root: BaseState, event: Event) -> StateUpdate:
    """Say that the database does not answer, and have the browser ask for its page again."""
    (await root.get_state(Session)).outage = OUTAGE
    await asyncio.sleep(AGAIN)
    again = Event(name=event.name, payload=event.payload)
    return StateUpdate(delta=await _delta(root), events=[again])


async def _delta(root: BaseState) -> Any:
    delta = await root._get_resolved_delta()
    root._clean()
    return delta


async def _to_login(root: BaseState) -> StateUpdate:
    path = str(root.router_data.get("asPath") or "/")
    delta = await _delta(root)  # what is still on the screen goes at once
    if path.partition("?")[0].rstrip("/") in OPEN_PAGES:
        return StateUpdate(delta=delta)
    away = rx.redirect(await login_address(path))
    return StateUpdate(delta=delta, events=Event.from_event_type(away))


async def login_address(path: str) -> str:
    """Return where somebody without a session must go, to come back to ``path``."""
    if await bridge.call(bridge.services().access.needs_setup) is True:
        return "/setup"
    return f"/login?next={quote(path, safe='/')}" if path.startswith("/") else "/login"


_COOKIE = re.compile(r"((?:__Host-)?ac_session=)[^;\s'\",}]+", re.IGNORECASE)
_TOKEN = re.compile(r"(ac_[0-9a-z]+_)[A-Za-z0-9_-]{16,}")


class Redact(logging.Filter):
    """Takes session cookies and API tokens out of log lines that print whole events."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite ``record`` in place; never drops it."""
        text = record.getMessage()
        clean = _TOKEN.sub(r"\1[redacted]", _COOKIE.sub(r"\1[redacted]", text))
        if clean != text:
            record.msg, record.args = clean, ()
        return True


def redact_event_logs() -> None:
    """Install :class:`Redact` where Reflex logs events."""
    for name in (
        "reflex_base.event.processor.event_processor",
        "reflex_base.event.processor.base_state_processor",
        "reflex.app",
    ):
        logging.getLogger(name).addFilter(Redact())
