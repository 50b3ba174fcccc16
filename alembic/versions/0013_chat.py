"""Chat: conversations, their messages, and who has read up to where."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0011"
branch_labels = None
depends_on = None


def _text(name: str, *, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=null)


def _small(name: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=null)


def _whole(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _unique(name: str, table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(
        name,
        table,
        columns,
        unique=True,
        sqlite_where=condition,
        postgresql_where=condition,
    )


def _sessions() -> None:
    op.create_table(
        "chat_sessions",
        _text("id"),
        _text("title"),
        _text("job_id", null=True),
        _text("checkpoint_id", null=True),
        _text("created_by"),
        _text("created_by_name"),
        _small("last_seq"),
        _whole("created_at"),
        _whole("updated_at"),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["job_id"], ["ai_jobs.id"]),
        sa.ForeignKeyConstraint(["checkpoint_id"], ["agent_checkpoints.id"]),
    )
    on_job = "job_id IS NOT NULL AND checkpoint_id IS NULL"
    _unique("uq_chat_sessions_job", "chat_sessions", ["job_id"], on_job)
    on_checkpoint = "checkpoint_id IS NOT NULL"
    _unique("uq_chat_sessions_checkpoint", "chat_sessions", ["checkpoint_id"], on_checkpoint)
    op.create_index("ix_chat_sessions_updated", "chat_sessions", ["updated_at", "id"])


def _messages() -> None:
    op.create_table(
        "chat_messages",
        _text("session_id"),
        _small("seq"),
        _text("role"),
        _text("content"),
        _text("author_id", null=True),
        _text("author_name"),
        _text("client_id", null=True),
        _small("reply_to", null=True),
        _whole("created_at"),
        sa.PrimaryKeyConstraint("session_id", "seq"),
        sa.ForeignKeyConstraint(["session_id"], ["chat_sessions.id"]),
        sa.CheckConstraint("role IN ('user', 'assistant', 'system')", name="ck_role_known"),
    )
    client = ["session_id", "author_id", "client_id"]
    _unique("uq_chat_messages_client", "chat_messages", client, "client_id IS NOT NULL")
    answer = ["session_id", "reply_to"]
    _unique("uq_chat_messages_answer", "chat_messages", answer, "reply_to IS NOT NULL")


def _participants() -> None:
    op.create_table(
        "chat_participants",
        _text("session_id"),
        _text("user_id"),
        _text("user_name"),
        _whole("joined_at"),
        _small("read_seq"),
        sa.PrimaryKeyConstraint("session_id", "user_id"),
        sa.ForeignKeyConstraint(["session_id"], ["chat_sessions.id"]),
    )


def upgrade() -> None:
    _sessions()
    _messages()
    _participants()


def downgrade() -> None:
    # Indexes go with their table.
    for table in ("chat_participants", "chat_messages", "chat_sessions"):
        op.drop_table(table)
