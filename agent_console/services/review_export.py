"""Reviews taken away as a data set, for people who learn from them."""

from __future__ import annotations

from collections.abc import Iterator

from agent_console.domain.access import Actor, Permission, authorize
from agent_console.domain.errors import Invalid
from agent_console.domain.events import Event
from agent_console.domain.review_export import EXPORTED, ExportQuery, line
from agent_console.services.job_requests import MAX_NAME, text
from agent_console.store.database import Database
from agent_console.store.reads import review_export as reads


class ReviewExportService:
    """Use cases of the export. Every method checks the actor's permission itself."""

    def __init__(self, db: Database) -> None:
        """Work on ``db``."""
        self._db = db

    def lines(self, actor: Actor, query: ExportQuery) -> Iterator[str]:
        """Yield the reviews that are over as lines of JSON; the journal says who took them.

        Secrets are taken out. Whoever may read the journal may: it is as much about people.

        Raises:
            Forbidden: the actor may not read the journal, or no checkpoints.
            Invalid: an instant without a time zone, an empty stretch, a long type.
        """
        authorize(actor, Permission.AUDIT_READ)
        authorize(actor, Permission.CHECKPOINTS_READ)
        text("jobType", query.job_type, MAX_NAME)
        for name, instant in (("since", query.since), ("until", query.until)):
            if instant is not None and instant.tzinfo is None:
                raise Invalid.field(name, "must have a time zone.")
        if query.since is not None and query.until is not None and query.since >= query.until:
            raise Invalid.field("since", "must be before until.")
        self._db.write(lambda tx: tx.record(_event(actor, query)))
        return (line(one) for one in reads.read(self._db, query))


def _event(actor: Actor, query: ExportQuery) -> Event:
    return Event(
        action=EXPORTED,
        actor=actor,
        data={
            "since": None if query.since is None else query.since.isoformat(),
            "until": None if query.until is None else query.until.isoformat(),
            "jobType": query.job_type,
        },
    )
