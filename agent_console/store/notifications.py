"""Subscriptions to notifications: kept, changed, turned off; their targets are ciphertext."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from agent_console.domain.access import Actor
from agent_console.domain.clock import from_micros
from agent_console.domain.errors import Conflict, NotFound
from agent_console.domain.events import Event
from agent_console.domain.jobs import Json
from agent_console.domain.notifications import DISABLED, Subscription, Way
from agent_console.domain.payload import dumps, loads
from agent_console.store import rows
from agent_console.store.transactions import Params, Queries, Tx

MAX_OWN = 20  # an account may have
MAX_SHARED = 200

_COLUMNS = (
    "name", "way", "target", "shown", "shared", "owner_id", "owner_name", "topics", "job_types",
    "decidable", "reminders", "digest_minutes",
)  # fmt: skip
_INSERT = (
    f"INSERT INTO notification_subscriptions (id, {', '.join(_COLUMNS)}, enabled,"
    " disabled_reason, active_since, created_at, updated_at)"
    f" VALUES (:id, {', '.join(f':{name}' for name in _COLUMNS)}, 1, '', {{now}}, {{now}}, {{now}})"
)
_CHANGEABLE = (
    "name", "target", "shown", "topics", "job_types", "decidable", "reminders", "digest_minutes",
)  # fmt: skip
_UPDATE = (
    "UPDATE notification_subscriptions SET"
    f" {', '.join(f'{name} = :{name}' for name in _CHANGEABLE)}, updated_at = {{now}}"
    " WHERE id = :id"
)
_ENABLE = """
UPDATE notification_subscriptions SET enabled = 1, disabled_reason = '', failing_since = NULL,
  active_since = {now}, updated_at = {now}
WHERE id = :id AND enabled = 0
"""
_DISABLE = """
UPDATE notification_subscriptions SET enabled = 0, disabled_reason = :reason, updated_at = {now}
WHERE id = :id AND enabled = 1
"""
_DROP = """
UPDATE notification_deliveries SET status = 'dropped', finished_at = {now}
WHERE subscription_id = :id AND status = 'pending'
"""
# Where the telling begins: nobody heard what happened while there was no subscription.
_BEGIN = """
INSERT INTO notification_cursor (id, seq, reminded_until)
SELECT 'all', coalesce((SELECT max(seq) FROM audit_logs), 0), {now}
WHERE NOT EXISTS (SELECT 1 FROM notification_subscriptions WHERE enabled = 1)
ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, reminded_until = excluded.reminded_until
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a person says of a subscription; ``target`` is ciphertext, ``shown`` what is told."""

    name: str
    target: str
    shown: str
    topics: Sequence[str]
    job_types: Sequence[str]
    decidable: bool
    reminders: Sequence[int]
    digest_minutes: int


def visible(reader: Queries, owner_id: str | None, *, shared: bool) -> list[Subscription]:
    """Return the account's subscriptions and, where asked for, the ``shared`` ones; by name."""
    found = reader.dicts(
        "SELECT * FROM notification_subscriptions WHERE owner_id = :owner_id"
        " OR (shared = 1 AND :shared = 1) ORDER BY shared, name, id",
        {"owner_id": owner_id, "shared": int(shared)},
    )
    return [subscription(row) for row in found]


def enabled(reader: Queries) -> list[Subscription]:
    """Return the subscriptions that are to hear of things."""
    found = reader.dicts("SELECT * FROM notification_subscriptions WHERE enabled = 1 ORDER BY id")
    return [subscription(row) for row in found]


def get(reader: Queries, subscription_id: str) -> Subscription | None:
    """Return the subscription, or None."""
    row = _row(reader, subscription_id)
    return None if row is None else subscription(row)


def target(reader: Queries, subscription_id: str) -> tuple[Way, str] | None:
    """Return by which way the subscription hears, and the ciphertext of where; or None."""
    row = _row(reader, subscription_id)
    return None if row is None else (Way(row["way"]), str(row["target"]))


def create(
    tx: Tx, subscription_id: str, way: Way, said: Content, *, shared: bool, actor: Actor
) -> Subscription:
    """Insert the subscription; it hears of what happens from now on.

    Raises:
        Conflict: there are as many as there may be.
    """
    owner: Params = {"owner_id": None if shared else actor.id}
    kept = tx.row(
        "SELECT count(*) FROM notification_subscriptions WHERE "
        + ("shared = 1" if shared else "owner_id = :owner_id"),
        {} if shared else owner,
    )
    most = MAX_SHARED if shared else MAX_OWN
    if kept is not None and kept[0] >= most:
        raise Conflict(f"There are {most} subscriptions already; delete one first.")
    tx.execute(_BEGIN)
    more: Params = {"way": way.value, "shared": int(shared), "owner_name": actor.name}
    tx.execute(_INSERT, {"id": subscription_id, **_params(said), **owner, **more})
    made = found(tx, subscription_id)
    tx.record(_event("notification.subscribed", actor, made))
    return made


