"""The home page's list: what waits for a decision, soonest deadline first.

Written out, so that SQLite can be told its index: without statistics it takes the one on status,
which finds every pending row, and sorts them all.
"""

from __future__ import annotations

from agent_console.domain.checkpoints import CheckpointSummary
from agent_console.domain.queries import CheckpointQuery
from agent_console.domain.records import Page
from agent_console.store import rows
from agent_console.store.cursors import decode, encode
from agent_console.store.database import Reader
from agent_console.store.reads.paging import make_page
from agent_console.store.transactions import Params

_PENDING = """
SELECT c.id, c.job_id, c.checkpoint_type, c.status, c.message, c.approved_by_name, c.approved_at,
  c.expires_at, c.created_at, c.payload_digest, c.round, c.rounds,
  c.answer_schema IS NOT NULL AS asks,
  substr(c.payload, 1, :head) AS payload_head, j.job_type, j.task_description,
  j.user_name AS requested_by_name
FROM agent_checkpoints c {index} JOIN ai_jobs j ON j.id = c.job_id
WHERE c.status = 'PENDING' {conditions}
ORDER BY c.expires_at, c.id LIMIT :limit OFFSET :offset
"""
_CONDITIONS = {
    "checkpoint_type": "AND c.checkpoint_type = :checkpoint_type",
    "job_id": "AND c.job_id = :job_id",
    "job_type": "AND j.job_type = :job_type",
}
_AFTER = "AND (c.expires_at, c.id) > (:expires_at, :id)"


def page(
    reader: Reader, query: CheckpointQuery, total: tuple[int, bool]
) -> Page[CheckpointSummary]:
    """Return one page of pending checkpoints; ``total`` is shown with it."""
    params: Params = {
        "head": rows.PAYLOAD_HEAD,
        "limit": query.limit + 1,
        "offset": query.offset,
    }
    conditions = []
    for name, condition in _CONDITIONS.items():
        if (value := getattr(query, name)) is not None:
            conditions.append(condition)
            params[name] = value
    if query.cursor:
        conditions.append(_AFTER)
        params["expires_at"], params["id"] = decode(query.cursor, int, str)
    index = "{deadline_index}" if query.job_id is None else ""
    sql = _PENDING.format(index=index, conditions=" ".join(conditions))
    return make_page(
        reader.dicts(sql, params),
        query,
        rows.checkpoint_summary,
        key=lambda row: encode(row["expires_at"], row["id"]),
        total=total,
    )
