"""The heartbeat of a worker process: says that it lives, and learns what is wanted of it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from functools import partial
from time import monotonic

from agent_console.domain.records import BreakerState, WorkerStatus
from agent_console.runtime.loops import Loop
from agent_console.runtime.worker import Worker
from agent_console.store.database import Database
from agent_console.store.engine_values import NewWorker, WorkerOrders
from agent_console.store.liveness import heartbeat, held_by, register_worker, wanted

LONGEST_PAUSE = 5.0  # seconds between heartbeats
LOOK_SPACING = 0.2  # seconds between looks at the wanted state, however much changes

_log = logging.getLogger(__name__)


class Heart:
    """Beats on its own thread and connection: no handler, drain or busy pool holds it up.

    Between beats it looks whenever something changed in the database, so that start, stop and the
    cancellation of a running job arrive at once from any process.
    """

    def __init__(
        self,
        db: Database,
        identity: NewWorker,
        *,
        timeout: float,
        obey: Callable[[WorkerOrders], None],
        breakers: Callable[[], Mapping[str, BreakerState]] = dict,
        turned: Callable[[], None] = lambda: None,
    ) -> None:
        """Beat for ``identity`` at least three times in ``timeout`` seconds.

        ``breakers`` says how the hosts are that this process calls; ``turned`` is called when the
        database stops answering and when it answers again.
        """
        self._breakers = breakers
        self._identity, self._obey = identity, obey
        self._every = min(LONGEST_PAUSE, timeout / 3)
        self._db = db.own_connection(statement_timeout=self._every)
        self._registered = False
        self._changed = False
        self._next_beat = self._last_look = 0.0
        self._said: object = None  # by the last beat
        self._beating = threading.Lock()  # an announcement comes from another thread
        self._worker: Worker | None = None
        self.loop = Loop("heart", self._turn, turned=turned)

    def start(self, worker: Worker) -> None:
        """Begin to beat for ``worker``; its row is made first."""
        self._worker = worker
        self.loop.start()

    def stop(self, patience: float) -> None:
        """Beat no more; wait up to ``patience`` seconds for a beat under way."""
        self.loop.stop(patience)
        self._db.close()

    def changed(self) -> None:
        """Something changed in the database: look soon."""
        if not self._changed:  # under load there is a commit every millisecond
            self._changed = True
            self.loop.wake()

    def nudge(self) -> None:
        """A deadline may have come closer: think again about when to wake."""
        self.loop.wake()

    def beat_soon(self) -> None:
        """Something that a beat tells has changed: do not wait for the next one."""
        self._next_beat = 0.0
        self.loop.wake()

    def announce(self) -> None:
        """Tell the database what the worker does, now.

        Raises:
            Unavailable: the database cannot serve; the caller tries again.
        """
        self._beat()

    def _turn(self) -> float | None:
        worker = self._worker
        if worker is None:
            return None
        overtime = worker.watch()
        now = monotonic()
        if now >= self._next_beat:
            self._obey(self._beat())
        elif self._changed and now >= self._last_look + LOOK_SPACING:
            self._look(worker, now)
        waits = [self._next_beat - monotonic()]
        if self._changed:
            waits.append(self._last_look + LOOK_SPACING - monotonic())
        if overtime is not None:
            waits.append(overtime)
        return max(0.001, min(waits))

    def _look(self, worker: Worker, now: float) -> None:
        """Learn between beats what has changed: the wanted state, and runs that were canceled."""
        self._changed = False
        self._last_look = now
        claims = worker.claims()  # before the books: what starts meanwhile must not look lost
        orders = wanted(self._db, self._identity.id)
        if orders is not None:
            worker.learn(orders.elsewhere, orders.gated)
            self._obey(orders)
        if claims:
            worker.lose({*claims} - {*held_by(self._db, self._identity.id)})

    def _beat(self) -> WorkerOrders:
        worker = self._worker
        with self._beating:
            # Looked at in here: a beat that waited for an announcement must not take it back.
            status = WorkerStatus.STOPPED if worker is None else worker.shown
            if not self._registered:
                register_worker(self._db, self._identity)
                self._registered = True
            claims = [] if worker is None else worker.claims()
            active = 0 if worker is None else len(worker.running())
            breakers = self._breakers()
            said = (status, active, dict(breakers))
            beat = partial(
                heartbeat,
                self._db,
                self._identity.id,
                claims,
                status,
                active=active,
                breakers=breakers,
            )
            orders = beat(news=said != self._said)
            if orders.dead:
                _log.warning("taken for dead, jobs and all; introducing this worker again")
                register_worker(self._db, self._identity)
                orders = beat()
            self._said = said
            self._next_beat = monotonic() + self._every
        if worker is not None:
            worker.learn(orders.elsewhere, orders.gated)
        if worker is not None and orders.lost:
            worker.lose({key for key in claims if key.job_id in orders.lost})
        return orders
