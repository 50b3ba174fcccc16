"""Votes on checkpoints that more than one person has to decide: one a person, on one content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from agent_console.domain.access import Role
from agent_console.domain.checkpoints import CheckpointVerb
from agent_console.domain.clock import from_micros
from agent_console.domain.review_policies import Vote
from agent_console.store.dialects import ids_param
from agent_console.store.transactions import Queries, Row, Tx

# With the accounts as they are now: who may not decide any more has not agreed.
OF = """
SELECT v.checkpoint_id, v.user_id, v.user_name, v.verb, v.digest, v.said, v.edited_data, v.voted_at,
       u.role, u.disabled, v.for_id, f.role AS for_role, f.disabled AS for_disabled
FROM checkpoint_votes v LEFT JOIN users u ON u.id = v.user_id LEFT JOIN users f ON f.id = v.for_id
WHERE v.checkpoint_id {among_ids} ORDER BY v.voted_at, v.user_id
"""
COLUMNS: Final = "id, user_id, user_name, verb, digest, said, edited, for_id"
# The same compare-and-set as a decision's: none is counted for what is decided, or out of time.
CAST = """
INSERT INTO checkpoint_votes (checkpoint_id, user_id, user_name, verb, digest, said, edited_data,
  for_id, voted_at)
SELECT c.id, v.user_id, v.user_name, v.verb, v.digest, v.said, v.edited, v.for_id, {now}
FROM v JOIN agent_checkpoints c ON c.id = v.id
WHERE c.status = 'PENDING' AND (c.expires_at IS NULL OR c.expires_at > {now})
ON CONFLICT (checkpoint_id, user_id) DO UPDATE SET user_name = excluded.user_name,
  verb = excluded.verb, digest = excluded.digest, said = excluded.said,
  edited_data = excluded.edited_data, for_id = excluded.for_id, voted_at = excluded.voted_at
RETURNING checkpoint_id
"""
WITHDRAW = """
DELETE FROM checkpoint_votes WHERE checkpoint_id {among_ids} AND user_id = :who
  AND EXISTS (SELECT 1 FROM agent_checkpoints c
    WHERE c.id = checkpoint_votes.checkpoint_id AND c.status = 'PENDING')
RETURNING checkpoint_id, verb
"""


def of(queries: Queries, checkpoint_ids: Sequence[str]) -> dict[str, list[Vote]]:
    """Return the votes on each checkpoint, oldest first."""
    found: dict[str, list[Vote]] = {one: [] for one in checkpoint_ids}
    if not found:
        return found
    for row in queries.dicts(OF, {"ids": ids_param(checkpoint_ids, queries.dialect)}):
        found[row["checkpoint_id"]].append(_vote(row))
    return found


def cast(tx: Tx, rows: Sequence[Row]) -> set[str]:
    """Record votes, rows of ``COLUMNS``; a person's earlier one on the same checkpoint goes.

    Returns the ids of the checkpoints that were still open.
    """
    return {row[0] for row in tx.values(COLUMNS, CAST, rows)}


def withdraw(tx: Tx, checkpoint_ids: Sequence[str], who: str) -> dict[str, str]:
    """Take back the votes of ``who`` on checkpoints that are open; return their verbs."""
    asked = {"ids": ids_param(checkpoint_ids, tx.dialect), "who": who}
    return dict(tx.rows(WITHDRAW, asked))


def copy(tx: Tx, checkpoint_ids: Mapping[str, str]) -> None:
    """Copy the votes on checkpoints to the copies of these, which ``checkpoint_ids`` maps to."""
    rows = tx.dicts(
        "SELECT * FROM checkpoint_votes WHERE checkpoint_id {among_ids}",
        {"ids": ids_param(list(checkpoint_ids), tx.dialect)},
    )
    if rows:
        made = [{**row, "checkpoint_id": checkpoint_ids[row["checkpoint_id"]]} for row in rows]
        tx.insert("checkpoint_votes", list(made[0]), [tuple(row.values()) for row in made])


def forget(tx: Tx, checkpoint_id: str) -> None:
    """Remove every vote on a checkpoint: what they agreed to does not hold any more."""
    tx.execute("DELETE FROM checkpoint_votes WHERE checkpoint_id = :id", {"id": checkpoint_id})


def _vote(row: Mapping[str, Any]) -> Vote:
    return Vote(
        user_id=row["user_id"],
        user_name=row["user_name"],
        verb=CheckpointVerb(row["verb"]),
        digest=row["digest"],
        at=from_micros(row["voted_at"]),
        said=row["said"] or "",
        edited_text=row["edited_data"],
        role=None if row["role"] is None else Role(row["role"]),
        disabled=bool(row["disabled"]),
        for_id=row["for_id"],
        for_role=None if row["for_role"] is None else Role(row["for_role"]),
        for_disabled=bool(row["for_disabled"]),
    )
