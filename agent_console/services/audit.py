"""The journal as auditors read it, and the proof that nobody has changed it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import cast

from agent_console.domain.access import Actor, Permission, authorize
from agent_console.domain.clock import from_micros
from agent_console.domain.errors import Conflict, NotFound, RateLimited
from agent_console.domain.events import Event, JournalEntry
from agent_console.domain.queries import AuditQuery
from agent_console.domain.records import Page
from agent_console.domain.seals import Head, head_of
from agent_console.domain.verification import Integrity, LastVerification, Verification
from agent_console.services import list_queries
from agent_console.services.seal_keys import SealKeys
from agent_console.services.verification import Verifier
from agent_console.store import seals
from agent_console.store.database import Database
from agent_console.store.reads import journal

VERIFIED = "audit.verified"
KEY_ROTATED = "audit.key_rotated"

_log = logging.getLogger(__name__)


class AuditService:
    """Use cases of the journal. Nothing here changes it: it is append-only."""

    def __init__(self, db: Database, keys: SealKeys) -> None:
        """Work on ``db``; ``keys`` have signed its seals."""
        self._db, self._keys = db, keys
        self._verifier = Verifier(db, keys)
        self._lock = threading.Lock()
        self._running_rows: int | None = None

    def page(self, actor: Actor, query: AuditQuery) -> Page[JournalEntry]:
        """Return one page, newest first; ``total`` is None: history is never counted.

        Raises:
            Invalid: a limit out of bounds, a strange cursor, an instant without a time zone.
        """
        authorize(actor, Permission.AUDIT_READ)
        list_queries.check_audit(query)
        with self._db.read() as reader:
            return journal.page(reader, query)

    def integrity(self, actor: Actor) -> Integrity:
        """Return how far the journal is sealed, and what was verified last."""
        authorize(actor, Permission.AUDIT_READ)
        with self._db.read() as reader:
            standing = seals.standing(reader)
            found = journal.page(reader, AuditQuery(action=VERIFIED, limit=1)).items
        last = standing.last
        return Integrity(
            sealed_seq=standing.sealed,
            seals=0 if last is None else last.number,
            sealed_at=None if last is None else from_micros(last.sealed_at),
            newest_seq=standing.newest,
            last=_last(found[0]) if found else None,
            running_rows=self._running_rows,
        )

    def head(self, actor: Actor) -> Head:
        """Return the newest seal, signed, to be kept where nobody of this machine can change it.

        Raises:
            NotFound: nothing is sealed yet.
            Conflict: the keystore lacks the key that signed last.
            Misconfigured: the keystore cannot be opened.
        """
        authorize(actor, Permission.AUDIT_READ)
        with self._db.read() as reader:
            seal = seals.newest(reader)
        if seal is None:
            raise NotFound("Nothing of the journal is sealed yet.")
        key = self._keys.signing(seal.key_id)
        if key is None:
            raise Conflict(f"The keystore lacks the key {seal.key_id}, which signed last.")
        return head_of(seal, key.id, key.value)

    def verify(
        self,
        actor: Actor,
        *,
        head: Head | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> Verification:
        """Compare the whole journal with its seals; the journal tells what came of it.

        ``progress`` is told the number of rows compared so far.

        Raises:
            Misconfigured: the keystore cannot be opened.
            Unavailable: the database is out of reach.
        """
        authorize(actor, Permission.AUDIT_READ)
        result = self._verifier.verify(head=head, progress=progress)
        self._db.write(lambda tx: tx.record(_event(actor, result)))
        return result

    def start_verification(self, actor: Actor) -> Integrity:
        """Verify on a thread of its own; ``integrity`` tells how far it is, and what was found.

        Raises:
            RateLimited: this process verifies already.
        """
        authorize(actor, Permission.AUDIT_READ)
        with self._lock:
            if self._running_rows is not None:
                raise RateLimited("A verification is under way.", retryAfter=1)
            self._running_rows = 0
        threading.Thread(
            target=self._run, args=(actor,), name="audit-verification", daemon=True
        ).start()
        return self.integrity(actor)

    def rotate_key(self, actor: Actor) -> str:
        """Sign seals with a new key from now on; return its id. Old ones verify as before.

        Raises:
            Misconfigured: the keystore cannot be written.
        """
        authorize(actor, Permission.SECRETS_MANAGE)
        with self._db.read() as reader:
            last = seals.standing(reader).last
        before = None if last is None else last.key_id
        self._keys.newest()  # opens it: an entry about what could not begin would mislead
        event = Event(action=KEY_ROTATED, actor=actor, data={"before": before})
        self._db.write(lambda tx: tx.record(event))
        return self._keys.rotate(before).id

    def _run(self, actor: Actor) -> None:
        def note(rows: int) -> None:
            self._running_rows = rows

        try:
            result = self._verifier.verify(progress=note)
            self._running_rows = None  # before the journal wakes the pages, which ask for it
            self._db.write(lambda tx: tx.record(_event(actor, result)))
        except Exception:  # noqa: BLE001 - a thread has nobody to raise to; it can be started again
            _log.exception("the verification of the journal could not be finished")
        finally:
            self._running_rows = None


def _event(actor: Actor, result: Verification) -> Event:
    return Event(
        action=VERIFIED,
        actor=actor,
        verdict=result.verdict.value,
        data={
            "rows": result.rows,
            "sealedSeq": result.sealed_seq,
            "firstBadSeq": result.first_bad_seq,
            "reason": result.reason,
        },
    )


def _last(entry: JournalEntry) -> LastVerification:
    bad = entry.data["firstBadSeq"]
    return LastVerification(
        at=entry.at,
        by=entry.actor_name,
        verdict=entry.verdict or "",
        rows=cast("int", entry.data["rows"]),
        sealed_seq=cast("int", entry.data["sealedSeq"]),
        first_bad_seq=cast("int | None", bad),
        reason=str(entry.data["reason"]),
    )
