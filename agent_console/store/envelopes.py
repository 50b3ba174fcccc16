"""The context documents of a run: pinned to a version once, read back by it ever after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent_console.store.database import Database

_LATEST = """
SELECT d.id, d.version, d.title, d.media_type, v.digest, v.size
FROM context_documents d
JOIN context_document_versions v ON v.document_id = d.id AND v.version = d.version
WHERE d.id = :id
"""
_TEXT = """
SELECT content FROM context_document_versions WHERE document_id = :id AND version = :version
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """The version of a document that a job works with; ``size`` is bytes of UTF-8."""

    id: str
    version: int
    title: str
    media_type: str
    digest: str
    size: int


def latest(db: Database, ids: Sequence[str]) -> list[Pinned | None]:
    """Return the latest version of each document in order, of one moment; None: there is none."""
    with db.read() as reader:
        rows = [reader.row(_LATEST, {"id": each}) for each in ids]
    return [
        None
        if row is None
        else Pinned(
            id=row[0],
            version=row[1],
            title=row[2],
            media_type=row[3],
            digest=row[4],
            size=row[5],
        )
        for row in rows
    ]


def texts(db: Database, pins: Sequence[tuple[str, int]]) -> list[str | None]:
    """Return the text of each ``(document id, version)`` in order; None: it is gone."""
    with db.read() as reader:
        rows = [reader.row(_TEXT, {"id": each, "version": version}) for each, version in pins]
    return [None if row is None else str(row[0]) for row in rows]
