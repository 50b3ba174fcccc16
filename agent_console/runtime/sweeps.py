"""What has to happen now and then: one idempotent function each, safe to run in every process."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from time import monotonic

from agent_console.domain.errors import Unavailable
from agent_console.domain.observer import SweepObserver
from agent_console.runtime.locks import WorkerLocks
from agent_console.store import admission, deliveries, parking, previews, tally_deltas, tally_mends
from agent_console.store.database import Database
from agent_console.store.deadlines import expire_due
from agent_console.store.liveness import rescue
from agent_console.store.reminders import remind_due
from agent_console.store.retention import prune_slots

BATCH = 200
TIDY_EVERY = 15.0  # seconds between looks at what nobody waits for
MEND_EVERY = 60.0  # seconds between looks at what only an accident leaves behind

_log = logging.getLogger(__name__)


class Sweep:
    """A sweep as the scheduler calls it: raises nothing, and tells ``observer`` how it went."""

    def __init__(
        self, name: str, work: Callable[[], object], observer: SweepObserver | None = None
    ) -> None:
        """Call ``work`` under ``name``, which is an identifier."""
        self._name, self._work, self._observer = name, work, observer

    def __call__(self) -> None:
        """Sweep once; what went wrong is logged, the next one comes soon."""
        failure: Exception | None = None
        began = monotonic()
        try:
            self._work()
        except Unavailable as error:
            _log.debug("%s sweep: %s", self._name, error)
            failure = error
        except Exception as error:  # noqa: BLE001 - logged; the next sweep may do better
            _log.exception("the %s sweep failed", self._name)
            failure = error
        if self._observer is not None:
            seconds = monotonic() - began
            self._observer.swept(name=self._name, seconds=seconds, error=failure)


class Seldom:
    """Work that the scheduler offers more often than it is needed."""

    def __init__(self, work: Callable[[], object], every: float) -> None:
        """Call ``work`` the first time, then at most every ``every`` seconds."""
        self._work, self._every, self._due = work, every, 0.0

    def __call__(self) -> None:
        """Work, if it is time."""
        if monotonic() >= self._due:
            self._work()
            self._due = monotonic() + self._every


class Outlook:
    """Tells each sweep whether there is something to do, having asked once for all of a round."""

    def __init__(self, ask: Callable[[], frozenset[str]], fresh: float = 1.0) -> None:
        """``ask`` names the sweeps with something to do; its answer holds for ``fresh`` seconds."""
        self._ask, self._fresh = ask, fresh
        self._lock = threading.Lock()
        self._found: frozenset[str] = frozenset()
        self._told: set[str] = set()  # who has had this answer, and wants a new one next
        self._asked = float("-inf")

    def has(self, name: str) -> bool:
        """Say whether the sweep ``name`` has something to do.

        Raises:
            Unavailable: the database is out of reach.
        """
        with self._lock:
            now = monotonic()
            if name in self._told or now - self._asked > self._fresh:
                self._found, self._told, self._asked = self._ask(), set(), now
            self._told.add(name)
            return name in self._found

    def when(self, name: str, work: Callable[[], object]) -> Callable[[], None]:
        """Return ``work`` as it is done where the sweep ``name`` has something to do."""

        def look() -> None:
            if self.has(name):
                work()

        return look


def rescue_dead(
    db: Database, locks: WorkerLocks, *, timeout: float, max_claims: int, own: str = ""
) -> int:
    """Requeue the jobs of workers that are silent for ``timeout`` seconds or known to be gone.

    The worker ``own`` is this process's, which lives. Returns the number of jobs.

    Raises:
        Unavailable: the database is out of reach.
    """
    dead = locks.dead()
    rescued = rescue(db, timeout, max_claims, dead, own=own)
    for worker_id in dead:
        locks.forget(worker_id)
    if rescued:
        _log.warning("rescued %d jobs of dead workers", rescued)
    return rescued


def expire_overdue(db: Database) -> int:
    """Do to checkpoints whose time is up what their policies say; returns how many.

    Raises:
        Unavailable: the database is out of reach; what expired until then has expired.
    """
    total = 0
    while True:
        expired = expire_due(db, BATCH)
        total += expired
        if expired < BATCH:
            return total


def remind(db: Database) -> int:
    """Journal the reminders of checkpoints that are due; returns how many."""
    return remind_due(db)


def requeue_known(db: Database) -> int:
    """Let jobs that were parked as unknown go on where a worker knows their type by now.

    Returns how many.
    """
    freed = parking.sweep(db)
    if freed:
        _log.info("%d parked jobs go on: a worker knows their type", freed)
    return freed


def forget_previews(db: Database) -> int:
    """Remove what ended runs left of their live text; returns how many."""
    return previews.sweep(db)


def prune_figures(db: Database) -> int:
    """Delete the slots of charts that nobody can look at any more; returns how many rows."""
    return prune_slots(db)


def settle_tallies(db: Database) -> int:
    """Add up what commits have left for the tallies; returns how many rows that were."""
    return tally_deltas.settle(db)


def mend_tallies(db: Database) -> int:
    """Put right the sums that differ from the rows they count; returns how many did."""
    mended = tally_mends.mend(db)
    if mended:
        told = ", ".join(f"{name} {labels} {value:+d}" for (name, labels), value in mended.items())
        _log.warning("sums differed from the rows they count and were mended: %s", told)
    return len(mended)


def mend_gates(db: Database) -> int:
    """Put right what was enqueued while the limits of its type changed; returns how many jobs."""
    return admission.mend(db)


def forget_messages(db: Database, seconds: float) -> int:
    """Forget notifications that ended ``seconds`` ago; returns how many."""
    with db.read() as reader:
        if not deliveries.is_old(reader, seconds):
            return 0
    return db.write(lambda tx: deliveries.prune(tx, seconds))
