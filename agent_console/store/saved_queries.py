"""Saved queries: kept per account, some for everybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agent_console.domain.access import Actor
from agent_console.domain.clock import from_micros
from agent_console.domain.errors import Conflict, NotFound
from agent_console.domain.events import Event
from agent_console.domain.payload import dumps, loads
from agent_console.domain.saved_queries import Resource, SavedQuery
from agent_console.store.transactions import Queries, Tx

MAX_QUERIES = 200  # an account may keep
MAX_LISTED = 500

_INSERT = """
INSERT INTO saved_queries (id, name, resource, query, shared, owner_id, owner_name, created_at,
  updated_at)
VALUES (:id, :name, :resource, :query, :shared, :owner_id, :owner_name, {now}, {now})
ON CONFLICT (owner_id, resource, name) DO NOTHING RETURNING *
"""
_UPDATE = """
UPDATE saved_queries SET name = :name, query = :query, shared = :shared, updated_at = {now}
WHERE id = :id RETURNING *
"""
_NAMESAKE = """
SELECT 1 FROM saved_queries
WHERE owner_id = :owner_id AND resource = :resource AND name = :name AND id <> :id
"""


def visible(reader: Queries, owner_id: str, resources: Sequence[Resource]) -> list[SavedQuery]:
    """Return the account's queries and the shared ones of ``resources``, by resource and name."""
    if not resources:
        return []
    names: dict[str, object] = {f"r{n}": one.value for n, one in enumerate(resources)}
    listed = ", ".join(f":{name}" for name in names)
    rows = reader.dicts(
        f"SELECT * FROM saved_queries WHERE resource IN ({listed})"
        " AND (shared = 1 OR owner_id = :owner_id)"
        f" ORDER BY resource, name, id LIMIT {MAX_LISTED}",
        {**names, "owner_id": owner_id},
    )
    return [_saved_query(row) for row in rows]


def get(reader: Queries, query_id: str) -> SavedQuery | None:
    """Return the query, or None."""
    rows = reader.dicts("SELECT * FROM saved_queries WHERE id = :id", {"id": query_id})
    return _saved_query(rows[0]) if rows else None


def create(
    tx: Tx,
    query_id: str,
    *,
    name: str,
    resource: Resource,
    query: Mapping[str, str],
    shared: bool,
    owner_id: str,
    actor: Actor,
) -> SavedQuery:
    """Insert the query.

    Raises:
        Conflict: the account has one of that name for that resource, or as many as it may keep.
    """
    count = tx.row(
        "SELECT count(*) FROM saved_queries WHERE owner_id = :owner_id", {"owner_id": owner_id}
    )
    if count is not None and count[0] >= MAX_QUERIES:
        raise Conflict(f"You keep {MAX_QUERIES} queries already; delete one first.")
    made = tx.dicts(
        _INSERT,
        {
            "id": query_id,
            "name": name,
            "resource": resource.value,
            "query": dumps(dict(query)),
            "shared": int(shared),
            "owner_id": owner_id,
            "owner_name": actor.name,
        },
    )
    if not made:
        raise Conflict(f"You have a query {name!r} on {resource.value} already.")
    saved = _saved_query(made[0])
    tx.record(_event("saved_query.created", actor, saved))
    return saved


def change(
    tx: Tx,
    query_id: str,
    *,
    name: str | None,
    query: Mapping[str, str] | None,
    shared: bool | None,
    actor: Actor,
) -> SavedQuery:
    """Change what is not None.

    Raises:
        NotFound: it has gone meanwhile.
        Conflict: its owner has another one of that name.
    """
    before = get(tx, query_id)
    if before is None:
        raise NotFound(f"There is no saved query {query_id}.")
    wanted = name or before.name
    same = {"owner_id": before.owner_id, "resource": before.resource.value, "id": query_id}
    if tx.row(_NAMESAKE, {**same, "name": wanted}) is not None:
        raise Conflict(f"You have a query {wanted!r} on {before.resource.value} already.")
    rows = tx.dicts(
        _UPDATE,
        {
            "id": query_id,
            "name": wanted,
            "query": dumps(dict(before.query if query is None else query)),
            "shared": int(before.shared if shared is None else shared),
        },
    )
    if not rows:
        raise NotFound(f"There is no saved query {query_id}.")
    saved = _saved_query(rows[0])
    tx.record(_event("saved_query.changed", actor, saved))
    return saved


def delete(tx: Tx, query_id: str, actor: Actor) -> None:
    """Delete the query.

    Raises:
        NotFound: it has gone meanwhile.
    """
    gone = tx.dicts("DELETE FROM saved_queries WHERE id = :id RETURNING *", {"id": query_id})
    if not gone:
        raise NotFound(f"There is no saved query {query_id}.")
    tx.record(_event("saved_query.deleted", actor, _saved_query(gone[0])))


def _saved_query(row: Mapping[str, Any]) -> SavedQuery:
    same = ("id", "name", "owner_id", "owner_name")
    filters: Any = loads(row["query"])
    return SavedQuery(
        **{name: row[name] for name in same},
        resource=Resource(row["resource"]),
        query=filters,
        shared=bool(row["shared"]),
        created_at=from_micros(row["created_at"]),
        updated_at=from_micros(row["updated_at"]),
    )


def _event(action: str, actor: Actor, saved: SavedQuery) -> Event:
    return Event(
        action=action,
        actor=actor,
        subject_id=saved.id,
        data={"name": saved.name, "resource": saved.resource.value, "shared": saved.shared},
    )
