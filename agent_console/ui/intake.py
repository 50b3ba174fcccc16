"""What arrives on the socket, before Reflex reads it: an event of these pages, or nothing.

Anybody can open a socket and send anything over it. Reflex answers what it cannot read with a
traceback that quotes it; here it is dropped, and said in one line, of which there are few.
"""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, get_origin, get_type_hints

import reflex as rx
from reflex_base.registry import RegistrationContext

SHOWN = 2_000  # characters of what a browser reports as its own failure
LINES = 20  # of one logger within a window; what anybody can cause must not fill the disk
WINDOW = 60.0  # seconds
_LOUD = (
    "engineio.server",
    "socketio.server",
    "reflex.app",
    "reflex_base.event.processor.base_state_processor",
    "reflex_base.event.processor.event_processor",
    "reflex_base.vars.base",
    "agent_console.ui.guard",
    __name__,
)
_LOG = logging.getLogger(__name__)


def guard_socket(app: rx.App) -> None:
    """Put the check in front of Reflex's own reading, and bounds on what it logs."""
    bound_logs()
    namespace = app.event_namespace
    if namespace is None:
        raise RuntimeError("the app has no socket: none of its pages has state")
    known = RegistrationContext.ensure_context().event_handlers
    plain = namespace.on_event

    async def on_event(sid: str, data: Any) -> None:
        if sid in namespace.sid_to_token and is_event(data, known):
            await plain(sid, data)
        else:
            _LOG.warning("a socket sent what is no event of these pages")

    namespace.on_event = on_event  # type: ignore[method-assign]


def is_event(data: object, known: Mapping[str, object]) -> bool:
    """Say whether ``data`` has the form of an event whose name is ``known``."""
    if not isinstance(data, dict):
        return False
    name, place = data.get("name"), data.get("router_data", {})
    if not isinstance(name, str) or name not in known or not isinstance(place, dict):
        return False
    texts = (place.get(key) for key in ("pathname", "asPath"))
    return (
        isinstance(data.get("payload", {}), dict)
        and all(text is None or isinstance(text, str) for text in texts)
        and isinstance(place.get("query") or {}, dict)
    )


def fits(handler: Callable[..., Any], payload: Mapping[str, Any]) -> bool:
    """Say whether ``payload`` has the arguments of ``handler``, each of the type it declares.

    Reflex does not look: a handler that declares a text may be handed a number or a list.
    """
    wanted = dict(list(inspect.signature(handler).parameters.items())[1:])  # without self
    needed = {name for name, one in wanted.items() if one.default is inspect.Parameter.empty}
    if not needed <= payload.keys() <= wanted.keys():
        return False
    hints = get_type_hints(handler)
    return all(_is_of(value, hints.get(name, Any)) for name, value in payload.items())


def _is_of(value: object, hint: Any) -> bool:
    kind = get_origin(hint) or hint
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, kind) if kind in {str, bool, dict} else True


def browser_failed(exception: Exception) -> None:
    """Log what a page says went wrong in its browser; anybody may say anything, at any length."""
    _LOG.warning("a page failed in its browser: %s", str(exception)[:SHOWN])


def bound_logs() -> None:
    """Let what sockets cause reach the log through our handler only, redacted and bounded."""
    for name in _LOUD:
        logger = logging.getLogger(name)
        if name.endswith(".server"):
            logger.handlers.clear()  # of their own: plain text to standard error
        logger.addFilter(Bounded(quiet=name.endswith(".server")))


class Bounded(logging.Filter):
    """Passes some lines per minute and then says how many it left out.

    ``quiet`` cuts tracebacks down to the kind of error: their text quotes what was sent.
    """

    def __init__(self, *, quiet: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock`` returns seconds."""
        super().__init__()
        self._quiet = quiet
        self._clock = clock
        self._began = clock()
        self._passed = self._left_out = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether ``record`` may pass; rewrites it in place."""
        now = self._clock()
        if now - self._began >= WINDOW:
            self._began, self._passed = now, 0
        if self._passed >= LINES:
            self._left_out += 1
            return False
        self._passed += 1
        text = record.getMessage()
        if self._quiet and record.exc_info:
            kind = record.exc_info[0]
            text = f"{text.strip()} ({kind.__name__ if kind else 'error'})"
            record.exc_info = record.exc_text = None
        if len(text) > 2 * SHOWN:
            text = f"{text[: 2 * SHOWN]}… ({len(text) - 2 * SHOWN} more characters)"
        if self._left_out:
            text = f"{text} ({self._left_out} lines like this were left out)"
            self._left_out = 0
        record.msg, record.args = text, ()
        return True