def change(
    tx: Tx, subscription_id: str, said: Content, actor: Actor, changed: Sequence[str]
) -> Subscription:
    """Make the subscription what ``said`` says, of which the fields ``changed`` are new.

    Raises:
        NotFound: it has gone meanwhile.
    """
    if not tx.execute(_UPDATE, {"id": subscription_id, **_params(said)}):
        raise _gone(subscription_id)
    one = found(tx, subscription_id)
    tx.record(_event("notification.changed", actor, one, {"changed": list(changed)}))
    return one


def enable(tx: Tx, subscription_id: str, actor: Actor) -> None:
    """Let it hear of what happens from now on; what happened meanwhile is not told."""
    tx.execute(_BEGIN)
    if tx.execute(_ENABLE, {"id": subscription_id}):
        tx.record(_event("notification.enabled", actor, found(tx, subscription_id)))


def disable(tx: Tx, subscription_id: str, actor: Actor, reason: str = "") -> None:
    """Tell it nothing more, nor what waits to be sent; ``reason``: why the console does so."""
    if tx.execute(_DISABLE, {"id": subscription_id, "reason": reason}):
        tx.execute(_DROP, {"id": subscription_id})
        one = found(tx, subscription_id)
        tx.record(_event(DISABLED, actor, one, {"reason": reason} if reason else {}))


def delete(tx: Tx, subscription_id: str, actor: Actor) -> None:
    """Delete the subscription with its messages.

    Raises:
        NotFound: it has gone meanwhile.
    """
    one = found(tx, subscription_id)
    key: Params = {"id": subscription_id}
    tx.execute("DELETE FROM notification_deliveries WHERE subscription_id = :id", key)
    tx.execute("DELETE FROM notification_subscriptions WHERE id = :id", key)
    tx.record(_event("notification.unsubscribed", actor, one))


def found(reader: Queries, subscription_id: str) -> Subscription:
    """Return the subscription.

    Raises:
        NotFound: there is none.
    """
    one = get(reader, subscription_id)
    if one is None:
        raise _gone(subscription_id)
    return one


def _gone(subscription_id: str) -> NotFound:
    return NotFound(f"There is no subscription {subscription_id}.")


def _row(reader: Queries, subscription_id: str) -> dict[str, Any] | None:
    sql = "SELECT * FROM notification_subscriptions WHERE id = :id"
    rows_found = reader.dicts(sql, {"id": subscription_id})
    return rows_found[0] if rows_found else None


def _params(said: Content) -> Params:
    return {
        "name": said.name,
        "target": said.target,
        "shown": said.shown,
        "topics": dumps(list(said.topics)),
        "job_types": dumps(list(said.job_types)),
        "decidable": int(said.decidable),
        "reminders": dumps(list(said.reminders)),
        "digest_minutes": said.digest_minutes,
    }


def subscription(row: Mapping[str, Any]) -> Subscription:
    """Return the value of a row, without its target."""
    same = (
        "id", "name", "shown", "owner_id", "owner_name", "disabled_reason", "digest_minutes",
    )  # fmt: skip
    lists: dict[str, Any] = {
        name: tuple(cast("list[Json]", loads(row[name])))
        for name in ("topics", "job_types", "reminders")
    }
    return Subscription(
        **{name: row[name] for name in same},
        **lists,
        way=Way(row["way"]),
        shared=bool(row["shared"]),
        decidable=bool(row["decidable"]),
        enabled=bool(row["enabled"]),
        active_since=from_micros(row["active_since"]),
        failing_since=rows.instant(row["failing_since"]),
        created_at=from_micros(row["created_at"]),
        updated_at=from_micros(row["updated_at"]),
    )


def _event(
    action: str, actor: Actor, one: Subscription, data: Mapping[str, Json] | None = None
) -> Event:
    said: dict[str, Json] = {
        "name": one.name,
        "way": one.way.value,
        "target": one.shown,
        "shared": one.shared,
    }
    return Event(action=action, actor=actor, subject_id=one.id, data={**said, **(data or {})})
