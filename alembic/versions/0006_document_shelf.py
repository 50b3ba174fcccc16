"""Context documents: put away when nobody needs them, deleted if no job ever worked from them."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLE = "context_documents"
_USED = sa.text(
    "SELECT id, context_document_id, metadata FROM ai_jobs"
    " WHERE context_document_id IS NOT NULL ORDER BY id"
)
_MARK = sa.text("UPDATE context_documents SET first_job_id = :job WHERE id = :document")


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("archived_at", sa.BigInteger(), nullable=True))
    op.add_column(TABLE, sa.Column("first_job_id", sa.Text(), nullable=True))
    connection = op.get_bind()
    first: dict[str, str] = {}
    for job, document, metadata in connection.execute(_USED):
        for one in (document, *_more(metadata)):
            first.setdefault(one, job)
    marks = [{"document": document, "job": job} for document, job in first.items()]
    if marks:
        connection.execute(_MARK, marks)


def _more(metadata: str) -> list[str]:
    """Return the documents a job names beside its first; metadata may hold anything."""
    if "contextDocumentIds" not in metadata:
        return []
    value = json.loads(metadata)
    listed = value.get("contextDocumentIds") if isinstance(value, dict) else None
    return [one for one in listed if isinstance(one, str)] if isinstance(listed, list) else []


def downgrade() -> None:
    for column in ("first_job_id", "archived_at"):
        op.drop_column(TABLE, column)
