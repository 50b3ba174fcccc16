"""Groups of reviewers, and who is in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from agent_console.domain.access import Actor
from agent_console.domain.clock import from_micros
from agent_console.domain.errors import Conflict
from agent_console.domain.events import Event
from agent_console.domain.jobs import Json
from agent_console.domain.review_policies import Group, Person
from agent_console.domain.reviewer_groups import ReviewerGroup
from agent_console.store.dialects import ids_param
from agent_console.store.ids import new_id
from agent_console.store.transactions import Params, Queries, Tx

# With the accounts as they are called now.
MEMBERS = """
SELECT m.group_id, m.user_id, u.name, u.email FROM reviewer_group_members m
JOIN users u ON u.id = m.user_id WHERE m.group_id {among_ids} ORDER BY m.group_id, m.user_id
"""
RESOLVED = """
SELECT g.id, g.name, m.user_id FROM reviewer_groups g
LEFT JOIN reviewer_group_members m ON m.group_id = g.id WHERE g.id {among_ids}
ORDER BY g.id, m.user_id
"""
INSERT = """
INSERT INTO reviewer_groups (id, name, name_key, note, created_by, created_by_name, created_at,
  updated_at)
VALUES (:id, :name, :key, :note, :by, :by_name, {now}, {now})
ON CONFLICT (name_key) DO NOTHING RETURNING *
"""
CHANGE = """
UPDATE reviewer_groups SET name = :name, name_key = :key, note = :note, updated_at = {now}
WHERE id = :id AND NOT EXISTS
  (SELECT 1 FROM reviewer_groups o WHERE o.name_key = :key AND o.id <> :id) RETURNING *
"""
JOIN = """
INSERT INTO reviewer_group_members (group_id, user_id, added_by_name, added_at)
VALUES (:group_id, :user_id, :by_name, {now}) ON CONFLICT DO NOTHING
"""
LEAVE = "DELETE FROM reviewer_group_members WHERE group_id = :group_id AND user_id = :user_id"
TAKEN = "There is already a group of this name."


def listed(queries: Queries) -> list[ReviewerGroup]:
    """Return all groups by name; in a transaction none of them can go before its end."""
    lock = " {for_share}" if isinstance(queries, Tx) else ""
    rows = queries.dicts(f"SELECT * FROM reviewer_groups ORDER BY name_key{lock}")
    return _whole(queries, rows)


def get(queries: Queries, group_id: str) -> ReviewerGroup | None:
    """Return the group, or None; in a transaction it is locked."""
    lock = " {for_update}" if isinstance(queries, Tx) else ""
    rows = queries.dicts(f"SELECT * FROM reviewer_groups WHERE id = :id{lock}", {"id": group_id})
    return _whole(queries, rows)[0] if rows else None


def members(queries: Queries, group_ids: Iterable[str]) -> dict[str, tuple[Person, ...]]:
    """Return who is in each of the groups now; one that is gone has nobody."""
    found: dict[str, tuple[Person, ...]] = dict.fromkeys(group_ids, ())
    if found:
        asked: Params = {"ids": ids_param(sorted(found), queries.dialect)}
        for group_id, user_id, name, email in queries.rows(MEMBERS, asked):
            found[group_id] += (Person(id=user_id, name=name or email),)
    return found


def resolved(queries: Queries, group_ids: Iterable[str]) -> dict[str, Group]:
    """Return the groups as they are called now, with the accounts in them; none that is gone."""
    found: dict[str, Group] = {}
    asked: Params = {"ids": ids_param(sorted(set(group_ids)), queries.dialect)}
    for group_id, name, user_id in queries.rows(RESOLVED, asked):
        group = found.setdefault(group_id, Group(group_id, name))
        if user_id is not None:
            found[group_id] = replace(group, members=(*group.members, user_id))
    return found


def create(tx: Tx, name: str, note: str, people: Sequence[Person], actor: Actor) -> ReviewerGroup:
    """Make a group.

    Raises:
        Conflict: the name is taken.
    """
    row: Params = {"id": new_id("grp"), "by": actor.id, "by_name": actor.name or actor.kind}
    made = tx.dicts(INSERT, {**row, **_named(name, note)})
    if not made:
        raise Conflict(TAKEN)
    _join(tx, str(row["id"]), people, actor)
    group = _whole(tx, made)[0]
    tx.record(_event("created", group, actor, {"members": [one.id for one in group.members]}))
    return group


def change(
    tx: Tx,
    before: ReviewerGroup,
    *,
    name: str,
    note: str,
    add: Sequence[Person],
    remove: Sequence[Person],
    actor: Actor,
) -> ReviewerGroup:
    """Change a group that is locked; members who are in, or out, already stay so.

    Raises:
        Conflict: the name is taken.
    """
    made = tx.dicts(CHANGE, {"id": before.id, **_named(name, note)})
    if not made:
        raise Conflict(TAKEN)
    for one in remove:
        tx.execute(LEAVE, {"group_id": before.id, "user_id": one.id})
    _join(tx, before.id, add, actor)
    group = _whole(tx, made)[0]
    was, now = {one.id for one in before.members}, {one.id for one in group.members}
    facts: dict[str, Json] = {"added": [*sorted(now - was)], "removed": [*sorted(was - now)]}
    tx.record(_event("changed", group, actor, facts))
    return group


def delete(tx: Tx, group: ReviewerGroup, actor: Actor) -> None:
    """Delete a group that is locked, and who is in it."""
    tx.execute("DELETE FROM reviewer_group_members WHERE group_id = :id", {"id": group.id})
    tx.execute("DELETE FROM reviewer_groups WHERE id = :id", {"id": group.id})
    tx.record(_event("deleted", group, actor, {}))


def _join(tx: Tx, group_id: str, people: Sequence[Person], actor: Actor) -> None:
    by_name = actor.name or actor.kind
    for one in people:
        tx.execute(JOIN, {"group_id": group_id, "user_id": one.id, "by_name": by_name})


def _named(name: str, note: str) -> Params:
    return {"name": name, "key": name.casefold(), "note": note}


def _event(what: str, group: ReviewerGroup, actor: Actor, facts: dict[str, Json]) -> Event:
    return Event(
        action=f"reviewer_group.{what}",
        actor=actor,
        subject_id=group.id,
        data={"name": group.name, **facts},
    )


def _whole(queries: Queries, rows: Sequence[Mapping[str, Any]]) -> list[ReviewerGroup]:
    within = members(queries, [row["id"] for row in rows])
    return [
        ReviewerGroup(
            **{name: row[name] for name in ("id", "name", "note", "created_by_name")},
            members=within[row["id"]],
            created_at=from_micros(row["created_at"]),
            updated_at=from_micros(row["updated_at"]),
        )
        for row in rows
    ]
