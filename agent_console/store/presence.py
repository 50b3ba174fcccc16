"""Views of checkpoints: a row per person, written again at most once per beat.

Screens are told only when somebody comes or goes whom another sees: while people look at different
cards, presence wakes nobody.
"""

from __future__ import annotations

from typing import Final

from agent_console.domain.access import Actor
from agent_console.domain.clock import MICROSECONDS
from agent_console.domain.errors import NotFound
from agent_console.domain.presence import BEAT, MOST_SHOWN, PRESENT, Presence
from agent_console.store import rows
from agent_console.store.transactions import Params, Queries, Tx

_STAY: Final = int(PRESENT.total_seconds() * MICROSECONDS)
# A beat that comes somewhat early still counts; a second tab, or a loop, writes nothing.
_EARLY: Final = int(BEAT.total_seconds() * MICROSECONDS * 5 / 6)

_MINE = """
SELECT present_until - {now}, last_seen - {now} FROM checkpoint_views
WHERE checkpoint_id = :id AND user_id = :who
"""
_LOOK = """
INSERT INTO checkpoint_views
  (checkpoint_id, user_id, user_name, first_seen, last_seen, present_until)
SELECT id, :who, :name, {now}, {now}, {now} + :stay FROM agent_checkpoints WHERE id = :id
ON CONFLICT (checkpoint_id, user_id) DO UPDATE SET user_name = excluded.user_name,
  last_seen = excluded.last_seen, present_until = excluded.present_until
"""
_LEAVE = """
UPDATE checkpoint_views SET last_seen = {now}, present_until = {now}
WHERE checkpoint_id = :id AND user_id = :who AND present_until > {now}
"""
_PRESENT = """
SELECT user_id, user_name, first_seen, last_seen FROM checkpoint_views
WHERE checkpoint_id = :id AND present_until > {now} ORDER BY first_seen, user_id LIMIT :most
"""
_OTHERS = """
SELECT 1 FROM checkpoint_views
WHERE checkpoint_id = :id AND user_id <> :who AND present_until > {now} LIMIT 1
"""
_FIRST = "SELECT min(first_seen) FROM checkpoint_views WHERE checkpoint_id = :id"


def look(tx: Tx, checkpoint_id: str, who: str, actor: Actor) -> None:
    """Note that ``who`` looks at the checkpoint now; nothing is written soon after the last time.

    Raises:
        NotFound: there is no such checkpoint.
    """
    params: Params = {"id": checkpoint_id, "who": who}
    mine = tx.row(_MINE, params)
    absent = mine is None or mine[0] <= 0
    if mine is not None and not absent and -mine[1] < _EARLY:
        return
    given: Params = {**params, "name": actor.name or actor.kind, "stay": _STAY}
    if not tx.execute(_LOOK, given):
        raise NotFound(f"There is no checkpoint {checkpoint_id}.")
    if absent:
        _tell(tx, params)


def leave(tx: Tx, checkpoint_id: str, who: str) -> None:
    """Note that ``who`` looks at it no more; of somebody who did not, nothing is written."""
    params: Params = {"id": checkpoint_id, "who": who}
    if tx.execute(_LEAVE, params):
        _tell(tx, params)


def of(reader: Queries, checkpoint_id: str) -> Presence:
    """Return who looks at the checkpoint now, at most ``MOST_SHOWN`` people."""
    found = reader.dicts(_PRESENT, {"id": checkpoint_id, "most": MOST_SHOWN})
    first = reader.row(_FIRST, {"id": checkpoint_id})
    return Presence(
        viewers=[rows.viewer(row) for row in found],
        first_seen_at=rows.instant(first[0] if first else None),
    )


def _tell(tx: Tx, params: Params) -> None:
    if tx.row(_OTHERS, params) is not None:
        tx.touch()
