"""Wire models of what accompanies a job: logs, steps, artifacts, journal entries."""

from __future__ import annotations

from agent_console.api.schemas.base import Instant, JsonOut, Out, Pagination, Success
from agent_console.domain.records import ArtifactType, LogLevel
from agent_console.services.artifacts import ArtifactDetail


class LogLineOut(Out):
    """A line a handler or the engine wrote about a job; ``id`` rises."""

    id: int
    job_id: str
    at: Instant
    level: LogLevel
    message: str
    attempt: int
    data: JsonOut


class StepOut(Out):
    """A recorded call of the handler: step, approve, info, error or artifact."""

    job_id: str
    position: int
    kind: str
    name: str
    result: JsonOut
    attempt: int
    started_at: Instant
    finished_at: Instant


class ArtifactSummaryOut(Out):
    """An output without its content; ``size`` is bytes of UTF-8, ``digest`` SHA-256."""

    id: str
    job_id: str
    name: str
    artifact_type: ArtifactType
    media_type: str
    size: int
    digest: str
    metadata: JsonOut
    created_at: Instant


class ArtifactOut(ArtifactSummaryOut):
    """An output with its content."""

    content: str


class ArtifactVersionOut(Out):
    """One of the artifacts that a job saved under one name; `label` is such as "Round 2"."""

    id: str
    label: str
    digest: str
    created_at: Instant


class ArtifactDetailOut(ArtifactOut):
    """An output with its content and all its versions, oldest first, itself included."""

    versions: list[ArtifactVersionOut]

    @classmethod
    def of_detail(cls, detail: ArtifactDetail) -> ArtifactDetailOut:
        """Return what the service found as it goes over the wire."""
        whole = ArtifactOut.model_validate(detail.artifact)
        versions = [
            ArtifactVersionOut(
                id=one.artifact.id,
                label=one.label,
                digest=one.artifact.digest,
                created_at=one.artifact.created_at,
            )
            for one in detail.versions
        ]
        return cls(**whole.model_dump(), versions=versions)


class JournalEntryOut(Out):
    """Who did what, when, with which verdict; ``before`` and ``after`` are statuses."""

    seq: int
    at: Instant
    action: str
    actor_kind: str
    actor_id: str | None
    actor_name: str
    job_id: str | None
    job_type: str | None
    checkpoint_id: str | None
    subject_id: str | None
    before: str | None
    after: str | None
    verdict: str | None
    data: JsonOut


class LogsAnswer(Success):
    """Lines in order; pass the last ``id`` as ``after`` for the next ones."""

    logs: list[LogLineOut]


class ArtifactsAnswer(Success):
    """A page of artifacts."""

    artifacts: list[ArtifactSummaryOut]
    pagination: Pagination


class ArtifactAnswer(Success):
    """One artifact."""

    artifact: ArtifactDetailOut


class AuditAnswer(Success):
    """A page of the journal, newest first."""

    entries: list[JournalEntryOut]
    pagination: Pagination
