"""Agents: context documents, configuration templates, usage of models, jobs by project."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _text(name: str, *, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=null)


def _small(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _whole(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _context_documents() -> None:
    op.create_table(
        "context_documents",
        _text("id"),
        _text("title"),
        _text("project_id", null=True),
        _text("media_type"),
        _small("version"),
        _text("created_by", null=True),
        _text("created_by_name", null=True),
        _whole("created_at"),
        _whole("updated_at"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_context_documents_project_id", "context_documents", ["project_id", sa.text("id DESC")]
    )


def _context_document_versions() -> None:
    op.create_table(
        "context_document_versions",
        _text("document_id"),
        _small("version"),
        _text("content"),
        _text("digest"),
        _whole("size"),
        _text("created_by", null=True),
        _whole("created_at"),
        sa.PrimaryKeyConstraint("document_id", "version"),
        sa.ForeignKeyConstraint(["document_id"], ["context_documents.id"]),
    )


def _configuration_templates() -> None:
    op.create_table(
        "configuration_templates",
        _text("id"),
        _text("name"),
        _text("agent_type"),
        _text("task_configuration"),
        _text("approval_strategy", null=True),
        _text("owner_id"),
        _whole("created_at"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "uq_configuration_templates_name",
        "configuration_templates",
        ["owner_id", "agent_type", "name"],
        unique=True,
    )


def _job_usage() -> None:
    op.create_table(
        "job_usage",
        _text("job_id"),
        _small("position"),
        _text("model"),
        _whole("input_tokens"),
        _whole("output_tokens"),
        _whole("cost_micros"),
        _whole("at"),
        sa.PrimaryKeyConstraint("job_id", "position"),
        sa.ForeignKeyConstraint(["job_id"], ["ai_jobs.id"]),
    )


TABLES = {
    "context_documents": _context_documents,
    "context_document_versions": _context_document_versions,
    "configuration_templates": _configuration_templates,
    "job_usage": _job_usage,
}


def upgrade() -> None:
    for create in TABLES.values():
        create()
    in_a_project = sa.text("project_id IS NOT NULL")
    op.create_index(
        "ix_ai_jobs_project_id",
        "ai_jobs",
        ["project_id", sa.text("id DESC")],
        sqlite_where=in_a_project,
        postgresql_where=in_a_project,
    )
    columns = ["artifact_type", "created_at", "id"]
    op.create_index("ix_work_artifacts_type", "work_artifacts", columns)


def downgrade() -> None:
    op.drop_index("ix_work_artifacts_type", table_name="work_artifacts")
    op.drop_index("ix_ai_jobs_project_id", table_name="ai_jobs")
    # Indexes go with their table.
    for table in reversed(TABLES):
        op.drop_table(table)
