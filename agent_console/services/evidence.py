"""What a card shows beside its payload's words: images, and files that are not as they were."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent_console.domain.access import Actor, Permission, authorize
from agent_console.domain.checkpoints import Checkpoint, CheckpointStatus
from agent_console.domain.errors import Invalid, NotFound, Unavailable
from agent_console.domain.images import Side, read_image
from agent_console.gateways.workspace import Workspace
from agent_console.services.pictures import Picture, look
from agent_console.store.database import Database
from agent_console.store.reads import checkpoints

MAX_BASES = 200  # files of a proposal that are compared with the workspace
_DIGEST = re.compile(r"[0-9a-f]{64}")


class EvidenceService:
    """Use cases of evidence. Every method checks the actor's permission itself."""

    def __init__(self, db: Database) -> None:
        """Work on ``db``."""
        self._db = db

    def image(self, actor: Actor, checkpoint_id: str, number: int, side: Side) -> Picture:
        """Return an image of a checkpoint: of which of its changes, and before or after.

        Raises:
            Forbidden: the actor may not read it.
            NotFound: there is no such checkpoint or change, or no image there.
        """
        authorize(actor, Permission.CHECKPOINTS_READ)
        with self._db.read() as reader:
            found = checkpoints.get(reader, checkpoint_id)
        changes = [] if found is None else found.changes
        change = changes[number] if 0 <= number < len(changes) else {}
        diff = read_image(change) if change.get("kind") == "image" else None
        content = None if diff is None else diff.side(side)
        picture = None if content is None else look(content)
        if picture is None:
            raise NotFound(f"There is no image {number}, {side}, at checkpoint {checkpoint_id}.")
        return picture


def moved_bases(checkpoint: Checkpoint, workspace: Workspace | None) -> list[str]:
    """Return the files that are not as they were when a pending proposal was made.

    One that is already as proposed is not among them. It is known of proposals whose data name
    files by ``path`` with ``baseDigest`` and ``digest`` (SHA-256), as ``code-generation`` does.
    """
    if workspace is None or checkpoint.status is not CheckpointStatus.PENDING:
        return []
    if not workspace.root.is_dir():
        return []
    known = list(_bases(checkpoint))[:MAX_BASES]
    return [path for path, *digests in known if not _is_one_of(workspace, path, digests)]


def _bases(checkpoint: Checkpoint) -> Iterator[tuple[str, str | None, str | None]]:
    data = checkpoint.data
    files = data.get("files") if isinstance(data, dict) else None
    for one in files if isinstance(files, list) else []:
        match one:
            case {"path": str(path), "baseDigest": str() | None as base, "digest": str(wanted)}:
                if _DIGEST.fullmatch(wanted) and (base is None or _DIGEST.fullmatch(base)):
                    yield path, base, wanted


def _is_one_of(workspace: Workspace, path: str, digests: list[str | None]) -> bool:
    try:
        return workspace.short_digest(path) in digests
    except Invalid:
        return False  # a link, a folder, or no path that could be written to
    except Unavailable:
        return True  # nothing is known, so nothing is said
