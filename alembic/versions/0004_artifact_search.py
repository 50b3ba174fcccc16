"""Full-text search over artifacts: their words, in an index of each database's own kind."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

# The words of a row must be those that the console itself would write and search.
from agent_console.domain.search import index_text

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BATCH = 20  # artifacts in memory at once; each may be large
WORDS = {
    "sqlite": "INSERT INTO artifact_texts (artifact_id, words) VALUES (:id, :words)",
    "postgresql": "INSERT INTO artifact_texts (artifact_id, words) "
    "VALUES (:id, array_to_tsvector(string_to_array(:words, ' ')))",
}
# The index holds no text of its own: what changes in the table is told to it.
INDEX = """
CREATE VIRTUAL TABLE artifact_fts USING fts5(
  words, content='artifact_texts', content_rowid='seq', tokenize="ascii tokenchars '_'",
  detail='none', columnsize=0, prefix='3')
"""
ADDED = """
CREATE TRIGGER artifact_texts_added AFTER INSERT ON artifact_texts BEGIN
  INSERT INTO artifact_fts (rowid, words) VALUES (new.seq, new.words);
END
"""
REMOVED = """
CREATE TRIGGER artifact_texts_removed AFTER DELETE ON artifact_texts BEGIN
  INSERT INTO artifact_fts (artifact_fts, rowid, words) VALUES ('delete', old.seq, old.words);
END
"""


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "artifact_texts",
        sa.Column("seq", kind, autoincrement=True, nullable=False),
        sa.Column("artifact_id", sa.Text(), nullable=False),
        sa.Column("words", sa.Text().with_variant(TSVECTOR(), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.ForeignKeyConstraint(["artifact_id"], ["work_artifacts.id"], ondelete="CASCADE"),
    )
    op.create_index("uq_artifact_texts_artifact", "artifact_texts", ["artifact_id"], unique=True)
    if dialect == "sqlite":
        for statement in (INDEX, ADDED, REMOVED):
            op.execute(statement)
    else:
        op.create_index(
            "ix_artifact_texts_words", "artifact_texts", ["words"], postgresql_using="gin"
        )
    _fill(op.get_bind(), WORDS[dialect])


def _fill(connection: sa.Connection, insert: str) -> None:
    order = "SELECT id FROM work_artifacts ORDER BY created_at, id"
    ids = list(connection.execute(sa.text(order)).scalars())
    for start in range(0, len(ids), BATCH):
        rows = list(_words(connection, ids[start : start + BATCH]))
        connection.execute(sa.text(insert), rows)


def _words(connection: sa.Connection, ids: list[str]) -> Iterator[dict[str, str]]:
    statement = sa.text(
        "SELECT id, job_id, artifact_type, name, content FROM work_artifacts WHERE id IN :ids"
    ).bindparams(sa.bindparam("ids", expanding=True))
    found = {row.id: row for row in connection.execute(statement, {"ids": ids})}
    for one in ids:
        row = found[one]
        facts = {
            "artifact_id": row.id,
            "job_id": row.job_id,
            "artifact_type": row.artifact_type,
        }
        yield {"id": row.id, "words": index_text(facts, row.name, row.content)}


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE artifact_fts")
    # Index and triggers go with their table.
    op.drop_table("artifact_texts")
