"""Artifacts found by their words, through the database's own full-text index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agent_console.domain.queries import COUNT_CAP, ArtifactQuery
from agent_console.domain.records import Artifact, Page
from agent_console.domain.search import wanted
from agent_console.store import rows
from agent_console.store.cursors import decode, encode
from agent_console.store.database import Reader
from agent_console.store.dialects import match_text
from agent_console.store.reads.paging import make_page

_NEWEST = 2**63 - 1

FOUND = """
SELECT {words_seq} FROM {words_table} WHERE {words_match} AND {words_seq} < :before
ORDER BY {words_seq} DESC LIMIT :most
"""

ROWS = """
SELECT a.id, a.job_id, a.name, a.artifact_type, a.media_type, '' AS content, a.size, a.digest,
  a.metadata, a.created_at, t.seq
FROM artifact_texts t JOIN work_artifacts a ON a.id = t.artifact_id
WHERE t.seq IN ({listed}) ORDER BY t.seq DESC
"""


def artifact_search(reader: Reader, query: ArtifactQuery) -> Page[Artifact]:
    """Return one page of the artifacts that hold every word searched for, newest first."""
    facts = {"job_id": query.job_id, "artifact_type": query.artifact_type}
    before = decode(query.cursor, int)[0] if query.cursor else _NEWEST
    asked = wanted(query.search, facts)
    text = match_text(asked, reader.dialect) if asked else None
    # One look serves the count and the page: finding is what costs, not the numbers found.
    newest = _found(reader, text, _NEWEST, COUNT_CAP + 1) if text else []
    capped = len(newest) > COUNT_CAP
    until = query.offset + query.limit + 1
    shown = [seq for seq in newest if seq < before][query.offset : until]
    if text and capped and len(shown) <= query.limit:
        shown = _found(reader, text, before, until)[query.offset :]
    return make_page(
        _rows(reader, shown),
        query,
        rows.artifact,
        key=lambda row: encode(row["seq"]),
        total=(min(len(newest), COUNT_CAP), capped),
    )


def _found(reader: Reader, text: str, before: int, most: int) -> list[int]:
    reader.rows("{words_plan}")
    found = reader.rows(FOUND, {"wanted": text, "before": before, "most": most})
    return [seq for (seq,) in found]


def _rows(reader: Reader, seqs: Sequence[int]) -> list[dict[str, Any]]:
    if not seqs:
        return []
    named: dict[str, object] = {f"s{number}": seq for number, seq in enumerate(seqs)}
    return reader.dicts(ROWS.replace("{listed}", ", ".join(f":{name}" for name in named)), named)
