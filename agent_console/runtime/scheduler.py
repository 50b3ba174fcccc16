"""APScheduler, wired: the safety poll, the sweeps and the supervision. Nothing else lives here.

Wake-ups go past it: it drops what comes while it is busy.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Lock
from time import monotonic
from typing import Any

from apscheduler.schedulers.background import BackgroundScheduler

SWEEP_EVERY = 5.0  # seconds
NEVER = 5200  # weeks until a call that is made once would be repeated
_POLL = "poll"


class Scheduler:
    """Calls functions again and again; a late call is made once, as soon as possible."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._turned = monotonic()
        # While it waits for its calls to end, APScheduler holds a lock that every change of its
        # jobs takes; and a call may end only once whoever wants a change goes on.
        self._changing, self._stopping = Lock(), False
        self._scheduler: Any = BackgroundScheduler(  # type: ignore[no-untyped-call]
            timezone=UTC,
            executors={"default": {"type": "threadpool", "max_workers": 3}},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def start(
        self, poll: Callable[[], object], seconds: float, *sweeps: Callable[[], object]
    ) -> None:
        """Call ``poll`` every ``seconds`` and each of ``sweeps`` now and every ``SWEEP_EVERY``."""
        self._scheduler.add_job(poll, "interval", seconds=seconds, id=_POLL)
        for sweep in (self._turn, *sweeps):
            self._scheduler.add_job(
                sweep, "interval", seconds=SWEEP_EVERY, next_run_time=datetime.now(UTC)
            )
        self._scheduler.start()

    @property
    def age(self) -> float:
        """Seconds since the scheduler last came round."""
        return monotonic() - self._turned

    def _turn(self) -> None:
        self._turned = monotonic()

    def call_at(self, name: str, function: Callable[[], object], seconds: float) -> None:
        """Call ``function`` once, ``seconds`` from now, instead of what ``name`` stood for.

        Once it stops, there are no more calls.
        """
        when = datetime.now(UTC) + timedelta(seconds=max(0.0, seconds))
        with self._changing:
            if self._stopping:
                return
            # Not a date job: those remove themselves, and at a shutdown that fails in its thread.
            self._scheduler.add_job(
                function,
                "interval",
                weeks=NEVER,
                next_run_time=when,
                id=name,
                replace_existing=True,
                max_instances=2,
            )

    def poll_every(self, seconds: float) -> None:
        """Change the interval of the safety poll, unless it stops."""
        with self._changing:
            if not self._stopping:
                self._scheduler.reschedule_job(_POLL, trigger="interval", seconds=seconds)

    def stop(self) -> None:
        """Let calls in progress end; stopping before start does nothing."""
        if self._scheduler.running:
            with self._changing:
                self._stopping = True
            self._scheduler.shutdown(wait=True)
