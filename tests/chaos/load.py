"""A house at work on a database that may go away: workers, clients and reviewers who go on.

Everything runs in threads of this process, so the process outlives whatever happens to the
database. What must hold afterwards are the checks of the kill campaign (``tests.crash.checks``).
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self

from agent_console.domain.errors import Unavailable
from agent_console.gateways.workspace import Workspace
from agent_console.runtime.host import WorkerHost
from agent_console.runtime.registry import Registry
from agent_console.settings import Settings
from agent_console.store.database import Database
from agent_console.store.signals import Signals
from tests.crash import child, handlers
from tests.crash.campaign import TYPES
from tests.crash.sink import Sink
from tests.support.factories import ADA, RAY, employ

PATIENCE = 120.0  # seconds to finish everything, on a machine that is busy with other things
PAUSE = 0.05  # seconds between tries
UNFINISHED = "SELECT count(*) FROM ai_jobs WHERE status NOT IN ('COMPLETED', 'FAILED', 'CANCELED')"
IN_STOCK = 40  # unfinished jobs beyond which no more are asked for


class PatientSink(Sink):
    """The world outside, which asks again when the database does not answer it."""

    def _recorded(self, key: str) -> bool:
        return patiently(lambda: super(PatientSink, self)._recorded(key))

    def _approved(self, checkpoint_id: str) -> bool:
        return patiently(lambda: super(PatientSink, self)._approved(checkpoint_id))


def patiently(act: Callable[[], bool]) -> bool:
    """Return what ``act`` does once the database answers."""
    give_up = time.monotonic() + PATIENCE
    while True:
        try:
            return act()
        except Unavailable:
            if time.monotonic() > give_up:
                raise
            threading.Event().wait(PAUSE)


class Load:
    """Jobs of every kind, asked for and decided until told to stop; a context manager.

    ``url`` leads through whatever the test does to it, ``truth`` to the database itself.
    """

    def __init__(self, url: str, truth: str, folder: Path, seed: int) -> None:
        self.folder = folder
        self.db = Database(truth)
        self.keys: dict[str, str] = {}
        self._answered: dict[str, str] = {}
        self._url, self._rng = url, random.Random(seed)
        self._ending = threading.Event()
        self._asking = threading.Event()
        self._lock = threading.Lock()
        self._errors: list[BaseException] = []
        self._open = ExitStack()

    def __enter__(self) -> Self:
        employ(self.db, RAY)
        handlers.use(PatientSink(self.folder / "sink", self.db))
        self._asking.set()
        chosen = Settings(
            data_dir=self.folder,
            poll_interval=0.5,
            max_concurrent_jobs=4,
            worker_timeout=10,
            max_claims=1000,
        )
        for number in range(2):
            db = self._database()
            self._open.callback(db.close)
            self._open.enter_context(hosting(db, self.folder / str(number), chosen))
        self._desk = child.services(self._through(), chosen)
        for work in (self._ask, self._ask, self._review):
            thread = threading.Thread(target=self._guarded, args=(work,))
            thread.start()
            self._open.callback(thread.join)
        self._open.callback(self._ending.set)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._open.close()
        if self._errors:
            raise self._errors[0]

    def acknowledged(self) -> dict[str, str]:
        """Return the job id that was answered for each key."""
        with self._lock:
            return dict(self._answered)

    def ready_within(self) -> float:
        """Return the seconds until a job that is asked for now has been done."""
        began = time.monotonic()
        job_id = self._enqueue("quick")
        sql = "SELECT 1 FROM ai_jobs WHERE id = :id AND status = 'COMPLETED'"
        self._until(lambda: self._row(sql, id=job_id) is not None)
        return time.monotonic() - began

    def finish(self) -> None:
        """Ask for nothing more, and wait until everything has an end."""
        self._asking.clear()
        self._until(lambda: self._unfinished() == 0)

    def _database(self) -> Database:
        return Database(self._url)

    def _through(self) -> Database:
        db = self._database()
        self._open.callback(db.close)
        return db

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits
            self._errors.append(error)

    def _ask(self) -> None:
        while not self._ending.wait(PAUSE):
            if self._asking.is_set() and self._unfinished() < IN_STOCK:
                self._enqueue(self._rng.choice(TYPES))

    def _enqueue(self, job_type: str) -> str:
        """Ask under a new key until there is an answer; return the job's id."""
        with self._lock:
            key = f"key-{len(self.keys)}"
            self.keys[key] = job_type
        made: list[str] = []

        def ask() -> bool:
            new = handlers.new_job(job_type)
            made.append(self._desk.jobs.enqueue(ADA, new, idempotency_key=key).job.id)
            return True

        patiently(ask)
        with self._lock:
            self._answered[key] = made[0]
        return made[0]

    def _review(self) -> None:
        answers = child.Answers(self.folder)
        while not self._ending.wait(PAUSE):
            try:
                child.decide_all(self._desk, limit=50)
                answers.give(self._desk)
            except Unavailable:
                continue

    def _unfinished(self) -> int:
        row = self._row(UNFINISHED)
        return IN_STOCK if row is None else int(row[0])

    def _row(self, sql: str, **params: Any) -> tuple[Any, ...] | None:
        try:
            with self.db.read() as reader:
                return reader.row(sql, params)
        except Unavailable:
            return None

    def _until(self, holds: Callable[[], bool]) -> None:
        give_up = time.monotonic() + PATIENCE
        while not holds():
            if self._errors:
                raise self._errors[0]
            assert time.monotonic() < give_up, self._left()
            threading.Event().wait(PAUSE)

    def _left(self) -> dict[str, int]:
        with self.db.read() as reader:
            return dict(reader.rows("SELECT status, count(*) FROM ai_jobs GROUP BY status"))


@contextmanager
def hosting(db: Database, folder: Path, settings: Settings) -> Iterator[WorkerHost]:
    """Run a worker on ``db`` until the block ends."""
    signals = Signals(db)
    signals.start()
    host = WorkerHost(db, Registry(handlers.ALL), settings, signals, Workspace(folder))
    host.start()
    try:
        yield host
    finally:
        host.stop(1.0)
        signals.stop()
