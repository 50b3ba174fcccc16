"""``/api/artifacts``: outputs of jobs, to look at and to take away."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import Query, Response

from agent_console.api.context import ServicesDep
from agent_console.api.documented import READING, READING_ONE, problems
from agent_console.api.guard import requires
from agent_console.api.parameters import ArtifactParams
from agent_console.api.routing import resource_router
from agent_console.api.schemas.base import Pagination
from agent_console.api.schemas.records import (
    ArtifactAnswer,
    ArtifactOut,
    ArtifactsAnswer,
    ArtifactSummaryOut,
)
from agent_console.domain.access import Actor, Permission

router = resource_router("Artifacts")

Reader = Annotated[Actor, requires(Permission.ARTIFACTS_READ)]
_BINARY = "application/octet-stream"


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
    """Return the artifact with its content."""
    artifact = services.artifacts.get(actor, artifactId)
    return ArtifactAnswer(artifact=ArtifactOut.model_validate(artifact))


@router.get(
    "/api/artifacts/{artifactId}/download",
    response_class=Response,
    summary="Download an artifact",
    responses={
        200: {"content": {_BINARY: {"schema": {"type": "string", "format": "binary"}}}},
        **problems(*READING_ONE),
    },
)
def download(actor: Reader, services: ServicesDep, artifactId: str) -> Response:  # noqa: N803
    """Return the content as a file, in a form that no browser will run or show as a page."""
    artifact = services.artifacts.get(actor, artifactId)
    return Response(
        artifact.content.encode(),
        media_type=_BINARY,
        headers={
            "Content-Disposition": _attachment(artifact.name),
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
        },
    )


def _attachment(name: str) -> str:
    """Return the header for the last part of ``name``; RFC 6266, with a plain fallback."""
    base = name.replace("\\", "/").rsplit("/", 1)[-1].strip(". ") or "artifact"
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "._- ") else "_" for c in base)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(base, safe='')}"
