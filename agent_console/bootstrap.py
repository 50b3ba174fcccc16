"""Builds the console from its settings: every room made once, handed what it needs, in order.

Nothing here runs at import time, and ``build`` opens nothing: a server may import, build and then
fork. Threads and connections begin with ``start``.
"""

from __future__ import annotations

import gc
import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from agent_console.agents import documents
from agent_console.agents.assistant import AssistantModel
from agent_console.agents.factory import agents
from agent_console.agents.models import Models
from agent_console.domain.clock import Clock, SystemClock
from agent_console.domain.context import ContextDocumentDetail, shipped_document
from agent_console.domain.errors import HandlersNotLoaded, Invalid, Misconfigured
from agent_console.domain.observer import RunObserver, RunObservers
from agent_console.domain.redaction import conceal
from agent_console.gateways.http import http_gateway
from agent_console.gateways.keystore import open_keystore
from agent_console.gateways.workspace import Workspace
from agent_console.runtime.bulk import bulk_handler
from agent_console.runtime.forkserver import Warm
from agent_console.runtime.host import WorkerHost
from agent_console.runtime.loading import load_handlers
from agent_console.runtime.processes import Processes
from agent_console.runtime.registry import Registry
from agent_console.runtime.rehearsal import Rehearsals
from agent_console.services import Services, build_services
from agent_console.settings import Settings
from agent_console.store import migrate
from agent_console.store.database import Database, StoreOptions
from agent_console.store.feed import ChangeFeed
from agent_console.store.signals import Signals
from agent_console.telemetry import logs, sentry
from agent_console.telemetry.events_log import RunLog, log_events
from agent_console.telemetry.metrics import MetricsExporter
from agent_console.telemetry.tracing import Tracing
from agent_console.telemetry.tracing_setup import exporting

SETUP_FILE = "setup-link"
REGISTER_TIME = 5.0  # seconds a new worker gets to enter itself in the database
# New containers, and looks through the young and the middling, before the next look at them: by
# default 700, 10 and 10.
GARBAGE = 5_000, 20, 20

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Console:
    """The console of one process. Starting and stopping twice is the same as once."""

    settings: Settings
    db: Database
    signals: Signals
    feed: ChangeFeed
    registry: Registry
    services: Services
    host: WorkerHost
    metrics: MetricsExporter
    sentry: sentry.SentryTelemetry | None
    tracing: Tracing | None = None
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _changes: int = 0
    _opened: bool = False
    _running: bool = False

    def open(self) -> None:
        """Make the folders, migrate, and be ready for the services; starts no thread of its own.

        Raises:
            Misconfigured: a newer version made the database.
            Unavailable: the database cannot be reached.
        """
        if self._opened:
            return
        prepare(self.settings)
        self.signals.on_change(self._note_change)
        if self.tracing is not None:
            self.tracing.open()
        self._opened = True

    def start(self) -> None:
        """Open, hear other processes, run jobs unless turned off, and say where the console is."""
        self.open()
        self._run(desired=self.settings.worker == "on", embedded=True)
        self._announce()

    def start_worker(self) -> None:
        """Open and run jobs, with no web side and whatever the setting says."""
        self.open()
        self._run(desired=True, embedded=False)
        self.await_until(lambda: bool(self.host.stats()["isRunning"]), REGISTER_TIME)

    def drain(self) -> None:
        """Stop working: give running jobs the seconds of the setting; the rest goes on."""
        self.host.stop(self.settings.drain_timeout)

    def stop(self, drain: float | None = None) -> None:
        """Give running jobs ``drain`` seconds (default: the setting), then close everything."""
        if self._running:
            self.host.stop(self.settings.drain_timeout if drain is None else drain)
            self.signals.stop()
            self._running = False
        if self._opened:
            if self.tracing is not None:
                self.tracing.close()
            self.db.close()
            if self.sentry is not None:
                self.sentry.close()
            self._opened = False

    def changes(self) -> int:
        """Return how many changes this process has heard of."""
        return self._changes

    def await_change(self, seen: int, timeout: float) -> None:
        """Block until a change after ``changes()`` said ``seen``, at most ``timeout`` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._changes != seen, timeout)

    def await_until(self, true: Callable[[], bool], timeout: float) -> bool:
        """Ask ``true`` again after every change until it is so, at most ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while not true():
            if time.monotonic() >= deadline:
                return False
            self.await_change(self.changes(), timeout=0.05)
        return True

    def _run(self, *, desired: bool, embedded: bool) -> None:
        if not self._running:
            self._running = True
            self._declare()
            self.signals.start()
            self.host.start(desired=desired, embedded=embedded)

    def _declare(self) -> None:
        """Bring the schedules of the handlers' modules into the database."""
        for problem in self.services.schedules.declare(self.registry.schedules):
            self.registry.problems.append(HandlersNotLoaded(problem.message))
            _log.error("%s", problem.message)

    def _note_change(self) -> None:
        with self._changed:
            self._changes += 1
            self._changed.notify_all()

    def _announce(self) -> None:
        origin = self.settings.origin
        print(f"\nagent_console is at {origin}", flush=True)
        file = self.settings.data_dir / SETUP_FILE
        if not self.services.access.needs_setup():
            file.unlink(missing_ok=True)
            return
        link = f"{origin}/setup?token={self.services.access.create_setup_link()}"
        _write_private(file, link + "\n")
        print(f"Make the first account (once, within 15 minutes): {link}\n", flush=True)


