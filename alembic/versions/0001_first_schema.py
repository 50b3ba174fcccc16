"""The first schema: jobs and what belongs to them, the journal, workers, accounts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _text(name: str, *, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=null)


def _small(name: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=null)


def _whole(name: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=null)


def _real(name: str, *, null: bool = False) -> sa.Column[float]:
    return sa.Column(name, sa.Float(), nullable=null)


def _serial(name: str) -> sa.Column[int]:
    # SQLite numbers rows by itself only in a column of exactly the type INTEGER.
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column(name, kind, autoincrement=True, nullable=False)


def _one_of(column: str, words: str) -> sa.CheckConstraint:
    listed = ", ".join(f"'{word}'" for word in words.split())
    return sa.CheckConstraint(f"{column} IN ({listed})", name=f"ck_{column}_known")


def _index(
    name: str,
    table: str,
    *parts: str | sa.TextClause,
    unique: bool = False,
    where: str | None = None,
) -> None:
    condition = sa.text(where) if where else None
    op.create_index(
        name,
        table,
        list(parts),
        unique=unique,
        sqlite_where=condition,
        postgresql_where=condition,
    )


def _ai_jobs() -> None:
    op.create_table(
        "ai_jobs",
        _text("id"),
        _text("job_type"),
        _text("status"),
        _text("task_description"),
        _text("input_data"),
        _text("output_data", null=True),
        _text("error", null=True),
        _small("priority"),
        _text("user_id", null=True),
        _text("user_name", null=True),
        _text("project_id", null=True),
        _text("task_configuration", null=True),
        _text("context_document_id", null=True),
        _text("approval_strategy", null=True),
        _small("attempts"),
        _small("max_attempts"),
        _small("claims"),
        _small("resuming"),
        _whole("claim_token"),
        _text("worker_id", null=True),
        _text("code_version", null=True),
        _text("park_reason", null=True),
        _text("progress", null=True),
        _text("metadata"),
        _text("idempotency_key", null=True),
        _whole("run_at"),
        _whole("created_at"),
        _whole("updated_at"),
        _whole("started_at", null=True),
        _whole("completed_at", null=True),
        sa.PrimaryKeyConstraint("id"),
        _one_of(
            "status",
            "INITIALIZED PENDING QUEUED RUNNING WAITING PAUSED PARKED COMPLETED FAILED CANCELED",
        ),
        postgresql_with={"fillfactor": 85},
    )
    _index("ix_ai_jobs_due", "ai_jobs", "run_at", where="status IN ('PENDING', 'QUEUED')")
    _index("ix_ai_jobs_held", "ai_jobs", "worker_id", where="status = 'RUNNING'")
    _index(
        "ix_ai_jobs_live",
        "ai_jobs",
        "status",
        where="status NOT IN ('COMPLETED', 'FAILED', 'CANCELED')",
    )
    _index(
        "ix_ai_jobs_ready",
        "ai_jobs",
        sa.text("priority DESC"),
        "run_at",
        "id",
        where="status IN ('PENDING', 'QUEUED')",
    )
    _index("ix_ai_jobs_status_id", "ai_jobs", "status", sa.text("id DESC"))
    _index("ix_ai_jobs_type_id", "ai_jobs", "job_type", sa.text("id DESC"))
    _index("ix_ai_jobs_user_id", "ai_jobs", "user_id", sa.text("id DESC"))


def _job_steps() -> None:
    op.create_table(
        "job_steps",
        _text("job_id"),
        _small("position"),
        _text("kind"),
        _text("name"),
        _text("result", null=True),
        _text("code_version", null=True),
        _small("attempt"),
        _whole("started_at"),
        _whole("finished_at"),
        sa.PrimaryKeyConstraint("job_id", "position"),
        sa.ForeignKeyConstraint(["job_id"], ["ai_jobs.id"]),
    )


def _agent_checkpoints() -> None:
    op.create_table(
        "agent_checkpoints",
        _text("id"),
        _text("job_id"),
        _small("position"),
        _text("checkpoint_type"),
        _text("status"),
        _text("message"),
        _text("payload"),
        _text("payload_digest"),
        _text("metadata"),
        _text("edit_schema", null=True),
        _text("approved_by", null=True),
        _text("approved_by_name", null=True),
        _whole("approved_at", null=True),
        _text("decision_digest", null=True),
        _text("rejection_reason", null=True),
        _text("feedback", null=True),
        _text("edited_data", null=True),
        _text("response", null=True),
        _whole("expires_at", null=True),
        _whole("created_at"),
        _whole("updated_at"),
        sa.PrimaryKeyConstraint("id"),
        _one_of("checkpoint_type", "APPROVAL_REQUIRED INFO ERROR"),
        _one_of("status", "PENDING APPROVED REJECTED CHANGES_REQUESTED EXPIRED CANCELED"),
        sa.ForeignKeyConstraint(["job_id"], ["ai_jobs.id"]),
    )
    _index("ix_agent_checkpoints_created", "agent_checkpoints", "created_at", "id")
    _index(
        "ix_agent_checkpoints_deadline",
        "agent_checkpoints",
        "expires_at",
        "id",
        where="status = 'PENDING'",
    )
    _index("ix_agent_checkpoints_status", "agent_checkpoints", "status", "created_at", "id")
    _index("ix_agent_checkpoints_type", "agent_checkpoints", "checkpoint_type", "created_at", "id")
    _index("uq_agent_checkpoints_position", "agent_checkpoints", "job_id", "position", unique=True)


def _agent_logs() -> None:
    op.create_table(
        "agent_logs",
        _serial("id"),
        _text("job_id"),
        _whole("at"),
        _text("level"),
        _text("message"),
        _small("attempt"),
        _text("data", null=True),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["job_id"], ["ai_jobs.id"]),
    )
    _index("ix_agent_logs_job", "agent_logs", "job_id", "id")


def _work_artifacts() -> None:
    op.create_table(
        "work_artifacts",
        _text("id"),
        _text("job_id"),
        _small("position"),
        _text("name"),
        _text("artifact_type"),
        _text("media_type"),
        _text("content"),
        _whole("size"),
        _text("digest"),
        _text("metadata"),
        _whole("created_at"),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["job_id"], ["ai_jobs.id"]),
    )
    _index("ix_work_artifacts_created", "work_artifacts", "created_at", "id")
    _index("uq_work_artifacts_position", "work_artifacts", "job_id", "position", unique=True)


def _audit_logs() -> None:
    op.create_table(
        "audit_logs",
        _serial("seq"),
        _whole("at"),
        _text("action"),
        _text("actor_kind"),
        _text("actor_id", null=True),
        _text("actor_name"),
        _text("actor_role", null=True),
        _text("session", null=True),
        _text("ip", null=True),
        _text("job_id", null=True),
        _text("job_type", null=True),
        _text("checkpoint_id", null=True),
        _text("subject_id", null=True),
        _text("before", null=True),
        _text("after", null=True),
        _text("verdict", null=True),
        _text("data"),
        sa.PrimaryKeyConstraint("seq"),
        sqlite_autoincrement=True,
    )
    _index("ix_audit_logs_action", "audit_logs", "action", "seq")
    _index("ix_audit_logs_actor", "audit_logs", "actor_id", "seq")
    _index("ix_audit_logs_job", "audit_logs", "job_id", "seq")


def _tallies() -> None:
    op.create_table(
        "tallies",
        _text("name"),
        _text("labels"),
        _small("shard"),
        _real("value"),
        sa.PrimaryKeyConstraint("name", "labels", "shard"),
    )


def _idempotency_keys() -> None:
    op.create_table(
        "idempotency_keys",
        _text("scope"),
        _text("key"),
        _text("request_digest"),
        _text("subject_id"),
        _whole("created_at"),
        sa.PrimaryKeyConstraint("scope", "key"),
    )
    _index("ix_idempotency_keys_created", "idempotency_keys", "created_at")


def _agent_workers() -> None:
    op.create_table(
        "agent_workers",
        _text("id"),
        _text("host"),
        _small("pid"),
        _text("version"),
        _small("embedded"),
        _text("status"),
        _text("desired"),
        _small("active_jobs"),
        _small("max_concurrent_jobs"),
        _small("poll_interval_ms"),
        _text("job_types"),
        _whole("started_at"),
        _whole("heartbeat_at"),
        _whole("stopped_at", null=True),
        sa.PrimaryKeyConstraint("id"),
    )
    _index("ix_agent_workers_status", "agent_workers", "status", "heartbeat_at")


def _users() -> None:
    op.create_table(
        "users",
        _text("id"),
        _text("email"),
        _text("name"),
        _text("role"),
        _text("password_hash"),
        _small("disabled"),
        _small("failed_logins"),
        _whole("locked_until"),
        _whole("created_at"),
        _whole("updated_at"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("email"),
    )


def _sessions() -> None:
    op.create_table(
        "sessions",
        _text("id"),
        _text("user_id"),
        _whole("created_at"),
        _whole("last_seen_at"),
        _whole("expires_at"),
        _whole("revoked_at", null=True),
        _text("ip", null=True),
        _text("user_agent", null=True),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
    )
    _index("ix_sessions_end", "sessions", "expires_at")
    _index("ix_sessions_user", "sessions", "user_id")


def _api_tokens() -> None:
    op.create_table(
        "api_tokens",
        _text("id"),
        _text("user_id"),
        _text("name"),
        _text("secret_hash"),
        _text("scopes"),
        _whole("created_at"),
        _whole("expires_at", null=True),
        _whole("last_used_at", null=True),
        _whole("revoked_at", null=True),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
    )
    _index("ix_api_tokens_user", "api_tokens", "user_id")


def _setup_links() -> None:
    op.create_table(
        "setup_links",
        _text("id"),
        _whole("expires_at"),
        _whole("used_at", null=True),
        sa.PrimaryKeyConstraint("id"),
    )


TABLES = {
    "ai_jobs": _ai_jobs,
    "job_steps": _job_steps,
    "agent_checkpoints": _agent_checkpoints,
    "agent_logs": _agent_logs,
    "work_artifacts": _work_artifacts,
    "audit_logs": _audit_logs,
    "tallies": _tallies,
    "idempotency_keys": _idempotency_keys,
    "agent_workers": _agent_workers,
    "users": _users,
    "sessions": _sessions,
    "api_tokens": _api_tokens,
    "setup_links": _setup_links,
}

REFUSAL = "audit_logs is append-only"


def _seal_journal_sqlite() -> None:
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_logs_no_{verb.lower()} BEFORE {verb} ON audit_logs "
            f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        )


def _seal_journal_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION audit_logs_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_logs_append_only "
        "BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_logs "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_logs_append_only()"
    )


def upgrade() -> None:
    for create in TABLES.values():
        create()
    if op.get_bind().dialect.name == "sqlite":
        _seal_journal_sqlite()
    else:
        _seal_journal_postgresql()


def downgrade() -> None:
    # Indexes and triggers go with their table.
    for table in reversed(TABLES):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_logs_append_only()")
