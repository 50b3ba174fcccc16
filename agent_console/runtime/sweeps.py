"""What has to happen now and then: one idempotent function each, safe to run in every process."""

from __future__ import annotations

import logging

from agent_console.domain.errors import Unavailable
from agent_console.runtime.locks import WorkerLocks
from agent_console.store import previews
from agent_console.store.database import Database
from agent_console.store.deadlines import expire_due
from agent_console.store.liveness import rescue
from agent_console.store.retention import prune_slots

BATCH = 200

_log = logging.getLogger(__name__)


def rescue_dead(
    db: Database, locks: WorkerLocks, *, timeout: float, max_claims: int, own: str = ""
) -> int:
    """Requeue the jobs of workers that are silent for ``timeout`` seconds or known to be gone.

    The worker ``own`` is this process's, which lives. Returns the number of jobs; 0 when the
    database is out of reach, the next sweep comes soon.
    """
    dead = locks.dead()
    try:
        rescued = rescue(db, timeout, max_claims, dead, own=own)
    except Unavailable as error:
        _log.debug("rescue sweep: %s", error)
        return 0
    for worker_id in dead:
        locks.forget(worker_id)
    if rescued:
        _log.warning("rescued %d jobs of dead workers", rescued)
    return rescued


def expire_overdue(db: Database) -> int:
    """Expire checkpoints whose time is up and wake their jobs; returns how many."""
    total = 0
    try:
        while True:
            expired = expire_due(db, BATCH)
            total += expired
            if expired < BATCH:
                return total
    except Unavailable as error:
        _log.debug("expiry sweep: %s", error)
        return total


def forget_previews(db: Database) -> int:
    """Remove what ended runs left of their live text; returns how many."""
    try:
        return previews.sweep(db)
    except Unavailable as error:
        _log.debug("preview sweep: %s", error)
        return 0


def prune_figures(db: Database) -> int:
    """Delete the slots of charts that nobody can look at any more; returns how many rows."""
    try:
        return prune_slots(db)
    except Unavailable as error:
        _log.debug("pruning sweep: %s", error)
        return 0
