"""The journal as auditors read it."""

from __future__ import annotations

from agent_console.domain.access import Actor, Permission, authorize
from agent_console.domain.errors import Invalid
from agent_console.domain.events import JournalEntry
from agent_console.domain.queries import AuditQuery
from agent_console.domain.records import Page
from agent_console.services import job_requests
from agent_console.store.database import Database
from agent_console.store.reads import journal


class AuditService:
    """Use cases of the journal. Nothing here changes it: it is append-only."""

    def __init__(self, db: Database) -> None:
        """Work on ``db``."""
        self._db = db

    def page(self, actor: Actor, query: AuditQuery) -> Page[JournalEntry]:
        """Return one page, newest first; ``total`` is None: history is never counted.

        Raises:
            Invalid: a limit out of bounds, a strange cursor, an instant without a time zone.
        """
        authorize(actor, Permission.AUDIT_READ)
        query.check()
        for field, value in (
            ("action", query.action),
            ("actorId", query.actor_id),
            ("jobId", query.job_id),
            ("checkpointId", query.checkpoint_id),
        ):
            job_requests.text(field, value, job_requests.MAX_NAME)
        for field, instant in (("since", query.since), ("until", query.until)):
            if instant is not None and instant.tzinfo is None:
                raise Invalid.field(field, "must have a time zone.")
        with self._db.read() as reader:
            return journal.page(reader, query)