def keep_what_is_loaded() -> None:
    """Have the collector of garbage leave alone what a process has loaded before it serves.

    Each look through a web process's third of a million objects, of which none is ever garbage,
    stopped its event loop for a quarter of a second, every few seconds under load. It looks more
    seldom through what comes later, too: most of that goes without it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE)


def build(settings: Settings, *, clock: Clock | None = None) -> Console:
    """Return the console for ``settings``; ``clock`` replaces the database's (tests)."""
    for secret in settings.secret_values():
        conceal(secret)
    logs.configure(settings)
    db = Database(settings.database, _store_options(settings), clock=clock)
    signals = Signals(db)
    feed = ChangeFeed()
    signals.on_look(feed.publish)
    registry = load_registry(settings)
    reporter = sentry.start(settings)
    db.subscribe(log_events)
    if reporter is not None:
        db.subscribe(reporter.listen)
    wanted = exporting()
    tracing = None if wanted is None else Tracing(db, wanted)
    if tracing is not None:
        db.subscribe(tracing.listen)
    watching: list[RunObserver] = [RunLog(), *(w for w in (reporter, tracing) if w is not None)]
    workspace, http = Workspace(settings.workspace_root), http_gateway(settings)
    host = WorkerHost(
        db,
        registry,
        settings,
        signals,
        workspace,
        observers=RunObservers(watching),
        http=http,
        sweeps=reporter,
        processes=Processes(settings, f"{__name__}:{warm.__name__}"),
    )
    services = build_services(
        db,
        registry,
        settings,
        feed,
        scheduler_age=lambda: host.scheduler_age,
        shipped=_shipped_documents(),
        chat_model=chat_model(settings),
        http=http,
        starter=host,
        replayer=Rehearsals(db, registry, clock or SystemClock(), workspace, settings.origin),
    )
    registry.add(bulk_handler(db, services.jobs))
    return Console(
        settings=settings,
        db=db,
        signals=signals,
        feed=feed,
        registry=registry,
        services=services,
        host=host,
        metrics=MetricsExporter(
            db,
            job_types=lambda: [info.job_type for info in registry.handlers()],
            hosts=settings.http_allow,
        ),
        sentry=reporter,
        tracing=tracing,
    )


def warm(settings: Settings) -> Warm:
    """Load what isolated runs need, in the process from which theirs are forked."""
    for secret in settings.secret_values():
        conceal(secret)
    logs.configure(settings)
    return Warm(settings=settings, registry=load_registry(settings), observers=RunLog())


def load_registry(settings: Settings) -> Registry:
    """Return the handlers and agents that ``settings`` name, with what could not be loaded."""
    return load_handlers(settings.handlers, made=agents(settings.agents, load_models(settings)))


def load_models(settings: Settings) -> Models:
    """Return which language models there are; no key is read."""
    return Models(
        settings.agent_model,
        settings.agent_base_url,
        secrets=open_keystore(settings).get,
        streams=settings.agent_stream,
    )


def chat_model(settings: Settings) -> AssistantModel | None:
    """Return the model of the chat's assistant: the agents' own default, if there is one."""
    try:
        choice = load_models(settings).choose("")
    except Invalid as error:  # the agents say so as well, on their page
        _log.warning("the chat has no model: %s", error.message)
        return None
    return None if choice is None else AssistantModel(choice)


def prepare(settings: Settings) -> None:
    """Make the folders and bring the database to this version's schema.

    Raises:
        Misconfigured: a folder cannot be made, or a newer version made the database.
        Unavailable: the database cannot be reached.
    """
    _make_folder(settings.data_dir, "AGENT_CONSOLE_DATA_DIR")
    _make_folder(settings.workspace_root, "AGENT_CONSOLE_WORKSPACE")
    left = Workspace(settings.workspace_root).clean()
    if left:
        _log.info("removed %d unfinished files that a killed process left", left)
    done = migrate.upgrade(settings.database)
    if done.before != done.after:
        _log.info("database schema %s, was %s", done.after, done.before or "empty")


def _shipped_documents() -> dict[str, ContextDocumentDetail]:
    return {
        one.id: shipped_document(
            one.id, one.title, one.text, version=one.version, at=documents.SHIPPED_AT
        )
        for one in documents.shipped()
    }


def _store_options(settings: Settings) -> StoreOptions:
    # As many stay open as the worker uses at once, with claimer, finisher and a page beside the
    # jobs: a connection that is made for every step costs ten times the step.
    used = settings.max_concurrent_jobs + 3
    return StoreOptions(
        pool_min=min(settings.pool_max, max(settings.pool_min, used)),
        pool_max=settings.pool_max,
        statement_timeout=settings.statement_timeout,
        connect_timeout=settings.connect_timeout,
        busy_timeout=settings.busy_timeout,
    )


def _make_folder(folder: Path, variable: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise Misconfigured(f"{variable}={folder} cannot be used: {error.strerror}") from error


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, from its first byte."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
