"""Artifacts: outputs that people look at."""

from __future__ import annotations

from agent_console.domain.access import Actor, Permission, authorize
from agent_console.domain.errors import NotFound
from agent_console.domain.queries import DEFAULT_LIMIT, MAX_SEARCH, ArtifactQuery, known
from agent_console.domain.records import Artifact, ArtifactType, Page
from agent_console.services import job_requests
from agent_console.store.database import Database
from agent_console.store.reads import records
from agent_console.store.reads.artifact_search import artifact_search


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
        a word that begins so; an artifact's id finds that artifact.

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
