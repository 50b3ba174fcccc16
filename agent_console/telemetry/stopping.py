"""What a process that was told to stop still waits for: said in the log, and in the end let go."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
import traceback
from collections.abc import Iterable, Iterator
from types import FrameType

DEPTH = 6  # calls that are named of each thread and task, the innermost first

_log = logging.getLogger(__name__)


class StopWatch:
    """Says after ``patience`` seconds where each thread, and each task of the loop, stands.

    Names of files and functions are all it says: no values, so no secrets.
    """

    def __init__(self, patience: float) -> None:
        """Wait to be started."""
        self._patience = patience
        self._timer: threading.Timer | None = None

    def start(self) -> None:
        """The process was told to stop; to be called in its event loop, once or again."""
        if self._timer is None:
            self._timer = threading.Timer(self._patience, self._say, [asyncio.get_running_loop()])
            self._timer.daemon = True
            self._timer.start()

    def stop(self) -> None:
        """All that there was to wait for has ended."""
        if self._timer is not None:
            self._timer.cancel()

    def let_go(self, patience: float) -> None:
        """All is closed: end the process in ``patience`` seconds, whoever is left in it.

        The server may let a socket go that is sending; its task cannot even be canceled then.
        Threads of AnyIO are told to end by such tasks: the interpreter would wait for ever.
        """
        last = threading.Timer(patience, _end, [asyncio.get_running_loop()])
        last.daemon = True
        last.start()

    def _say(self, loop: asyncio.AbstractEventLoop) -> None:
        _log.warning("told to stop %.0f s ago, and still waiting", self._patience)
        for where in (*_threads(), *_tasks(loop)):
            _log.warning("still there: %s", where)


def _end(loop: asyncio.AbstractEventLoop) -> None:
    try:
        for where in (*_threads(), *_tasks(loop)):
            _log.warning("left behind: %s", where)
        logging.shutdown()
    finally:  # tasks may change while they are counted
        os._exit(0)


def _threads() -> Iterator[str]:
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    for ident, frame in sys._current_frames().items():  # noqa: SLF001 - documented, for debuggers
        if ident != threading.get_ident():
            frames = (one for one, _ in traceback.walk_stack(frame))
            yield f"thread {names.get(ident, ident)}: {_named(frames)}"


def _tasks(loop: asyncio.AbstractEventLoop) -> Iterator[str]:
    for task in asyncio.all_tasks(loop):
        # Not by its name, which may hold what belongs to a browser.
        doing = getattr(task.get_coro(), "__qualname__", "?")
        yield f"task {doing}: {_named(reversed(task.get_stack(limit=DEPTH)))}"


def _named(frames: Iterable[FrameType]) -> str:
    calls = [
        f"{frame.f_globals.get('__name__', '?')}.{frame.f_code.co_name}:{frame.f_lineno}"
        for _, frame in zip(range(DEPTH), frames, strict=False)
    ]
    return " < ".join(calls) or "nowhere"
