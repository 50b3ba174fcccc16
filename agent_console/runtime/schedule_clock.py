"""When a process looks at what is planned: when it is due, and soon after anything changed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic

SPACING = 1.0  # seconds between looks that a change asks for
LONGEST = 60.0  # seconds without a look although nothing is planned and nothing changed

# Calls a function after so many seconds, in place of the call last asked for under that name.
Later = Callable[[str, Callable[[], object], float], None]


class ScheduleClock:
    """Fires what is due (slots of schedules, notifications), then asks to be called at the next.

    While nothing is planned and nothing changes, the database is asked once a minute. Any change
    in the database may be about what is planned: the next is looked up, at most once a second.
    """

    def __init__(
        self,
        fire: Callable[[], int],
        seconds_to_next: Callable[[], float | None],
        name: str = "schedules",
    ) -> None:
        """Take what fires (returning how many) and what tells the time until the next slot.

        ``name`` tells its calls from those of others.
        """
        self._name = name
        self._fire, self._seconds_to_next = fire, seconds_to_next
        self._later: Later | None = None
        self._turn = threading.Lock()  # one look at a time
        self._state = threading.Lock()
        self._again = False  # somebody asked while a look was under way
        self._asked = False  # a look is planned because of a change
        self._looked = self._look_by = 0.0  # monotonic

    def start(self, later: Later) -> None:
        """Ask for calls through ``later`` from now on."""
        self._later = later

    def stop(self) -> None:
        """Ask for no more calls."""
        self._later = None

    def sweep(self) -> None:
        """Look, if no look is planned in time; the safety net, called every few seconds."""
        if monotonic() >= self._look_by:
            self.look()

    def changed(self) -> None:
        """Something changed in the database: look soon. Cheap, and callable from any thread."""
        later = self._later
        with self._state:
            if later is None or self._asked:
                return
            self._asked = True
        later(f"{self._name}.change", self.look, self._looked + SPACING - monotonic())

    def look(self) -> None:
        """Fire what is due, and plan the next look.

        Raises:
            Unavailable: the database is out of reach; the next sweep looks again.
        """
        self._again = True  # before the lock: whoever has it looks once more
        while self._again and self._turn.acquire(blocking=False):
            try:
                self._again = False
                with self._state:
                    self._asked = False
                self._looked = self._look_by = monotonic()  # should it fail, the sweep comes back
                self._look_once()
            finally:
                self._turn.release()

    def _look_once(self) -> None:
        wait = self._seconds_to_next()
        while wait == 0:
            fired = self._fire()
            wait = self._seconds_to_next()
            if wait == 0 and not fired:  # only others can fire it, or it fails
                wait = SPACING
        wait = LONGEST if wait is None else min(wait, LONGEST)
        self._look_by = monotonic() + wait
        if (later := self._later) is not None and wait < LONGEST:
            later(f"{self._name}.slot", self.look, wait)
