"""The journal as auditors read it."""

from __future__ import annotations

from agent_console.domain.access import Actor, Permission, authorize
from agent_console.domain.events import JournalEntry
from agent_console.domain.queries import AuditQuery
from agent_console.domain.records import Page
from agent_console.services import list_queries
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
        list_queries.check_audit(query)
        with self._db.read() as reader:
            return journal.page(reader, query)
