"""Pages that follow the database: one loop per open page, woken by the change feed.

A page's state says what it wants to know (``_ask``) and how to show it (``_show``); the loop does
the rest: it waits for a change, reads once for all browsers that ask the same, sends what differs,
looks at the session again, and keeps trying when the database is away.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any, cast

import reflex as rx

from agent_console.domain.access import Actor
from agent_console.domain.errors import ConsoleError, Unauthenticated, Unavailable
from agent_console.domain.events import BEATS, RUNS
from agent_console.store.feed import Change, Still
from agent_console.ui import bridge, guard
from agent_console.ui.guard import GuardedState
from agent_console.ui.states.session import OUTAGE, Session

COALESCE = 0.1  # seconds between two updates of one page
PATIENCE = 30.0  # seconds until a page looks again although nothing changed
SETTLE = 1.2  # seconds after a change: who was let in from memory then is read anew
AHEAD = 0.02  # seconds that what is there already waits for the rest of its page
RETRY = 2.0  # seconds until a failed read is tried again
STALE = "Updates are delayed. Trying again…"
_readings = count(1)
_LOG = logging.getLogger(__name__)


def unmoved_by_beats(_answer: object, change: Change) -> bool:
    """Say that beats of workers change nothing of an answer."""
    return change.is_of(BEATS)


def unmoved_by_runs(_answer: object, change: Change) -> bool:
    """Say that running jobs change nothing of an answer, which is about what waits for people."""
    return change.is_of(RUNS)


@dataclass(frozen=True, slots=True)
class Ask:
    """What a page wants to know now.

    ``key`` identifies the answer among browsers of people with the same permissions; include the
    actor's id when the answer is personal. ``read`` runs in a thread. A page that shows one thing
    names it in ``subject``: what was shown of another is hidden at once. ``every`` (seconds) is how
    old an answer may get although nothing was published. ``still`` says of an answer whether a
    change leaves it as it is. ``unseen``: it shows what no change tells of, such as files, and is
    read anew for who has just come. ``own``: it is for one person alone.
    """

    key: Hashable
    read: Callable[[], Any]
    subject: str = ""
    every: float = PATIENCE
    still: Still = unmoved_by_beats
    unseen: bool = False
    own: bool = False


class LiveState(GuardedState, mixin=True):
    """What live pages share. ``problem`` is set instead of content (not found, not allowed)."""

    loaded: bool = False
    stale: str = ""
    problem: str = ""
    problem_code: str = ""
    _subject: str = ""
    _loop: str = ""  # which one may run: a page is followed once, however often it asks
    _reading: str = ""  # the loop's reading under way; an event that shows a newer one clears it

    def _ask(self, actor: Actor) -> Ask:  # noqa: ARG002 - for each page to say
        """Return what to read, from the address and this state; called under the state's lock."""
        raise AssertionError(f"{type(self).__name__} does not say what it asks for")

    def _show(self, answer: Any) -> None:  # noqa: ARG002 - for each page to say
        """Take over ``answer``, the result of ``Ask.read``; called under the state's lock."""
        raise AssertionError(f"{type(self).__name__} does not say what it shows")

    def _ask_next(self, actor: Actor, answer: Any) -> Ask | None:  # noqa: ARG002 - as above
        """Return what to read once ``answer`` is shown; None when that was all."""
        return None

    async def _reread(self, actor: Actor) -> None:
        """Show what is true after a change made by this page itself, ahead of the loop."""
        ask: Ask | None = self._ask(actor)
        while ask is not None:
            answer = await bridge.call(ask.read)
            if isinstance(answer, bridge.Failure):
                return
            self._reading = ""
            self._show(answer)
            ask = self._ask_next(actor, answer)

    def _turn_to(self, subject: str) -> None:
        if subject != self._subject:
            self._subject = subject
            self._put(loaded=False, problem="", problem_code="")


async def follow(page: LiveState) -> rx.event.EventSpec | None:
    """Keep ``page`` true until it is left; the body of each page's background ``watch``.

    Returns where to go when the session has ended. A newer loop of the same page ends this one:
    anybody signed in may call ``watch`` as often as they like.
    """
    seen: int | None = None
    last: _Round | None = None
    due = 0.0  # when to look again although nothing changed; monotonic
    settling = False  # then only who may look, which was known from memory
    async with page:
        mine = page._loop = bridge.request_id()
    while True:
        feed = bridge.services().feed
        left = due - time.monotonic()
        version = feed.version if seen is None else await feed.wait(seen, max(0.0, left))
        if page._loop not in {"", mine}:
            return None
        if last and version != seen and left > 0 and last.stands(page, feed.since(seen or 0)):
            seen = version
            continue
        try:
            if last and settling and version == seen and await _may_still(page, last):
                settling, due = False, time.monotonic() + last.good
                continue
            last = await _refresh(page, last)
            settling = version != seen and last.good > SETTLE
            patience = SETTLE if settling else last.good
        except Unauthenticated:
            async with page:
                path = f"{page.router.url.path}?{page.router.url.query}".rstrip("?")
            return rx.redirect(await guard.login_address(path))
        except ConsoleError as error:
            seen, last, patience = await _trouble(page, error, version), None, PATIENCE
        except Exception as error:  # noqa: BLE001  - the loop must outlive a bad read
            _LOG.exception("a live page could not be read")
            seen, last, patience = await _trouble(page, error, version), None, PATIENCE
        else:
            seen = version
        due = time.monotonic() + patience
        await asyncio.sleep(COALESCE)


