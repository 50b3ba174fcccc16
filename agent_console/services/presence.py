"""Who looks at a checkpoint: told by open cards, shown on those of others."""

from __future__ import annotations

from agent_console.domain.access import Actor, Permission, authorize
from agent_console.domain.errors import NotFound
from agent_console.domain.presence import Presence
from agent_console.services.job_requests import who
from agent_console.store import presence as store
from agent_console.store.database import Database
from agent_console.store.reads import checkpoints


class PresenceService:
    """Use cases of presence. Every method checks the actor's permission itself."""

    def __init__(self, db: Database) -> None:
        """Work on ``db``."""
        self._db = db

    def look(self, actor: Actor, checkpoint_id: str) -> Presence:
        """Say that the actor looks at the checkpoint; to be repeated every ``BEAT``.

        Raises:
            Forbidden: the actor may not read it.
            NotFound: there is no such checkpoint.
        """
        authorize(actor, Permission.CHECKPOINTS_READ)
        self._db.write(lambda tx: store.look(tx, checkpoint_id, who(actor), actor))
        with self._db.read() as reader:
            return store.of(reader, checkpoint_id)

    def leave(self, actor: Actor, checkpoint_id: str) -> None:
        """Say that the actor looks at something else by now; who did not look leaves nothing.

        Raises:
            Forbidden: the actor may not read it.
        """
        authorize(actor, Permission.CHECKPOINTS_READ)
        self._db.write(lambda tx: store.leave(tx, checkpoint_id, who(actor)))

    def of(self, actor: Actor, checkpoint_id: str) -> Presence:
        """Return who looks at the checkpoint now, and when it was first seen.

        Raises:
            Forbidden: the actor may not read it.
            NotFound: there is no such checkpoint.
        """
        authorize(actor, Permission.CHECKPOINTS_READ)
        with self._db.read() as reader:
            if not checkpoints.exists(reader, checkpoint_id):
                raise NotFound(f"There is no checkpoint {checkpoint_id}.")
            return store.of(reader, checkpoint_id)
