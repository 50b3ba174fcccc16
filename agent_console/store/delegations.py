"""Delegations of the right to decide."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from agent_console.domain.access import Actor, Role
from agent_console.domain.clock import from_micros, to_micros
from agent_console.domain.delegations import Delegation, Delegator
from agent_console.domain.errors import NotFound
from agent_console.domain.events import Event
from agent_console.domain.records import User
from agent_console.domain.review_policies import Person
from agent_console.store.ids import new_id
from agent_console.store.rows import instant
from agent_console.store.transactions import Params, Queries, Tx

MAX_LISTED = 500

HELD = """
SELECT u.id, u.name, u.email, u.role, u.disabled FROM review_delegations d
JOIN users u ON u.id = d.from_id
WHERE d.to_id = :id AND d.revoked_at IS NULL AND d.starts_at <= {now} AND d.ends_at > {now}
ORDER BY d.starts_at, d.id
"""
OPEN = f"""
SELECT * FROM review_delegations WHERE revoked_at IS NULL AND ends_at > {{now}}
ORDER BY starts_at, id LIMIT {MAX_LISTED}
"""
INSERT = """
INSERT INTO review_delegations (id, from_id, from_name, to_id, to_name, starts_at, ends_at,
  created_by, created_by_name, created_at)
VALUES (:id, :from_id, :from_name, :to_id, :to_name, coalesce(:starts_at, {now}), :ends_at, :by,
  :by_name, {now}) RETURNING *
"""
REVOKE = """
UPDATE review_delegations SET revoked_at = {now}
WHERE id = :id AND revoked_at IS NULL AND ends_at > {now} RETURNING *
"""


def held_by(queries: Queries, user_id: str | None) -> list[Delegator]:
    """Return whose right to decide the account has at this moment."""
    if user_id is None:
        return []
    return [
        Delegator(id=one, name=name or email, role=Role(role), disabled=bool(disabled))
        for one, name, email, role, disabled in queries.rows(HELD, {"id": user_id})
    ]


def still_open(queries: Queries) -> list[Delegation]:
    """Return the delegations that hold or will, soonest first."""
    return [_delegation(row) for row in queries.dicts(OPEN)]


def get(queries: Queries, delegation_id: str) -> Delegation | None:
    """Return the delegation, or None."""
    found = queries.dicts("SELECT * FROM review_delegations WHERE id = :id", {"id": delegation_id})
    return _delegation(found[0]) if found else None


def create(
    tx: Tx,
    owner: Person,
    to: Person,
    *,
    starts_at: datetime | None,
    ends_at: datetime,
    actor: Actor,
) -> Delegation:
    """Lend the right of ``owner`` to ``to``; ``starts_at`` None is now."""
    row: Params = {
        "id": new_id("dlg"),
        "from_id": owner.id,
        "from_name": owner.name,
        "to_id": to.id,
        "to_name": to.name,
        "starts_at": None if starts_at is None else to_micros(starts_at),
        "ends_at": to_micros(ends_at),
        "by": actor.id,
        "by_name": actor.name or actor.kind,
    }
    made = _delegation(tx.dicts(INSERT, row)[0])
    tx.record(_event("review_delegation.created", made, actor))
    return made


def revoke(tx: Tx, delegation_id: str, actor: Actor) -> Delegation:
    """End the delegation now.

    Raises:
        NotFound: there is none that is open.
    """
    found = tx.dicts(REVOKE, {"id": delegation_id})
    if not found:
        raise NotFound(f"There is no open delegation {delegation_id}.")
    ended = _delegation(found[0])
    tx.record(_event("review_delegation.revoked", ended, actor))
    return ended


def person(user: User) -> Person:
    """Return the account as it is named."""
    return Person(id=user.id, name=user.name or user.email)


def _delegation(row: Mapping[str, Any]) -> Delegation:
    same = ("id", "from_id", "from_name", "to_id", "to_name", "created_by_name")
    return Delegation(
        **{name: row[name] for name in same},
        starts_at=from_micros(row["starts_at"]),
        ends_at=from_micros(row["ends_at"]),
        created_at=from_micros(row["created_at"]),
        revoked_at=instant(row["revoked_at"]),
    )


def _event(action: str, one: Delegation, actor: Actor) -> Event:
    return Event(
        action=action,
        actor=actor,
        subject_id=one.id,
        data={
            "from": one.from_id,
            "fromName": one.from_name,
            "to": one.to_id,
            "toName": one.to_name,
            "startsAt": one.starts_at.isoformat(),
            "endsAt": one.ends_at.isoformat(),
        },
    )
