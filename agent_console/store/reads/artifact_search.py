"""Artifacts found by their words, through the database's own full-text index."""

from __future__ import annotations

from agent_console.domain.queries import COUNT_CAP, ArtifactQuery
from agent_console.domain.records import Artifact, Page
from agent_console.domain.search import wanted
from agent_console.store import rows
from agent_console.store.cursors import decode, encode
from agent_console.store.database import Reader
from agent_console.store.dialects import match_text
from agent_console.store.reads.paging import make_page

_NEWEST = 2**63 - 1

# The index answers newest first by itself; only the rows of the page are looked up.
PAGE = """
WITH hits AS {materialized} (
  SELECT {words_seq} AS seq, t.artifact_id FROM {words_table}
  WHERE {words_match} AND {words_seq} < :before
  ORDER BY {words_seq} DESC LIMIT :limit OFFSET :offset
)
SELECT a.id, a.job_id, a.name, a.artifact_type, a.media_type, '' AS content, a.size, a.digest,
  a.metadata, a.created_at, h.seq
FROM hits h JOIN work_artifacts a ON a.id = h.artifact_id ORDER BY h.seq DESC
"""

COUNT = """
SELECT count(*) FROM (
  SELECT 1 AS one FROM {words_found} WHERE {words_match} LIMIT :cap
) AS found
"""


def artifact_search(reader: Reader, query: ArtifactQuery) -> Page[Artifact]:
    """Return one page of the artifacts that hold every word searched for, newest first."""
    facts = {"job_id": query.job_id, "artifact_type": query.artifact_type}
    before = decode(query.cursor, int)[0] if query.cursor else _NEWEST
    asked = wanted(query.search, facts)
    if asked is None:
        return make_page([], query, rows.artifact, key=lambda _row: "", total=(0, False))
    text = match_text(asked, reader.dialect)
    found = reader.dicts(
        PAGE,
        {
            "wanted": text,
            "before": before,
            "limit": query.limit + 1,
            "offset": query.offset,
        },
    )
    ((count,),) = reader.rows(COUNT, {"wanted": text, "cap": COUNT_CAP + 1})
    return make_page(
        found,
        query,
        rows.artifact,
        key=lambda row: encode(row["seq"]),
        total=(min(count, COUNT_CAP), count > COUNT_CAP),
    )
