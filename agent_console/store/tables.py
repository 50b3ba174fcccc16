"""The tables, as SQLModel classes: the one source for migrations and for reads.

Instants are ``BIGINT`` microseconds since 1970 UTC: both databases compare and index them alike,
and nothing is lost to a text form. JSON is ``TEXT`` in canonical form: the text that was digested
is the text that is stored, big numbers included. Conversions live in ``store.rows``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Text,
    TextClause,
    text,
)
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlmodel import Field, SQLModel

from agent_console.domain.checkpoints import CheckpointStatus, CheckpointType
from agent_console.domain.jobs import CLAIMABLE, LIVE, JobStatus
from agent_console.store import (  # noqa: F401 - of the same metadata
    account_tables,
    agent_tables,
    chat_tables,
    job_type_tables,
    notification_tables,
    query_tables,
    review_tables,
    schedule_tables,
    seal_tables,
    tally_tables,
    unique_tables,
)


def _among(statuses: Iterable[JobStatus]) -> str:
    return "status IN ({})".format(", ".join(f"'{one}'" for one in sorted(statuses)))


def _one_of(column: str, values: list[str]) -> CheckConstraint:
    listed = ", ".join(f"'{v}'" for v in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"ck_{column}_known")


# Literals, not parameters: partial indexes are used only when the planner sees the same constant.
CLAIMABLE_SQL = _among(CLAIMABLE)
# Listed, not by what they are not: an index that begins with the status finds these alone.
LIVE_SQL = _among(LIVE)
# ``gate`` 0: its type is not limited; 1: held until admitted; 2: admitted, only within the claim's
# own transaction; 3: held behind others of its lane. A run keeps 1: it is admitted anew each time.
READY_SQL = f"{CLAIMABLE_SQL} AND gate IN (0, 2)"
HELD_SQL = f"{CLAIMABLE_SQL} AND gate = 1"
BEHIND_SQL = f"{CLAIMABLE_SQL} AND gate = 3"
TAKEN_SQL = "status = 'RUNNING' AND gate > 0"


def _where(name: str, condition: str, *columns: str | TextClause) -> Index:
    """Return an index of the rows that meet ``condition``, the same on both databases."""
    return Index(name, *columns, sqlite_where=text(condition), postgresql_where=text(condition))


class AiJob(SQLModel, table=True):
    """``ai_jobs``: one row per job. ``claim_token`` rises with every claim and fences writes."""

    __tablename__: ClassVar[str] = "ai_jobs"
    __table_args__ = (
        _one_of("status", [s.value for s in JobStatus]),
        _where("ix_ai_jobs_ready", READY_SQL, text("priority DESC"), "run_at", "id"),
        _where("ix_ai_jobs_due", READY_SQL, "run_at"),
        _where("ix_ai_jobs_gated", HELD_SQL, "job_type", text("priority DESC"), "run_at", "id"),
        _where("ix_ai_jobs_gated_due", HELD_SQL, "job_type", "run_at"),
        _where(
            "ix_ai_jobs_behind",
            BEHIND_SQL,
            "job_type",
            "lane",
            text("priority DESC"),
            "run_at",
            "id",
        ),
        _where("ix_ai_jobs_taken", TAKEN_SQL, "job_type", "lane"),
        Index(
            "ix_ai_jobs_held",
            "worker_id",
            sqlite_where=text("status = 'RUNNING'"),
            postgresql_where=text("status = 'RUNNING'"),
        ),
        Index("ix_ai_jobs_status_id", "status", text("id DESC")),
        Index("ix_ai_jobs_type_id", "job_type", text("id DESC")),
        Index("ix_ai_jobs_user_id", "user_id", text("id DESC")),
        Index(
            "ix_ai_jobs_project_id",
            "project_id",
            text("id DESC"),
            "job_type",
            "status",
            sqlite_where=text("project_id IS NOT NULL"),
            postgresql_where=text("project_id IS NOT NULL"),
        ),
        Index(
            "ix_ai_jobs_forked_from",
            "forked_from",
            text("id DESC"),
            sqlite_where=text("forked_from IS NOT NULL"),
            postgresql_where=text("forked_from IS NOT NULL"),
        ),
        Index(
            "ix_ai_jobs_finished",
            "status",
            "completed_at",
            "id",
            sqlite_where=text("completed_at IS NOT NULL"),
            postgresql_where=text("completed_at IS NOT NULL"),
        ),
        Index(
            "ix_ai_jobs_unique",
            "job_type",
            "unique_key",
            "status",
            sqlite_where=text("unique_key IS NOT NULL"),
            postgresql_where=text("unique_key IS NOT NULL"),
        ),
        {"postgresql_with": {"fillfactor": 85}},
    )

    id: str = Field(sa_column=Column(Text, primary_key=True))
    job_type: str = Field(sa_type=Text)
    status: str = Field(sa_type=Text)
    task_description: str = Field(sa_type=Text)
    input_data: str = Field(sa_type=Text)
    output_data: str | None = Field(default=None, sa_type=Text)
    error: str | None = Field(default=None, sa_type=Text)
    priority: int = Field(sa_type=Integer)
    user_id: str | None = Field(default=None, sa_type=Text)
    user_name: str | None = Field(default=None, sa_type=Text)
    project_id: str | None = Field(default=None, sa_type=Text)
    task_configuration: str | None = Field(default=None, sa_type=Text)
    context_document_id: str | None = Field(default=None, sa_type=Text)
    approval_strategy: str | None = Field(default=None, sa_type=Text)
    attempts: int = Field(default=0, sa_type=Integer)
    max_attempts: int = Field(sa_type=Integer)
    claims: int = Field(default=0, sa_type=Integer)  # since the last orderly end of a run
    resuming: int = Field(default=0, sa_type=Integer)  # 1: the next claim charges no attempt
    claim_token: int = Field(default=0, sa_type=BigInteger)
    worker_id: str | None = Field(default=None, sa_type=Text)
    code_version: str | None = Field(default=None, sa_type=Text)
    park_reason: str | None = Field(default=None, sa_type=Text)
    park_code: str | None = Field(default=None, sa_type=Text)  # domain.parking.ParkCode
    park_detail: str | None = Field(default=None, sa_type=Text)  # canonical JSON
    forked_from: str | None = Field(default=None, sa_type=Text)  # the job its record began as
    forked_position: int | None = Field(default=None, sa_type=Integer)  # copied before this
    progress: str | None = Field(default=None, sa_type=Text)
    metadata_: str = Field(default="{}", sa_column=Column("metadata", Text, nullable=False))
    idempotency_key: str | None = Field(default=None, sa_type=Text)
    traceparent: str | None = Field(default=None, sa_type=Text)  # W3C; of the job's spans
    gate: int = Field(default=0, sa_type=Integer, sa_column_kwargs={"server_default": "0"})
    lane: str | None = Field(default=None, sa_type=Text)  # the concurrency key
    unique_key: str | None = Field(default=None, sa_type=Text)
    unique_while: str | None = Field(default=None, sa_type=Text)  # statuses, space between
    run_at: int = Field(sa_type=BigInteger)
    created_at: int = Field(sa_type=BigInteger)
    updated_at: int = Field(sa_type=BigInteger)
    started_at: int | None = Field(default=None, sa_type=BigInteger)
    completed_at: int | None = Field(default=None, sa_type=BigInteger)


class JobStep(SQLModel, table=True):
    """``job_steps``: what a handler has already done, in the order it asked for it."""

    __tablename__: ClassVar[str] = "job_steps"

    job_id: str = Field(sa_type=Text, primary_key=True, foreign_key="ai_jobs.id")
    position: int = Field(sa_type=Integer, primary_key=True)
    kind: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)
    result: str | None = Field(default=None, sa_type=Text)
    code_version: str | None = Field(default=None, sa_type=Text)
    attempt: int = Field(sa_type=Integer)
    started_at: int = Field(sa_type=BigInteger)
    finished_at: int = Field(sa_type=BigInteger)


class AgentCheckpoint(SQLModel, table=True):
    """``agent_checkpoints``: ``payload`` is the canonical text whose SHA-256 is the digest."""

    __tablename__: ClassVar[str] = "agent_checkpoints"
    __table_args__ = (
        _one_of("status", [s.value for s in CheckpointStatus]),
        _one_of("checkpoint_type", [t.value for t in CheckpointType]),
        Index("uq_agent_checkpoints_position", "job_id", "position", unique=True),
        Index("ix_agent_checkpoints_status", "status", "created_at", "id"),
        Index("ix_agent_checkpoints_type", "checkpoint_type", "created_at", "id"),
        Index("ix_agent_checkpoints_created", "created_at", "id"),
        _where("ix_agent_checkpoints_deadline", "status = 'PENDING'", "expires_at", "id"),
        _where("ix_agent_checkpoints_rule", "rule_id IS NOT NULL", "rule_id", "created_at", "id"),
    )

    id: str = Field(sa_column=Column(Text, primary_key=True))
    job_id: str = Field(sa_type=Text, foreign_key="ai_jobs.id")
    position: int = Field(sa_type=Integer)  # of the handler's call; one checkpoint per call
    checkpoint_type: str = Field(sa_type=Text)
    status: str = Field(sa_type=Text)
    message: str = Field(sa_type=Text)
    payload: str = Field(sa_type=Text)
    payload_digest: str = Field(sa_type=Text)
    metadata_: str = Field(default="{}", sa_column=Column("metadata", Text, nullable=False))
    edit_schema: str | None = Field(default=None, sa_type=Text)  # None: not editable
    approved_by: str | None = Field(default=None, sa_type=Text)
    approved_by_name: str | None = Field(default=None, sa_type=Text)
    approved_at: int | None = Field(default=None, sa_type=BigInteger)
    undo_until: int | None = Field(default=None, sa_type=BigInteger)
    decision_digest: str | None = Field(default=None, sa_type=Text)
    rejection_reason: str | None = Field(default=None, sa_type=Text)
    feedback: str | None = Field(default=None, sa_type=Text)
    edited_data: str | None = Field(default=None, sa_type=Text)
    response: str | None = Field(default=None, sa_type=Text)
    expires_at: int | None = Field(default=None, sa_type=BigInteger)
    round: int = Field(default=1, sa_type=Integer, sa_column_kwargs={"server_default": "1"})
    rounds: int | None = Field(default=None, sa_type=Integer)  # None: no changes can be requested
    previous_id: str | None = Field(default=None, sa_type=Text)  # the checkpoint of the last round
    risk: str | None = Field(default=None, sa_type=Text)  # its gravest finding; None: for nobody
    forked_from: str | None = Field(default=None, sa_type=Text)  # the checkpoint it is a copy of
    policy_id: str | None = Field(default=None, sa_type=Text)  # under which it was decided
    extensions: int = Field(default=0, sa_type=Integer, sa_column_kwargs={"server_default": "0"})
    escalated_at: int | None = Field(default=None, sa_type=BigInteger)
    reminded: int | None = Field(default=None, sa_type=BigInteger)  # seconds before the deadline
    answer_schema: str | None = Field(default=None, sa_type=Text)  # None: it is no question
    answer_default: str | None = Field(default=None, sa_type=Text)
    # 1: a person was wanted, whatever a policy says.
    insists: int = Field(default=0, sa_type=Integer, sa_column_kwargs={"server_default": "0"})
    # The policy's version whose rule would approve it (None: none would); rule_shadow: only said so
    rule_id: str | None = Field(default=None, sa_type=Text)
    rule_shadow: int = Field(default=0, sa_type=Integer, sa_column_kwargs={"server_default": "0"})
    created_at: int = Field(sa_type=BigInteger)
    updated_at: int = Field(sa_type=BigInteger)


class AgentLog(SQLModel, table=True):
    """``agent_logs``: lines of handlers and of the engine about a job."""

    __tablename__: ClassVar[str] = "agent_logs"
    __table_args__ = (Index("ix_agent_logs_job", "job_id", "id"),)

    id: int | None = Field(
        default=None,
        sa_column=Column(
            BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
        ),
    )
    job_id: str = Field(sa_type=Text, foreign_key="ai_jobs.id")
    at: int = Field(sa_type=BigInteger)
    level: str = Field(sa_type=Text)
    message: str = Field(sa_type=Text)
    attempt: int = Field(sa_type=Integer)
    data: str | None = Field(default=None, sa_type=Text)


class WorkArtifact(SQLModel, table=True):
    """``work_artifacts``: outputs that people look at."""

    __tablename__: ClassVar[str] = "work_artifacts"
    __table_args__ = (
        Index("uq_work_artifacts_position", "job_id", "position", unique=True),
        Index("ix_work_artifacts_created", "created_at", "id"),
        Index("ix_work_artifacts_type", "artifact_type", "created_at", "id"),
    )

    id: str = Field(sa_column=Column(Text, primary_key=True))
    job_id: str = Field(sa_type=Text, foreign_key="ai_jobs.id")
    position: int = Field(sa_type=Integer)
    name: str = Field(sa_type=Text)
    artifact_type: str = Field(sa_type=Text)
    media_type: str = Field(sa_type=Text)
    content: str = Field(sa_type=Text)
    size: int = Field(sa_type=BigInteger)
    digest: str = Field(sa_type=Text)
    metadata_: str = Field(default="{}", sa_column=Column("metadata", Text, nullable=False))
    forked_from: str | None = Field(default=None, sa_type=Text)  # the artifact it is a copy of
    created_at: int = Field(sa_type=BigInteger)


class ArtifactText(SQLModel, table=True):
    """``artifact_texts``: the words of an artifact, to find it by; ``seq`` rises as they are saved.

    PostgreSQL indexes ``words`` here. On SQLite triggers keep ``artifact_fts`` (FTS5) in step: a
    virtual table, which only the migrations know.
    """

    __tablename__: ClassVar[str] = "artifact_texts"
    __table_args__ = (
        Index("uq_artifact_texts_artifact", "artifact_id", unique=True),
        Index("ix_artifact_texts_words", "words", postgresql_using="gin").ddl_if("postgresql"),
    )

    seq: int | None = Field(
        default=None,
        sa_column=Column(
            BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
        ),
    )
    artifact_id: str = Field(
        sa_column=Column(Text, ForeignKey("work_artifacts.id", ondelete="CASCADE"), nullable=False)
    )
    words: str = Field(
        sa_column=Column(Text().with_variant(TSVECTOR, "postgresql"), nullable=False)
    )


class AuditLog(SQLModel, table=True):
    """``audit_logs``: the journal. Append-only: the database itself refuses UPDATE and DELETE."""

    __tablename__: ClassVar[str] = "audit_logs"
    __table_args__ = (
        Index("ix_audit_logs_job", "job_id", "seq"),
        Index("ix_audit_logs_action", "action", "seq"),
        Index("ix_audit_logs_actor", "actor_id", "seq"),
        {"sqlite_autoincrement": True},
    )

    seq: int | None = Field(
        default=None,
        sa_column=Column(
            BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
        ),
    )
    at: int = Field(sa_type=BigInteger)
    action: str = Field(sa_type=Text)
    actor_kind: str = Field(sa_type=Text)
    actor_id: str | None = Field(default=None, sa_type=Text)
    actor_name: str = Field(sa_type=Text)
    actor_role: str | None = Field(default=None, sa_type=Text)
    session: str | None = Field(default=None, sa_type=Text)
    ip: str | None = Field(default=None, sa_type=Text)
    job_id: str | None = Field(default=None, sa_type=Text)
    job_type: str | None = Field(default=None, sa_type=Text)
    checkpoint_id: str | None = Field(default=None, sa_type=Text)
    subject_id: str | None = Field(default=None, sa_type=Text)
    before: str | None = Field(default=None, sa_type=Text)
    after: str | None = Field(default=None, sa_type=Text)
    verdict: str | None = Field(default=None, sa_type=Text)
    data: str = Field(default="{}", sa_type=Text)


class JobCallback(SQLModel, table=True):
    """``job_callbacks``: who may answer a call of a job; only the SHA-256 of a token is stored.

    ``position`` is that of the handler's call; every try of it has a token of its own.
    """

    __tablename__: ClassVar[str] = "job_callbacks"
    __table_args__ = (Index("ix_job_callbacks_job", "job_id", "position"),)

    token_hash: str = Field(sa_column=Column(Text, primary_key=True))
    job_id: str = Field(sa_type=Text, foreign_key="ai_jobs.id")
    position: int = Field(sa_type=Integer)
    body: str | None = Field(default=None, sa_type=Text)  # canonical JSON
    created_at: int = Field(sa_type=BigInteger)
    received_at: int | None = Field(default=None, sa_type=BigInteger)


class AgentWorker(SQLModel, table=True):
    """``agent_workers``: one row per process that can run jobs, wanted state included."""

    __tablename__: ClassVar[str] = "agent_workers"
    __table_args__ = (Index("ix_agent_workers_status", "status", "heartbeat_at"),)

    id: str = Field(sa_column=Column(Text, primary_key=True))
    host: str = Field(sa_type=Text)
    pid: int = Field(sa_type=Integer)
    version: str = Field(sa_type=Text)
    embedded: int = Field(default=0, sa_type=Integer)
    status: str = Field(sa_type=Text)
    desired: str = Field(sa_type=Text)
    active_jobs: int = Field(default=0, sa_type=Integer)
    max_concurrent_jobs: int = Field(sa_type=Integer)
    poll_interval_ms: int = Field(sa_type=Integer)
    job_types: str = Field(default="[]", sa_type=Text)
    breakers: str = Field(default="{}", sa_type=Text)  # of the hosts it calls, by allowlist entry
    started_at: int = Field(sa_type=BigInteger)
    heartbeat_at: int = Field(sa_type=BigInteger)
    stopped_at: int | None = Field(default=None, sa_type=BigInteger)


class IdempotencyKey(SQLModel, table=True):
    """``idempotency_keys``: the answer that was given to a request, kept for its repetition."""

    __tablename__: ClassVar[str] = "idempotency_keys"
    __table_args__ = (
        Index("ix_idempotency_keys_created", "created_at"),
        Index("ix_idempotency_keys_subject", "subject_id"),
        Index(
            "ix_idempotency_keys_expiry",
            "expires_at",
            sqlite_where=text("expires_at IS NOT NULL"),
            postgresql_where=text("expires_at IS NOT NULL"),
        ),
    )

    scope: str = Field(sa_type=Text, primary_key=True)  # actor and operation
    key: str = Field(sa_type=Text, primary_key=True)
    request_digest: str = Field(sa_type=Text)
    subject_id: str = Field(sa_type=Text)  # what the request made or decided
    created_at: int = Field(sa_type=BigInteger)
    expires_at: int | None = Field(default=None, sa_type=BigInteger)  # set when that is deleted