@dataclass(slots=True)
class _Round:
    """What a loop has shown last, and to whom; woken again, it most often asks the same."""

    actor: Actor
    reading: str
    shown: list[tuple[Ask, Any]] = field(default_factory=list)  # with what was answered

    def holds(self, page: LiveState) -> bool:
        """Say whether it is still what is on the screen."""
        return page._reading == self.reading

    @property
    def good(self) -> float:
        """Seconds until something on the page is to be read again although nothing changed."""
        return min((ask.every for ask, _ in self.shown), default=RETRY)

    def stands(self, page: LiveState, changes: Iterable[Change]) -> bool:
        """Say whether all that is on the screen is as it was, after ``changes``."""
        return self.holds(page) and all(
            ask.still(answer, one) for one in changes for ask, answer in self.shown
        )


async def _may_still(page: LiveState, last: _Round) -> bool:
    """Say whether who looks at ``page`` may see what it shows; that is all that was in doubt.

    Asked without the page's lock: every page that a change woke asks at the same moment.

    Raises:
        Unauthenticated: the session has ended.
    """
    actor = await page._actor()
    return last.holds(page) and last.actor.permissions == actor.permissions


async def _refresh(page: LiveState, last: _Round | None) -> _Round:
    """Read and show what ``page`` asks now, after what it has shown ``last``.

    None: somebody has just come, and is shown what is true now, files included. Else what was
    shown last is read ahead, and shown in one turn with the question what to show: each turn
    costs the page a lock, a comparison and a message.
    """
    ready = {} if last is None else await _read_ahead(last)
    async with page:
        own, session = _own(page), await page.get_state(Session)
        actor = await own._actor()
        ask: Ask | None = (first := own._ask(actor))
        own._turn_to(first.subject)
        if last and not (last.holds(own) and last.actor.permissions == actor.permissions):
            ready = {}
        now = _Round(actor, str(next(_readings)))
        own._reading = now.reading
        ask = _show_ready(own, session, now, ask, ready)
    while ask is not None:
        answer = await _read(actor, ask, fresh=last is None)
        async with page:
            own, session = _own(page), await page.get_state(Session)
            if own._reading == now.reading:
                ask = _show_ready(own, session, now, ask, {ask.key: answer})
                continue
            ask = None  # a newer loop, or an event, shows what is true
            if not own._reading:
                own._put(loaded=True, stale="", problem="", problem_code="")
    return now


def _show_ready(
    own: LiveState,
    session: Session,
    now: _Round,
    ask: Ask | None,
    ready: dict[Hashable, tuple[Any, int]],
) -> Ask | None:
    """Show what is ``ready`` of what is asked; return what is to be read for the rest."""
    while ask is not None and ask.key in ready:
        answer, pending = ready.pop(ask.key)
        if session.pending != pending:
            session.pending = pending
        if session.outage:
            session.outage = ""
        now.shown.append((ask, answer))
        own._show(answer)
        ask = own._ask_next(now.actor, answer)
    if ask is None:
        own._put(loaded=True, stale="", problem="", problem_code="")
    return ask


async def _read_ahead(last: _Round) -> dict[Hashable, tuple[Any, int]]:
    """Return new answers to what was asked last: the first, and what is there soon after it.

    What takes longer, or cannot be read, is left to who asks again; it is not read twice.
    """
    reads = {
        ask.key: asyncio.ensure_future(_read(last.actor, ask, fresh=False)) for ask, _ in last.shown
    }
    tasks = [*reads.values()]
    if tasks:
        await asyncio.wait(tasks[:1])
        await asyncio.wait(tasks, timeout=AHEAD)
    ready = {
        key: task.result()
        for key, task in reads.items()
        if task.done() and not task.cancelled() and task.exception() is None
    }
    for task in tasks:
        task.cancel()
    return ready


def _own(page: LiveState) -> LiveState:
    """Return the state inside the proxy that a loop is given; only while the loop holds it.

    The proxy looks at every access whether it is held, which costs more than all the rest.
    """
    return cast("LiveState", getattr(page, "__wrapped__", page))


async def _read(actor: Actor, ask: Ask, *, fresh: bool) -> tuple[Any, int]:
    """Return the answer to ``ask``, and how many checkpoints wait."""
    scope = actor.permissions
    review, snapshots = bridge.services().review, bridge.snapshots()
    return await asyncio.gather(
        snapshots.get(
            (scope, ask.key, int(time.monotonic() / ask.every)),
            ask.read,
            still=ask.still,
            fresh=fresh and ask.unseen,
            own=ask.own,
        ),
        snapshots.get(
            (scope, "pending"), partial(review.pending_count, actor), still=unmoved_by_runs
        ),
    )


async def _trouble(page: LiveState, error: Exception, version: int) -> int | None:
    """Show that ``error`` stands in the way; return the version seen, None to try again."""
    lasting = isinstance(error, ConsoleError) and error.status < 500
    async with page:
        if lasting:
            page._put(problem=bridge.failure(error).notice.text, problem_code=_code(error))
            page._put(stale="", loaded=True)
        else:
            page._put(stale=STALE)
            session = await page.get_state(Session)
            if isinstance(error, Unavailable) and session.outage != OUTAGE:
                session.outage = OUTAGE
    if lasting:
        return version
    await asyncio.sleep(RETRY)
    return None


def _code(error: Exception) -> str:
    return error.code if isinstance(error, ConsoleError) else "internal"


def live_page(
    app: rx.App,
    route: str,
    title: str | rx.Var[str],
    body: Callable[[], rx.Component],
    *watch: rx.event.EventType[()],
) -> None:
    """Register the page ``body`` at ``route``; ``watch`` are the loops that keep it true."""
    shown = f"{title} · agent_console" if isinstance(title, str) else title
    app.add_page(body, route=route, title=shown, on_load=list(watch))
