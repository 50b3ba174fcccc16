"""Artifacts: outputs that people look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent_console.domain.access import Actor, Permission, authorize
from agent_console.domain.changes import FileChange
from agent_console.domain.errors import NotFound
from agent_console.domain.queries import DEFAULT_LIMIT, MAX_SEARCH, ArtifactQuery, known
from agent_console.domain.records import Artifact, ArtifactType, Page
from agent_console.domain.versions import Version, change_of, versions_of
from agent_console.services import job_requests
from agent_console.store.database import Database
from agent_console.store.reads import checkpoints, records
from agent_console.store.reads.artifact_search import artifact_search


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactDetail:
    """An artifact with its content, and what it can be compared with.

    ``versions`` are all of that name in its job, oldest first, itself included, without contents;
    ``other`` is the one to compare with, with content. ``change`` is what an approval did to the
    file; None for other artifacts, and where nobody was asked.
    """

    artifact: Artifact
    versions: Sequence[Version]
    other: Artifact | None
    change: FileChange | None


class ArtifactService:
    """Use cases of artifacts. Every method checks the actor's permission itself."""

    def __init__(self, db: Database) -> None:
        """Work on ``db``."""
        self._db = db

    def page(
        self,
        actor: Actor,
        *,
        job_id: str | None = None,
        artifact_type: str | None = None,
        search: str = "",
        cursor: str | None = None,
        limit: int = DEFAULT_LIMIT,
        offset: int = 0,
    ) -> Page[Artifact]:
        """Return one page, newest first, without content.

        ``search`` finds artifacts whose name and content together hold every one of its words, or
        a word that begins so (from three letters on); an artifact's id finds that artifact.

        Raises:
            Invalid: an unknown type, a limit out of bounds, a strange cursor, a search too long.
        """
        authorize(actor, Permission.ARTIFACTS_READ)
        query = ArtifactQuery(
            job_id=job_id,
            artifact_type=artifact_type,
            search=search,
            cursor=cursor,
            limit=limit,
            offset=offset,
        )
        query.check()
        known(ArtifactType, artifact_type, "artifactType")
        job_requests.text("jobId", job_id, job_requests.MAX_NAME)
        job_requests.text("search", search, MAX_SEARCH)
        with self._db.read() as reader:
            if search.strip():
                return artifact_search(reader, query)
            return records.artifact_page(reader, query)

    def get(self, actor: Actor, artifact_id: str) -> Artifact:
        """Return the artifact with its whole content.

        Raises:
            NotFound: there is no such artifact.
        """
        authorize(actor, Permission.ARTIFACTS_READ)
        with self._db.read() as reader:
            found = records.artifact(reader, artifact_id)
        if found is None:
            raise NotFound(f"There is no artifact {artifact_id}.")
        return found

    def detail(
        self, actor: Actor, artifact_id: str, *, against: str | None = None
    ) -> ArtifactDetail:
        """Return the artifact with its versions; ``against`` is the id of one to compare with.

        Raises:
            NotFound: there is no such artifact, or ``against`` is no version of it.
        """
        found = self.get(actor, artifact_id)
        with self._db.read() as reader:
            versions = versions_of(records.versions(reader, found))
            other = None
            if against is not None:
                if against not in {one.artifact.id for one in versions}:
                    raise NotFound(f"{against} is no version of {artifact_id}.")
                other = records.artifact(reader, against)
            change = None
            # What was there before is part of a checkpoint, and shown to those who may read it.
            if found.artifact_type is ArtifactType.FILE and actor.may(Permission.CHECKPOINTS_READ):
                approved = checkpoints.approved(reader, found.job_id)
                change = change_of(found, [one.changes for one in approved])
        return ArtifactDetail(artifact=found, versions=versions, other=other, change=change)
