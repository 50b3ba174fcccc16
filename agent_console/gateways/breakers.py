"""A circuit breaker per host: who fails again and again is left alone for a while."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from purgatory import SyncCircuitBreakerFactory, SyncInMemoryUnitOfWork
from purgatory.domain.model import Context, OpenedState
from purgatory.service._sync.circuitbreaker import SyncCircuitBreaker
from purgatory.service._sync.repository import SyncInMemoryRepository

from agent_console.domain.destinations import Refused
from agent_console.domain.errors import ConsoleError
from agent_console.domain.records import BreakerState

MAX_HOSTS = 500  # remembered; an entry such as *.example.com may stand for many
PROBED = 1.0  # seconds until others may ask again, while one call finds out

_STATES = {
    "closed": BreakerState.CLOSED,
    "half-opened": BreakerState.HALF_OPEN,
    "opened": BreakerState.OPEN,
}


class CircuitOpen(ConsoleError):
    """The host failed again and again and is left alone for a while."""

    code = "circuit_open"

    def __init__(self, message: str | None = None, *, retry_after: float = PROBED) -> None:
        """Say after how many seconds it may be tried again."""
        super().__init__(message)
        self.retry_after = retry_after


@dataclass(slots=True)
class Attempt:
    """One call of a host; set ``failed`` when its answer is no better than none."""

    failed: bool = False


class _Failed(Exception):
    """Tells the breaker of a failure that was no exception."""


class Breakers:
    """The circuit breakers of a process. ``label`` groups hosts: the allowlist's entry."""

    def __init__(
        self,
        failures: int = 5,
        seconds: float = 30.0,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        """Open after ``failures`` in a row, for ``seconds``; ``changed``: some state has."""
        self._seconds = seconds
        self.changed = changed
        unit = SyncInMemoryUnitOfWork()
        unit.contexts = self._known = SyncInMemoryRepository()
        # ``Refused`` says nothing of the host: the call never left this process.
        self._factory = SyncCircuitBreakerFactory(failures, seconds, exclude=[Refused], uow=unit)
        self._lock = threading.Lock()
        self._labels: dict[str, str] = {}
        self._probing: set[str] = set()

    @contextmanager
    def guard(self, label: str, host: str) -> Iterator[Attempt]:
        """Surround one call; an exception that leaves the block is a failure of ``host``.

        Raises:
            CircuitOpen: it is not to be called now.
        """
        breaker, before = self._enter(label, host)
        attempt = Attempt()
        try:
            yield attempt
        finally:
            error = sys.exc_info()[1] or (_Failed() if attempt.failed else None)
            with self._lock:
                self._probing.discard(host)
                breaker.__exit__(None if error is None else type(error), error, None)
                after = breaker.context.state
            if after != before:
                self.changed()

    def states(self) -> dict[str, BreakerState]:
        """Return the worst state of the hosts behind each label, of those called so far."""
        found: dict[str, BreakerState] = {}
        with self._lock:
            for host, label in self._labels.items():
                context = self._known.get(host)
                state = BreakerState.CLOSED if context is None else self._state(context)
                found[label] = max(found.get(label, state), state, key=list(BreakerState).index)
        return found

    def _enter(self, label: str, host: str) -> tuple[SyncCircuitBreaker, str]:
        with self._lock:
            if host not in self._labels:
                self._forget_well_ones()
                self._labels[host] = label
            breaker = self._factory.get_breaker(host)
            if host in self._probing:
                raise CircuitOpen(f"{host} is being tried again by another call.")
            before = breaker.context.state
            try:
                breaker.__enter__()
            except OpenedState as opened:
                left = opened.opened_at + self._seconds - time.time()
                raise CircuitOpen(
                    f"{host} failed again and again; it is left alone for {max(left, 0):.0f} s.",
                    retry_after=max(left, 0.05),
                ) from None
            if self._state(breaker.context) is BreakerState.HALF_OPEN:
                self._probing.add(host)
            return breaker, before

    def _state(self, context: Context) -> BreakerState:
        """Return the state as the next call will find it."""
        state = _STATES[context.state]
        rested = time.time() - (context.opened_at or 0) > self._seconds
        return BreakerState.HALF_OPEN if state is BreakerState.OPEN and rested else state

    def _forget_well_ones(self) -> None:
        if len(self._labels) < MAX_HOSTS:
            return
        for host in list(self._labels):
            context = self._known.get(host)
            if context is None or _STATES[context.state] is BreakerState.CLOSED:
                del self._labels[host]
                self._known.breakers.pop(host, None)
