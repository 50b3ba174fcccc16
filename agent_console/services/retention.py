"""Retention: what is beyond its bounds goes, in small batches; what and when is in the journal."""

from __future__ import annotations

import logging
from collections.abc import Callable
from time import monotonic
from typing import Final, cast

from agent_console.domain.access import SYSTEM, Actor, Permission, authorize
from agent_console.domain.clock import MICROSECONDS
from agent_console.domain.errors import Conflict, Misconfigured
from agent_console.domain.events import JournalEntry
from agent_console.domain.queries import AuditQuery
from agent_console.domain.retention import (
    DELETED,
    Due,
    LastRun,
    Pruned,
    Removed,
    RetentionPolicy,
    RetentionReport,
)
from agent_console.domain.seals import Seal, is_signed, sign
from agent_console.services.seal_keys import SealKey, SealKeys
from agent_console.store import job_deletion, seal_pruning, seals
from agent_console.store.database import Database, Reader
from agent_console.store.reads import journal
from agent_console.store.retention import prune_fires

MOST: Final = 10_000  # jobs of a status, or seals, that a report counts
BUDGET: Final = 1.0  # seconds of every sweep that may be spent on deleting
REST: Final = 60.0  # seconds until a sweep looks again when nothing was left
ROUND: Final = 3_600.0  # seconds until seals whose rest is of living jobs are looked at again

Progress = Callable[[Removed | Pruned], None]
_log = logging.getLogger(__name__)


class _Signer:
    """Signs what pruning leaves with the newest key."""

    def __init__(self, keys: SealKeys, key: SealKey) -> None:
        self._keys, self._key = keys, key
        self._found: dict[str, bytes | None] = {}

    def trusts(self, seal: Seal) -> bool:
        if seal.key_id not in self._found:
            self._found[seal.key_id] = self._keys.find(seal.key_id)
        key = self._found[seal.key_id]
        return key is not None and is_signed(seal, key)

    def sign(self, seal: Seal) -> Seal:
        return sign(seal, self._key.id, self._key.value)


class Retention:
    """Deletes. Used by one thread at a time; any number of processes may do it at once."""

    def __init__(self, db: Database, policy: RetentionPolicy, keys: SealKeys) -> None:
        """Hold ``db`` to ``policy``; ``keys`` sign what is left of the journal."""
        self._db, self._policy, self._keys = db, policy, keys
        self._reached = 0  # the last seal that was looked at in this round
        self._due = self._journal_due = 0.0
        self.complaint = ""  # why the journal is not pruned; said in the log once

    def sweep(self) -> None:
        """Delete for a moment; the rest comes with the next sweeps. Nothing left: rest a while.

        Raises:
            Unavailable: the database is out of reach.
        """
        if monotonic() >= self._due and self.turn(SYSTEM, BUDGET):
            self._due = monotonic() + REST

    def turn(self, actor: Actor, seconds: float, progress: Progress | None = None) -> bool:
        """Delete a batch, and more for ``seconds``; say whether nothing is left to delete.

        Raises:
            Unavailable: the database is out of reach; what was deleted until then is.
        """
        until = monotonic() + seconds
        works: tuple[Callable[[Actor], Removed | Pruned | None], ...] = (self._jobs, self._journal)
        for work in works:
            while (done := work(actor)) is not None:
                if progress is not None:
                    progress(done)
                if monotonic() >= until:
                    return False
        while job_deletion.expire_keys(self._db) or self._fires():
            if monotonic() >= until:
                return False
        return True

    def _fires(self) -> int:
        """Forget slots that made no job as the journal does; those of jobs go with these."""
        age = self._policy.journal.seconds
        return 0 if age is None else prune_fires(self._db, age)

    def _jobs(self, actor: Actor) -> Removed | None:
        return job_deletion.delete_batch(self._db, self._policy.jobs, actor)

    def _journal(self, actor: Actor) -> Pruned | None:
        """Prune the next seals that have something to give; seals without are passed over."""
        age = self._policy.journal.seconds
        if age is None or monotonic() < self._journal_due:
            return None
        with self._db.read() as reader:
            before = reader.now() - age * MICROSECONDS
            if not seal_pruning.count_due(reader, before, 1):
                return None
            standing = seals.standing(reader)
        signer = self._signer(None if standing.last is None else standing.last.key_id)
        while signer is not None:
            try:
                turn = seal_pruning.prune_batch(self._db, before, self._reached, signer, actor)
            except seal_pruning.Untrusted as error:
                self._complain(f"the journal is not pruned: {error.message}")
                break
            if turn.reached is None:
                break
            self._reached = turn.reached
            if turn.pruned is not None:
                return turn.pruned
        self._reached = 0
        self._journal_due = monotonic() + ROUND
        return None

    def _signer(self, last_key_id: str | None) -> _Signer | None:
        try:
            key = None if last_key_id is None else self._keys.signing(last_key_id)
        except Misconfigured as error:
            self._complain(f"the journal is not pruned by this process: {error.message}")
            return None
        if key is None:
            self._complain("the journal is not pruned by this process: it lacks the seals' key")
            return None
        return _Signer(self._keys, key)

    def _complain(self, words: str) -> None:
        if words != self.complaint:
            self.complaint = words
            _log.warning(words)


class RetentionService:
    """Use cases of retention. Every method checks the actor's permission itself."""

    def __init__(self, db: Database, policy: RetentionPolicy, keys: SealKeys) -> None:
        """Report on and delete from ``db`` by ``policy``."""
        self._db, self._policy, self._keys = db, policy, keys

    def report(self, actor: Actor) -> RetentionReport:
        """Return the policy, what would go now, and when something went last; deletes nothing."""
        authorize(actor, Permission.AUDIT_READ)
        with self._db.read() as reader:
            last = journal.page(reader, AuditQuery(action=DELETED, limit=1)).items
            return RetentionReport(
                policy=self._policy,
                due=self._count(reader),
                last=_last_run(last[0]) if last else None,
            )

    def run(self, actor: Actor, progress: Progress | None = None) -> tuple[int, int]:
        """Delete everything that is due; return how many jobs and rows of the journal went.

        ``progress`` is told of every batch.

        Raises:
            Unavailable: the database is out of reach; what was deleted until then is.
            Conflict: another process is deleting just now, or the journal cannot be pruned.
        """
        authorize(actor, Permission.DATA_MANAGE)
        jobs = rows = 0

        def note(batch: Removed | Pruned) -> None:
            nonlocal jobs, rows
            if isinstance(batch, Removed):
                jobs += batch.total
            else:
                rows += batch.rows
            if progress is not None:
                progress(batch)

        retention = Retention(self._db, self._policy, self._keys)
        retention.turn(actor, float("inf"), note)
        if retention.complaint:
            raise Conflict(retention.complaint)
        if job_deletion.is_due(self._db, self._policy.jobs):
            raise Conflict("Another process is deleting just now; it goes on by itself.")
        return jobs, rows

    def _count(self, reader: Reader) -> Due:
        jobs = job_deletion.count_due(reader, self._policy.jobs, MOST)
        age, rows = self._policy.journal.seconds, 0
        if age is not None:
            rows = seal_pruning.count_due(reader, reader.now() - age * MICROSECONDS, MOST)
        return Due(jobs=jobs, journal_rows=rows, more=any(n >= MOST for n in jobs.values()))


def _last_run(entry: JournalEntry) -> LastRun:
    jobs = cast("dict[str, int]", entry.data["jobs"])
    return LastRun(at=entry.at, by=entry.actor_name, jobs=jobs)
