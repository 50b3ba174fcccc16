"""Rows to domain values. Every function takes a mapping keyed by column name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from agent_console.domain.anchors import Anchor
from agent_console.domain.checkpoints import (
    Checkpoint,
    CheckpointStatus,
    CheckpointSummary,
    CheckpointType,
    Round,
)
from agent_console.domain.clock import MICROSECONDS, from_micros
from agent_console.domain.comments import Comment
from agent_console.domain.context import (
    ContextDocument,
    ContextDocumentVersion,
    ContextMediaType,
)
from agent_console.domain.events import JournalEntry
from agent_console.domain.jobs import Job, JobError, JobStatus, JobSummary, Json, Progress
from agent_console.domain.payload import loads
from agent_console.domain.presence import Viewer
from agent_console.domain.records import (
    Artifact,
    ArtifactType,
    BreakerState,
    LogLevel,
    LogLine,
    Step,
    User,
    Worker,
    WorkerStatus,
)
from agent_console.domain.review_claims import ReviewClaim
from agent_console.domain.sessions import (
    STATUS_OF,
    ConfigurationTemplate,
    WorkSession,
    context_ids,
)

Row = Mapping[str, Any]
PAYLOAD_HEAD = 2000  # characters


def instant(micros: int | None) -> datetime | None:
    """Return the aware UTC datetime of ``micros``; None for None."""
    return None if micros is None else from_micros(micros)


def json_or_none(text: str | None) -> Json:
    """Return the value of a JSON column; None for NULL."""
    return None if text is None else loads(text)


def json_object(text: str | None) -> dict[str, Json]:
    """Return the object of a JSON column that always holds one; empty for NULL."""
    return cast("dict[str, Json]", json_or_none(text)) or {}


def _error(text: str | None) -> JobError | None:
    stored: dict[str, Any] = json_object(text)
    if not stored:
        return None
    return JobError(stored["type"], stored["message"], stored.get("traceback"))


def _progress(text: str | None) -> Progress | None:
    stored: dict[str, Any] = json_object(text)
    return Progress(stored.get("fraction"), stored.get("message", "")) if stored else None


def _job_head(row: Row) -> dict[str, Any]:
    """Return what a job and its summary have in common."""
    same = (
        "id", "job_type", "task_description", "priority", "user_id", "user_name", "project_id",
        "attempts", "max_attempts", "worker_id", "park_reason",
    )  # fmt: skip
    return {
        **{name: row[name] for name in same},
        "status": JobStatus(row["status"]),
        "run_at": from_micros(row["run_at"]),
        "created_at": from_micros(row["created_at"]),
        "updated_at": from_micros(row["updated_at"]),
        "started_at": instant(row["started_at"]),
        "completed_at": instant(row["completed_at"]),
        "progress": _progress(row["progress"]),
    }


def job(row: Row) -> Job:
    """Return the job of a full ``ai_jobs`` row."""
    return Job(
        **_job_head(row),
        input_data=loads(row["input_data"]),
        output_data=json_or_none(row["output_data"]),
        error=_error(row["error"]),
        task_configuration=json_or_none(row["task_configuration"]),
        context_document_id=row["context_document_id"],
        approval_strategy=row["approval_strategy"],
        code_version=row["code_version"],
        metadata=json_object(row["metadata"]),
        park_code=row["park_code"],
        park_detail=json_or_none(row["park_detail"]),
        forked_from=row["forked_from"],
        forked_position=row["forked_position"],
        unique_key=row["unique_key"],
    )


def job_summary(row: Row) -> JobSummary:
    """Return the list row of an ``ai_jobs`` row without its payload columns."""
    return JobSummary(**_job_head(row))


def checkpoint(row: Row) -> Checkpoint:
    """Return the checkpoint of an ``agent_checkpoints`` row joined with its job's columns.

    The job gives ``job_type``, ``job_status``, ``requested_by`` and ``requested_by_name``.
    """
    same = (
        "id", "job_id", "job_type", "position", "message", "payload_digest", "requested_by",
        "requested_by_name", "rejection_reason", "feedback", "round", "rounds", "previous_id",
        "forked_from", "policy_id", "extensions",
    )  # fmt: skip
    document: dict[str, Any] = json_object(row["payload"])
    ruled = row["status"] != CheckpointStatus.PENDING
    return Checkpoint(
        **{name: row[name] for name in same},
        rule_id=row["rule_id"] if ruled else None,
        rule_shadow=ruled and bool(row["rule_shadow"]),
        job_status=JobStatus(row["job_status"]),
        checkpoint_type=CheckpointType(row["checkpoint_type"]),
        status=CheckpointStatus(row["status"]),
        action=document.get("action", ""),
        data=document.get("data"),
        changes=document.get("changes", []),
        findings=document.get("findings", []),
        metadata=json_object(row["metadata"]),
        decided_by=row["approved_by"],
        decided_by_name=row["approved_by_name"],
        decided_at=instant(row["approved_at"]),
        undo_until=instant(row["undo_until"]),
        escalated=row["escalated_at"] is not None,
        edited_data=json_or_none(row["edited_data"]),
        response=json_or_none(row["response"]),
        editable=row["edit_schema"] is not None,
        answer_schema=None if row["answer_schema"] is None else json_object(row["answer_schema"]),
        answer_default=json_or_none(row["answer_default"]),
        expires_at=instant(row["expires_at"]),
        created_at=from_micros(row["created_at"]),
        updated_at=from_micros(row["updated_at"]),
    )


def action_of(payload_head: str) -> str:
    """Return the action from the beginning of a canonical payload document.

    Canonical documents sort their keys, so "action" comes first: a list need not read, let
    alone parse, megabytes of changes to say what each row is about.
    """
    prefix = '{"action":'
    if not payload_head.startswith(prefix):
        return ""
    try:
        action, _ = json.JSONDecoder().raw_decode(payload_head, len(prefix))
    except ValueError:  # longer than the head: show what is there
        return payload_head.removeprefix(prefix).lstrip('"') + "…"
    return str(action)


def checkpoint_summary(row: Row) -> CheckpointSummary:
    """Return the list row of a checkpoint joined with its job's columns.

    ``payload_head`` is the first ``PAYLOAD_HEAD`` characters of the payload.
    """
    return CheckpointSummary(
        id=row["id"],
        job_id=row["job_id"],
        job_type=row["job_type"],
        task_description=row["task_description"],
        checkpoint_type=CheckpointType(row["checkpoint_type"]),
        status=CheckpointStatus(row["status"]),
        message=row["message"],
        action=action_of(row["payload_head"]),
        requested_by_name=row["requested_by_name"],
        decided_by_name=row["approved_by_name"],
        decided_at=instant(row["approved_at"]),
        expires_at=instant(row["expires_at"]),
        created_at=from_micros(row["created_at"]),
        payload_digest=row["payload_digest"],
        round=row["round"],
        rounds=row["rounds"],
        asks=bool(row["asks"]),
    )


def round_of(row: Row) -> Round:
    """Return the round of an ``agent_checkpoints`` row."""
    return Round(
        id=row["id"],
        round=row["round"],
        status=CheckpointStatus(row["status"]),
        said=row["rejection_reason"] or row["feedback"] or "",
        decided_by_name=row["approved_by_name"],
        decided_at=instant(row["approved_at"]),
        created_at=from_micros(row["created_at"]),
    )


def step(row: Row) -> Step:
    """Return the recorded call of a ``job_steps`` row."""
    return Step(
        job_id=row["job_id"],
        position=row["position"],
        kind=row["kind"],
        name=row["name"],
        result=json_or_none(row["result"]),
        attempt=row["attempt"],
        started_at=from_micros(row["started_at"]),
        finished_at=from_micros(row["finished_at"]),
        code_version=row["code_version"],
    )


def log_line(row: Row) -> LogLine:
    """Return the line of an ``agent_logs`` row."""
    return LogLine(
        id=row["id"],
        job_id=row["job_id"],
        at=from_micros(row["at"]),
        level=LogLevel(row["level"]),
        message=row["message"],
        attempt=row["attempt"],
        data=json_or_none(row["data"]),
    )


def artifact(row: Row) -> Artifact:
    """Return the artifact of a ``work_artifacts`` row."""
    return Artifact(
        id=row["id"],
        job_id=row["job_id"],
        name=row["name"],
        artifact_type=ArtifactType(row["artifact_type"]),
        media_type=row["media_type"],
        content=row["content"],
        size=row["size"],
        digest=row["digest"],
        metadata=json_object(row["metadata"]),
        created_at=from_micros(row["created_at"]),
    )


def journal_entry(row: Row) -> JournalEntry:
    """Return the entry of an ``audit_logs`` row."""
    same = (
        "seq", "action", "actor_kind", "actor_id", "actor_name", "job_id", "job_type",
        "checkpoint_id", "subject_id", "before", "after", "verdict",
    )  # fmt: skip
    return JournalEntry(
        **{name: row[name] for name in same},
        at=from_micros(row["at"]),
        data=json_object(row["data"]),
    )


def worker(row: Row, now: int) -> Worker:
    """Return the worker of an ``agent_workers`` row, its heartbeat aged at ``now`` (µs)."""
    same = ("id", "host", "pid", "version", "desired", "active_jobs", "max_concurrent_jobs")
    return Worker(
        **{name: row[name] for name in same},
        embedded=bool(row["embedded"]),
        status=WorkerStatus(row["status"]),
        poll_interval=row["poll_interval_ms"] / 1000,
        job_types=tuple(cast("list[str]", loads(row["job_types"]))),
        started_at=from_micros(row["started_at"]),
        heartbeat_at=from_micros(row["heartbeat_at"]),
        heartbeat_age=max(0, now - row["heartbeat_at"]) / MICROSECONDS,
        stopped_at=instant(row["stopped_at"]),
        breakers=breakers(row["breakers"]),
    )


def breakers(text: str) -> dict[str, BreakerState]:
    """Return the states of circuit breakers as a worker reported them."""
    reported = cast("dict[str, str]", loads(text))
    return {host: BreakerState(reported[host]) for host in sorted(reported)}


def user(row: Row) -> User:
    """Return the account of a ``users`` row, without what proves it."""
    return User(
        id=row["id"],
        email=row["email"],
        name=row["name"],
        role=row["role"],
        disabled=bool(row["disabled"]),
        created_at=from_micros(row["created_at"]),
    )


def context_document(row: Row) -> ContextDocument:
    """Return the document of a ``context_documents`` row joined with its latest version."""
    same = (
        "id", "title", "project_id", "version", "size", "digest", "created_by", "created_by_name",
        "first_job_id",
    )  # fmt: skip
    return ContextDocument(
        **{name: row[name] for name in same},
        media_type=ContextMediaType(row["media_type"]),
        created_at=from_micros(row["created_at"]),
        updated_at=from_micros(row["updated_at"]),
        archived_at=instant(row["archived_at"]),
    )


def context_version(row: Row) -> ContextDocumentVersion:
    """Return the version of a ``context_document_versions`` row, with its text if selected."""
    same = ("document_id", "version", "size", "digest", "created_by")
    return ContextDocumentVersion(
        **{name: row[name] for name in same},
        created_at=from_micros(row["created_at"]),
        content=row.get("content", ""),
    )


def configuration_template(row: Row) -> ConfigurationTemplate:
    """Return the template of a ``configuration_templates`` row."""
    same = ("id", "name", "agent_type", "approval_strategy", "owner_id")
    return ConfigurationTemplate(
        **{name: row[name] for name in same},
        task_configuration=json_object(row["task_configuration"]),
        created_at=from_micros(row["created_at"]),
    )


def work_session(row: Row) -> WorkSession:
    """Return the session of an ``ai_jobs`` row without input and output.

    ``artifacts_count``, ``pending_checkpoints`` and ``has_findings`` are made beside it.
    """
    same = (
        "id", "project_id", "task_description", "approval_strategy", "user_id", "user_name",
        "attempts", "park_reason", "artifacts_count", "pending_checkpoints",
    )  # fmt: skip
    metadata: dict[str, Any] = json_object(row["metadata"])
    job_status = JobStatus(row["status"])
    return WorkSession(
        **{name: row[name] for name in same},
        agent_type=row["job_type"],
        status=STATUS_OF[job_status],
        job_status=job_status,
        has_findings=bool(row["has_findings"]) and job_status is JobStatus.COMPLETED,
        task_configuration=json_or_none(row["task_configuration"]),
        context_document_ids=context_ids(row["context_document_id"], metadata),
        workspace_id=metadata.get("workspaceId"),
        basket_id=metadata.get("basketId"),
        progress=_progress(row["progress"]),
        error=_error(row["error"]),
        metadata=metadata,
        created_at=from_micros(row["created_at"]),
        updated_at=from_micros(row["updated_at"]),
        started_at=instant(row["started_at"]),
        completed_at=instant(row["completed_at"]),
    )


def review_claim(row: Row) -> ReviewClaim:
    """Return the claim of a checkpoint."""
    return ReviewClaim(
        checkpoint_id=row["checkpoint_id"],
        user_id=row["user_id"],
        user_name=row["user_name"],
        claimed_at=from_micros(row["claimed_at"]),
        until=from_micros(row["until"]),
    )


def viewer(row: Row) -> Viewer:
    """Return somebody who looks at a checkpoint."""
    return Viewer(
        user_id=row["user_id"],
        user_name=row["user_name"],
        first_seen=from_micros(row["first_seen"]),
        last_seen=from_micros(row["last_seen"]),
    )


def comment(row: Row) -> Comment:
    """Return a comment on a checkpoint."""
    same = ("id", "checkpoint_id", "author_id", "author_name", "body")
    return Comment(
        **{name: row[name] for name in same},
        mentions=tuple(cast("list[str]", loads(row["mentions"]))),
        created_at=from_micros(row["created_at"]),
        edited_at=instant(row["edited_at"]),
        deleted_at=instant(row["deleted_at"]),
        anchor=_anchor(row),
    )


def _anchor(row: Row) -> Anchor | None:
    if row["anchor_path"] is None:
        return None
    same = ("path", "side", "line", "text")
    return Anchor(**{name: row[f"anchor_{name}"] for name in same})
