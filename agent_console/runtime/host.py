"""The worker of a process: its row, its wanted state, its threads and its sweeps."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable
from functools import partial

import agent_console
from agent_console.domain.clock import Clock, SystemClock
from agent_console.domain.observer import RunObserver, RunObservers, SweepObserver
from agent_console.domain.records import WorkerStatus
from agent_console.domain.risk_rules import assessors
from agent_console.gateways.http import HttpGateway, http_gateway
from agent_console.gateways.workspace import Workspace
from agent_console.runtime.async_context import LoopThread
from agent_console.runtime.claimer import Reserved
from agent_console.runtime.heart import Heart
from agent_console.runtime.isolation import IsolatingExecutor
from agent_console.runtime.locks import WorkerLocks
from agent_console.runtime.notifier import Notifier
from agent_console.runtime.processes import Processes
from agent_console.runtime.registry import Registry
from agent_console.runtime.run import Surroundings
from agent_console.runtime.schedule_clock import ScheduleClock
from agent_console.runtime.scheduler import Scheduler
from agent_console.runtime.sweeps import (
    MEND_EVERY,
    TIDY_EVERY,
    Outlook,
    Seldom,
    Sweep,
    expire_overdue,
    forget_messages,
    forget_previews,
    mend_gates,
    mend_tallies,
    prune_figures,
    remind,
    requeue_known,
    rescue_dead,
    settle_tallies,
)
from agent_console.runtime.worker import GRACE, Worker
from agent_console.services.notification_feed import NewsFeed
from agent_console.services.notification_sending import DAY, Dispatcher
from agent_console.services.retention import Retention
from agent_console.services.review_policy import still_stands
from agent_console.services.schedule_fires import fire_due, seconds_to_next
from agent_console.services.seal_keys import seal_keys
from agent_console.services.sealing import Sealer
from agent_console.settings import Settings
from agent_console.store import chores
from agent_console.store.database import Database
from agent_console.store.engine_values import NewWorker, WorkerOrders
from agent_console.store.ids import new_id
from agent_console.store.signals import Signals

_log = logging.getLogger(__name__)


class WorkerHost:
    """Hosts one worker in this process, whether it runs jobs at the moment or not.

    Its row in ``agent_workers`` says what is wanted; who changes the row, in whatever process,
    starts, stops or resizes the worker. Nothing happens before ``start``.
    """

    def __init__(
        self,
        db: Database,
        registry: Registry,
        settings: Settings,
        signals: Signals,
        workspace: Workspace,
        *,
        observers: RunObserver | None = None,
        clock: Clock | None = None,
        http: HttpGateway | None = None,
        sweeps: SweepObserver | None = None,
        processes: Processes | None = None,
    ) -> None:
        """Take what the composition root has made; ``clock`` is for durations and step times.

        ``processes`` start isolated runs; the host ends them when it stops.
        """
        self._db, self._registry, self._settings = db, registry, settings
        self._sweeps = sweeps
        self.worker_id = new_id("wrk")
        self._made_in = os.getpid()
        self._http = http or http_gateway(settings)
        self._surroundings = Surroundings(
            db=db,
            registry=registry,
            clock=clock or SystemClock(),
            workspace=workspace,
            observers=observers or RunObservers(),
            assessors=assessors(settings.risk_policy),
            http=self._http,
            origin=settings.origin,
        )
        self._processes = processes or Processes(settings)
        self._locks = WorkerLocks(settings.data_dir / "workers")
        self._async = LoopThread()
        self._poll_interval = settings.poll_interval
        self._size = settings.max_concurrent_jobs
        self._schedules = ScheduleClock(
            partial(fire_due, db, registry), partial(seconds_to_next, db)
        )
        self._notifier = Notifier(
            NewsFeed(db, origin=settings.origin, policy=settings.self_approval),
            Dispatcher(db, settings, self._http),
        )
        self._outlook = Outlook(self._chores)
        self._news = ScheduleClock(
            self._notifier.work, self._notifier.seconds_to_next, "notifications"
        )
        self._scheduler: Scheduler | None = None
        self._worker: Worker | None = None
        self._heart: Heart | None = None
        self._leaving = False
        self._obeying = threading.Lock()  # an order on its way must not undo the leaving
        self._signals = signals
        signals.on_work(self._work_arrived)
        signals.gated = self._gated
        signals.on_change(self._something_changed)
        signals.on_change(self._schedules.changed)
        signals.on_change(self._news.changed)

    def start(self, *, desired: bool = True, embedded: bool = True) -> None:
        """Register the worker and begin to do what its row says, at first ``desired``.

        ``embedded``: the process is a console, not a worker alone. Returns at once; while the
        database is out of reach the worker keeps trying. Starting twice is the same as once.
        """
        if self._worker is not None:
            return
        self._leaving = False
        if os.getpid() != self._made_in:
            # A server that loads the console and then forks: each child is a worker of its own.
            self.worker_id, self._made_in = new_id("wrk"), os.getpid()
        self._locks.hold(self.worker_id)
        heart = Heart(
            self._db,
            self._identity(desired=desired, embedded=embedded),
            timeout=self._settings.worker_timeout,
            obey=self._obey,
            breakers=self._http.states,
            # Pages find out now, not when they would have looked next.
            turned=self._signals.stir,
        )
        self._http.breakers.changed = heart.beat_soon
        worker = Worker(
            self._db,
            self.worker_id,
            IsolatingExecutor(self._surroundings, self._async, self._processes),
            announce=heart.announce,
            deadline_set=heart.nudge,
            stands=partial(still_stands, policy=self._settings.self_approval),
        )
        worker.resize(self._size)
        self._worker, self._heart = worker, heart
        worker.start()
        heart.start(worker)
        scheduler = self._scheduler = Scheduler()
        self._start_clocks(scheduler)
        keys = seal_keys(self._settings)
        retention = Retention(self._db, self._settings.retention, keys)
        scheduler.start(
            worker.poll,
            self._poll_interval,
            Sweep("rescue", self._rescue, self._sweeps),
            self._sweep("expiry", partial(expire_overdue, self._db)),
            Sweep("reminders", Seldom(partial(remind, self._db), TIDY_EVERY), self._sweeps),
            self._sweep("parked", partial(requeue_known, self._db)),
            self._sweep("previews", partial(forget_previews, self._db)),
            self._sweep("tallies", partial(settle_tallies, self._db)),
            Sweep("figures", Seldom(partial(prune_figures, self._db), MEND_EVERY), self._sweeps),
            Sweep("schedules", self._schedules.sweep, self._sweeps),
            Sweep("notifications", self._news.sweep, self._sweeps),
            Sweep("messages", self._messages_sweep(), self._sweeps),
            self._sweep("sealing", Sealer(self._db, keys).seal),
            Sweep("retention", retention.sweep, self._sweeps),
            Sweep("mending", Seldom(partial(mend_tallies, self._db), MEND_EVERY), self._sweeps),
            Sweep("gates", Seldom(partial(mend_gates, self._db), MEND_EVERY), self._sweeps),
            self._supervise,
        )

    def stop(self, drain_seconds: float | None = None) -> None:
        """Drain within ``drain_seconds`` (default: the setting) and end every thread.

        Stopping before start, or twice, does nothing.
        """
        worker, heart, scheduler = self._worker, self._heart, self._scheduler
        if worker is None or heart is None or scheduler is None:
            return
        with self._obeying:
            self._leaving = True
        drain = self._settings.drain_timeout if drain_seconds is None else drain_seconds
        worker.want(run=False, drain_seconds=drain)  # first: a sweep may take its time to end
        self._schedules.stop()
        self._news.stop()
        scheduler.stop()
        if not worker.stopped.wait(drain + 3 * GRACE):
            _log.warning("the worker did not stop in time; its jobs will be rescued")
        self._notifier.stop(GRACE)
        heart.stop(GRACE)
        self._worker = self._heart = self._scheduler = None
        worker.close()
        self._processes.close()
        self._async.close()
        self._locks.release(self.worker_id)

    def reserve(self, job_id: str, job_type: str) -> Reserved | None:
        """Keep a slot for a job that is about to be made; None if it has to wait for a claim."""
        return None if (worker := self._worker) is None else worker.reserve(job_id, job_type)

    @property
    def scheduler_age(self) -> float | None:
        """Seconds since this process's scheduler came round; None while it does not run."""
        return None if (scheduler := self._scheduler) is None else scheduler.age

    def stats(self) -> dict[str, bool | int]:
        """Return ``isRunning``, ``activeJobs``, ``maxConcurrentJobs``, ``pollInterval`` (ms)."""
        worker = self._worker
        return {
            "isRunning": worker is not None and worker.status is WorkerStatus.RUNNING,
            "activeJobs": 0 if worker is None else len(worker.running()),
            "maxConcurrentJobs": self._size,
            "pollInterval": int(self._poll_interval * 1000),
        }

    def _start_clocks(self, scheduler: Scheduler) -> None:
        """Let what is planned be looked at when it is due."""
        self._notifier.start()
        for name, clock in (("schedules", self._schedules), ("notifications", self._news)):

            def later(
                key: str, look: Callable[[], object], seconds: float, name: str = name
            ) -> None:
                scheduler.call_at(key, Sweep(name, look, self._sweeps), seconds)

            clock.start(later)

    def _messages_sweep(self) -> Seldom:
        age = self._settings.notify_keep_days * DAY
        return Seldom(partial(forget_messages, self._db, age), MEND_EVERY)

    def _identity(self, *, desired: bool, embedded: bool) -> NewWorker:
        return NewWorker(
            id=self.worker_id,
            host=socket.gethostname(),
            pid=os.getpid(),
            version=agent_console.__version__,
            embedded=embedded,
            desired="run" if desired else "stop",
            max_concurrent_jobs=self._settings.max_concurrent_jobs,
            poll_interval=self._settings.poll_interval,
            job_types=[info.job_type for info in self._registry.handlers()],
            limits={
                info.job_type: info.limit.caps
                for info in self._registry.handlers()
                if info.limit is not None
            },
        )

    def _obey(self, orders: WorkerOrders) -> None:
        """Do what the row says; called on the heart's thread."""
        with self._obeying:
            worker = self._worker
            if worker is None or self._leaving:
                return
            self._size = orders.max_concurrent_jobs
            worker.resize(orders.max_concurrent_jobs)
            if orders.poll_interval != self._poll_interval and self._scheduler is not None:
                self._poll_interval = orders.poll_interval
                self._scheduler.poll_every(orders.poll_interval)
            worker.want(run=orders.desired == "run", drain_seconds=self._settings.drain_timeout)

    def _sweep(self, name: str, work: Callable[[], object]) -> Sweep:
        """Return the sweep of ``chores.SIGNS`` that is called where there is something to do."""
        return Sweep(name, self._outlook.when(name, work), self._sweeps)

    def _chores(self) -> frozenset[str]:
        return chores.waiting(self._db, timeout=self._settings.worker_timeout, own=self.worker_id)

    def _rescue(self) -> None:
        if not self._locks.dead() and not self._outlook.has("rescue"):
            return
        rescue_dead(
            self._db,
            self._locks,
            timeout=self._settings.worker_timeout,
            max_claims=self._settings.max_claims,
            own=self.worker_id,
        )

    def _supervise(self) -> None:
        if self._worker is not None and self._heart is not None:
            self._worker.supervise()
            if not self._heart.loop.alive:
                _log.error("heart: the thread died; starting it again")
                self._heart.loop.start()

    def _work_arrived(self) -> None:
        if (worker := self._worker) is not None:
            worker.wake()

    def _gated(self) -> frozenset[str] | None:
        """Return the job types known to be limited or paused; None while nobody here asks."""
        return None if (worker := self._worker) is None else worker.gated

    def _something_changed(self) -> None:
        if (heart := self._heart) is not None:
            heart.changed()
