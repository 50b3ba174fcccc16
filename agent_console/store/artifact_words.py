"""The words of artifacts, made again where rows came in past the writer that adds them."""

from __future__ import annotations

from sqlalchemy import Connection, RowMapping, text

from agent_console.domain.search import index_text
from agent_console.store.dialects import Dialect, words_value

BATCH = 20  # artifacts in memory at once; each may be large
MISSING = """
SELECT a.id, a.job_id, a.artifact_type, a.name, a.content FROM work_artifacts a
WHERE NOT EXISTS (SELECT 1 FROM artifact_texts t WHERE t.artifact_id = a.id)
ORDER BY a.created_at, a.id LIMIT :batch
"""
INSERT = "INSERT INTO artifact_texts (artifact_id, words) VALUES (:id, {words_value})"


def fill(connection: Connection) -> int:
    """Index every artifact that has no words yet, oldest first; return how many."""
    dialect: Dialect = "sqlite" if connection.dialect.name == "sqlite" else "postgresql"
    statement = text(INSERT.format(words_value=words_value(dialect)))
    total = 0
    while found := connection.execute(text(MISSING), {"batch": BATCH}).mappings().all():
        total += len(found)
        connection.execute(statement, [_words(row) for row in found])
    return total


def _words(row: RowMapping) -> dict[str, str]:
    facts = {
        "artifact_id": row["id"],
        "job_id": row["job_id"],
        "artifact_type": row["artifact_type"],
    }
    return {"id": row["id"], "words": index_text(facts, row["name"], row["content"])}
