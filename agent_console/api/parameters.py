"""Query and header parameters, bounded, and refused when misspelt; the headers of answers."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Header, Response
from pydantic import Field, StringConstraints

from agent_console.api.schemas.base import In, InstantIn
from agent_console.domain.chat import ChatQuery, HistoryQuery
from agent_console.domain.checkpoints import CheckpointStatus, CheckpointType
from agent_console.domain.jobs import JobStatus
from agent_console.domain.queries import (
    DEFAULT_LIMIT,
    MAX_LIMIT,
    MAX_OFFSET,
    AuditQuery,
    CheckpointQuery,
    ContextQuery,
    JobQuery,
    SessionQuery,
)
from agent_console.domain.records import ArtifactType, LogLevel
from agent_console.domain.review_export import ExportQuery
from agent_console.domain.sessions import SessionStatus
from agent_console.services.downloads import Format

REPLAYED = "Idempotent-Replayed"
IdempotencyKey = Annotated[
    Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]{1,255}$")] | None,
    Header(
        alias="Idempotency-Key",
        description="Repeating the request with the same key gives the first answer again.",
    ),
]

_Text = Annotated[str, StringConstraints(max_length=200)]
_Limit = Annotated[int, Field(ge=1, le=MAX_LIMIT, description="Rows per page.")]
_Cursor = Annotated[
    Annotated[str, StringConstraints(max_length=500)] | None,
    Field(description="`nextCursor` of the page before; stable while rows arrive."),
]


class PageParams(In):
    """A page by cursor."""

    limit: _Limit = DEFAULT_LIMIT
    cursor: _Cursor = None


class OffsetParams(PageParams):
    """A page by cursor or by offset, not both."""

    offset: Annotated[int, Field(ge=0, le=MAX_OFFSET, description="Rows to skip.")] = 0


class JobParams(OffsetParams):
    """Filters of the jobs list."""

    status: JobStatus | None = None
    job_type: _Text | None = None
    user_id: _Text | None = None
    search: Annotated[_Text, Field(description="In id and description.")] = ""

    def to_query(self) -> JobQuery:
        """Return the domain's value."""
        return JobQuery(**self.model_dump())


class CheckpointParams(OffsetParams):
    """Filters of the desk; `status=ALL` for every status."""

    status: CheckpointStatus | Annotated[str, StringConstraints(pattern="^ALL$")] = (
        CheckpointStatus.PENDING
    )
    checkpoint_type: CheckpointType | None = None
    job_id: _Text | None = None
    job_type: _Text | None = None
    search: Annotated[_Text, Field(description="In id and message; then newest first.")] = ""

    def to_query(self) -> CheckpointQuery:
        """Return the domain's value."""
        given = self.model_dump()
        return CheckpointQuery(**given | {"status": None if self.status == "ALL" else self.status})


class ArtifactParams(PageParams):
    """Filters of the artifacts list."""

    job_id: _Text | None = None
    artifact_type: ArtifactType | None = None
    search: Annotated[
        _Text, Field(description="Words, or their beginnings, that name and content hold.")
    ] = ""


class DownloadParams(In):
    """What to turn an artifact into; as it is when nothing is named."""

    format: Annotated[
        Format | None, Field(description="Of reports, findings, drafts and Markdown files.")
    ] = None


class AuditParams(OffsetParams):
    """Filters of the journal; `since` is inclusive, `until` exclusive."""

    action: _Text | None = None
    actor_id: _Text | None = None
    job_id: _Text | None = None
    checkpoint_id: _Text | None = None
    since: InstantIn | None = None
    until: InstantIn | None = None

    def to_query(self) -> AuditQuery:
        """Return the domain's value."""
        return AuditQuery(**self.model_dump())


class ReviewFigureParams(In):
    """Which reviews: those that ended from `since` to `until`, the last seven days by default."""

    since: InstantIn | None = None
    until: InstantIn | None = None
    job_type: _Text | None = None


class ReviewExportParams(In):
    """Which reviews: those asked for from `since` to before `until`."""

    since: InstantIn | None = None
    until: InstantIn | None = None
    job_type: _Text | None = None
    format: Literal["jsonl"] = "jsonl"

    def to_query(self) -> ExportQuery:
        """Return the domain's value."""
        return ExportQuery(since=self.since, until=self.until, job_type=self.job_type)


class ContextParams(OffsetParams):
    """Filters of the context documents."""

    project_id: _Text | None = None
    search: Annotated[_Text, Field(description="In the title, or a whole id.")] = ""
    archived: Annotated[
        bool, Field(description="Those that were put away instead of those that are offered.")
    ] = False

    def to_query(self) -> ContextQuery:
        """Return the domain's value."""
        return ContextQuery(**self.model_dump())


class ContextVersionParams(In):
    """Which version of a document; the latest when none is named."""

    version: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None


class SessionParams(OffsetParams):
    """Filters of a project's work sessions."""

    status: SessionStatus | None = None
    agent_type: _Text | None = None

    def to_query(self) -> SessionQuery:
        """Return the domain's value."""
        return SessionQuery(**self.model_dump())


class TemplateParams(In):
    """Whose configuration: that of one agent, or of all."""

    agent_type: _Text | None = None


class ChatParams(PageParams):
    """Filters of the conversations."""

    job_id: _Text | None = None

    def to_query(self) -> ChatQuery:
        """Return the domain's value."""
        return ChatQuery(**self.model_dump())


class HistoryParams(PageParams):
    """Which messages: the latest, or those after a number."""

    after: Annotated[
        Annotated[int, Field(ge=0, le=2**31 - 1)] | None,
        Field(description="Messages after this number, oldest first; without it the latest."),
    ] = None

    def to_query(self) -> HistoryQuery:
        """Return the domain's value."""
        return HistoryQuery(**self.model_dump())


class LogParams(In):
    """Which lines: those after the last id you have, oldest first."""

    after: Annotated[int, Field(ge=0, le=2**63 - 1)] = 0
    limit: _Limit = MAX_LIMIT
    level: LogLevel | None = None


class WorkerParams(In):
    """Which worker; all when none is named."""

    worker_id: _Text | None = None


def note_made(response: Response, address: str = "", *, replayed: bool = False) -> None:
    """Say in the headers where what was made is, and whether an earlier request has made it."""
    if address:
        response.headers["Location"] = address
    if replayed:
        response.headers[REPLAYED] = "true"
