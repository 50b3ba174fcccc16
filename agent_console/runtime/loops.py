"""Threads that do one thing over and over, sleep when there is nothing to do, and never die."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from agent_console.domain.errors import Unavailable

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0  # seconds between tries while something is broken

_log = logging.getLogger(__name__)


class Loop:
    """A named daemon thread around ``turn``.

    ``turn`` returns the seconds to sleep (None: until woken, 0: not at all). A turn that fails is
    taken again after a growing pause; an outage of the database is logged once when it begins
    and once when it is over.
    """

    def __init__(
        self,
        name: str,
        turn: Callable[[], float | None],
        *,
        turned: Callable[[], None] = lambda: None,
    ) -> None:
        """Start nothing yet; ``turned`` is called when turns begin and cease to fail."""
        self._turned = turned
        self.name = name
        self._turn = turn
        self._woken = threading.Event()
        self._stop = threading.Event()
        self._failures = 0
        self._starting = threading.Lock()  # the owner and its supervisor may start it together
        self._thread: threading.Thread | None = None

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Start the thread; starting twice is the same as once."""
        with self._starting:
            if self.alive:
                return
            # One per thread: a thread that is slow to end must not take a new start for its own.
            self._stop = stop = threading.Event()
            thread = threading.Thread(target=self._run, args=(stop,), name=self.name, daemon=True)
            thread.start()
            self._thread = thread

    def wake(self) -> None:
        """Take the next turn now; callable from any thread, cheap when already woken."""
        if not self._woken.is_set():
            self._woken.set()

    def stop(self, timeout: float | None = None) -> None:
        """Let the turn in progress end and join the thread; stopping before start does nothing."""
        self._stop.set()
        self._woken.set()
        thread, self._thread = self._thread, None
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)

    def _run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            self._woken.clear()  # before the turn: a wake-up during it must not be lost
            if stop.is_set():
                return
            try:
                pause = self._turn()
            except Unavailable as error:
                self._sleep_off(error, stop)
            except Exception as error:  # noqa: BLE001 - logged; a worker without its thread is worse
                _log.exception("%s: a turn failed", self.name)
                self._sleep_off(error, stop)
            else:
                self._recover()
                if pause is None or pause > 0:
                    self._woken.wait(pause)

    def _sleep_off(self, error: Exception, stop: threading.Event) -> None:
        self._failures += 1
        if self._failures == 1:
            _log.warning("%s: waiting for the database: %s", self.name, error)
            self._turned()
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(self._failures - 1, 10))
        # Not on ``_woken``: wake-ups keep coming while nothing can be done about them.
        stop.wait(pause)

    def _recover(self) -> None:
        if self._failures:
            _log.info("%s: working again after %d failures", self.name, self._failures)
            self._failures = 0
            self._turned()
