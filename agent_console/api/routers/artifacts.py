"""``/api/artifacts``: outputs of jobs, to look at and to take away."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import Query, Response

from agent_console.api.context import ServicesDep
from agent_console.api.documented import READING, READING_ONE, problems
from agent_console.api.guard import requires
from agent_console.api.parameters import ArtifactParams, DownloadParams
from agent_console.api.routing import resource_router
from agent_console.api.schemas.base import Pagination
from agent_console.api.schemas.records import (
    ArtifactAnswer,
    ArtifactDetailOut,
    ArtifactsAnswer,
    ArtifactSummaryOut,
)
from agent_console.domain.access import Actor, Permission
from agent_console.services import downloads

router = resource_router("Artifacts")

Reader = Annotated[Actor, requires(Permission.ARTIFACTS_READ)]
_BINARY, _PDF = "application/octet-stream", "application/pdf"
_FILE = {"type": "string", "format": "binary"}


@router.get(
    "/api/artifacts",
    response_model=ArtifactsAnswer,
    summary="List artifacts, newest first",
    responses=problems(*READING),
)
def list_artifacts(
    actor: Reader,
    services: ServicesDep,
    query: Annotated[ArtifactParams, Query()],
) -> ArtifactsAnswer:
    """Return one page, without contents."""
    page = services.artifacts.page(
        actor,
        job_id=query.job_id,
        artifact_type=query.artifact_type and query.artifact_type.value,
        search=query.search,
        cursor=query.cursor,
        limit=query.limit,
    )
    return ArtifactsAnswer(
        artifacts=[ArtifactSummaryOut.model_validate(one) for one in page.items],
        pagination=Pagination.of(page),
    )


@router.get(
    "/api/artifacts/{artifactId}",
    response_model=ArtifactAnswer,
    summary="Show an artifact",
    responses=problems(*READING_ONE),
)
def show(actor: Reader, services: ServicesDep, artifactId: str) -> ArtifactAnswer:  # noqa: N803
    """Return the artifact with its content and the list of its versions."""
    detail = services.artifacts.detail(actor, artifactId)
    return ArtifactAnswer(artifact=ArtifactDetailOut.of_detail(detail))


@router.get(
    "/api/artifacts/{artifactId}/download",
    response_class=Response,
    summary="Download an artifact",
    responses={
        200: {"content": {kind: {"schema": _FILE} for kind in (_BINARY, _PDF)}},
        **problems(*READING_ONE),
    },
)
def download(
    actor: Reader,
    services: ServicesDep,
    artifactId: str,  # noqa: N803
    query: Annotated[DownloadParams, Query()],
) -> Response:
    """Return the content as a file, in a form that no browser will run or show as a page."""
    file = downloads.download(services.artifacts.get(actor, artifactId), query.format)
    return Response(
        file.content,
        media_type=file.media_type,
        headers={
            "Content-Disposition": _attachment(file.name),
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
        },
    )


def _attachment(name: str) -> str:
    """Return the header for a file called ``name``; RFC 6266, with a plain fallback."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "._- ") else "_" for c in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
