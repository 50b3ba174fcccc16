"""The outbox of notifications, filled from the journal: each thing told once to each subscription.

The journal is read behind a cursor that all processes share. Its row is locked for the moment in
which messages are put into the outbox, and moves on in the same transaction. So nothing is told
twice, nothing is left out, and whoever writes to the journal pays nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agent_console.domain.notifications import Topic, topic_of
from agent_console.store.dialects import ids_param
from agent_console.store.rows import PAYLOAD_HEAD
from agent_console.store.transactions import Params, Queries, Row, Tx

OUTLOOK = """
SELECT (SELECT count(*) FROM notification_subscriptions WHERE enabled = 1),
  (SELECT max(seq) FROM audit_logs), coalesce(c.seq, 0), coalesce(c.reminded_until, {now}),
  (SELECT min(due_at) FROM notification_deliveries WHERE status = 'pending'), {now}
FROM (SELECT 1 AS one) AS always LEFT JOIN notification_cursor c ON c.id = 'all'
"""
# By the sequence alone, never by the index of actions, which would read all of history.
ENTRIES = """
SELECT seq, at, action, actor_name, checkpoint_id, "after" FROM audit_logs
WHERE seq > :after AND seq <= :upto AND checkpoint_id IS NOT NULL
  AND {indexable}action LIKE 'checkpoint.%'
ORDER BY seq LIMIT :limit
"""
FACTS = f"""
SELECT c.id, c.job_id, c.status, c.message, c.created_at, c.expires_at, c.undo_until,
  c.escalated_at, substr(c.payload, 1, {PAYLOAD_HEAD}) AS payload_head, j.job_type,
  j.user_id AS requested_by, j.user_name AS requested_by_name
FROM agent_checkpoints c JOIN ai_jobs j ON j.id = c.job_id WHERE c.id {{among_ids}}
"""
# At so many percent of its time left, which has come since the last look.
REMIND = """
SELECT id, expires_at, expires_at - (expires_at - created_at) * :percent / 100 AS at
FROM agent_checkpoints {deadline_index}
WHERE status = 'PENDING' AND expires_at > {now}
  AND expires_at - (expires_at - created_at) * :percent / 100 > :since
  AND expires_at - (expires_at - created_at) * :percent / 100 <= {now}
ORDER BY expires_at, id
"""
CURSOR = "SELECT seq, reminded_until FROM notification_cursor WHERE id = 'all' {for_update}"
_COLUMNS = (
    "id", "subscription_id", "event_key", "topic", "job_id", "checkpoint_id", "body", "status",
    "attempts", "tries", "due_at", "log", "created_at",
)  # fmt: skip
_PUT = f"""
INSERT INTO notification_deliveries ({", ".join(_COLUMNS)})
VALUES (:id, :subscription_id, :event_key, :topic, :job_id, :checkpoint_id, :body, 'pending',
  :attempts, :tries, :due_at, '[]', {{now}})
ON CONFLICT (subscription_id, event_key) DO NOTHING
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """How things stand, by the database's clock ``now``; instants are microseconds.

    ``enabled`` subscriptions; ``newest`` entry of the journal, ``seq`` up to which it was told;
    ``due``: when the next message is to be sent, None when none waits.
    """

    enabled: int
    newest: int
    seq: int
    reminded_until: int
    due: int | None
    now: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is told of a checkpoint, and who asked for it. Instants are microseconds."""

    id: str
    job_id: str
    status: str
    message: str
    created_at: int
    expires_at: int | None
    undo_until: int | None
    escalated_at: int | None
    payload_head: str  # in which the action is
    job_type: str
    requested_by: str | None
    requested_by_name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """One thing to tell; ``key`` names it for ever. ``at`` is microseconds.

    ``status`` is the checkpoint's after it, ``by`` who brought it there, ``percent`` how much of
    its time is left.
    """

    key: str
    topic: Topic
    at: int
    checkpoint_id: str
    status: str
    by: str = ""
    percent: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDelivery:
    """A message for the outbox; ``body`` is canonical JSON, ``due_at`` microseconds."""

    id: str
    subscription_id: str
    event_key: str
    topic: str
    body: str
    due_at: int
    job_id: str | None = None
    checkpoint_id: str | None = None
    attempts: int = 0


def outlook(reader: Queries) -> Outlook:
    """Look at everything in one statement."""
    row = reader.row(OUTLOOK)
    assert row is not None  # noqa: S101 - it selects from one row
    enabled, newest, seq, reminded_until, due, now = row
    return Outlook(
        enabled=enabled,
        newest=newest or 0,
        seq=seq,
        reminded_until=reminded_until,
        due=due,
        now=now,
    )


def locked(tx: Tx) -> tuple[int, int]:
    """Return up to which entry, and which instant, all has been told; nobody else tells now."""
    row = tx.row(CURSOR)
    return (0, tx.now()) if row is None else (row[0], row[1])


def advance(tx: Tx, *, seq: int | None = None, reminded_until: int | None = None) -> None:
    """Move on, within the transaction that has the cursor ``locked``."""
    tx.execute(
        "UPDATE notification_cursor SET seq = coalesce(:seq, seq),"
        " reminded_until = coalesce(:until, reminded_until) WHERE id = 'all'",
        {"seq": seq, "until": reminded_until},
    )


def entries(queries: Queries, *, after: int, upto: int, limit: int) -> list[Row]:
    """Return entries about checkpoints: sequence first, as ``news`` takes them."""
    return queries.rows(ENTRIES, {"after": after, "upto": upto, "limit": limit})


def news(entry: Row) -> News | None:
    """Return what an entry of the journal is news of, or None."""
    seq, at, action, actor_name, checkpoint_id, status = entry
    topic = topic_of(action, status)
    if topic is None:
        return None
    return News(
        key=f"journal:{seq}",
        topic=topic,
        at=at,
        checkpoint_id=checkpoint_id,
        status=status or "",
        by=actor_name if topic is Topic.DECIDED else "",
    )


def reminders(queries: Queries, percent: int, since: int) -> list[News]:
    """Return the reminders at ``percent`` of the time left whose instant came after ``since``."""
    found = queries.rows(REMIND, {"percent": percent, "since": since})
    return [
        News(
            key=f"reminder:{checkpoint_id}:{expires_at}:{percent}",
            topic=Topic.REMINDER,
            at=at,
            checkpoint_id=checkpoint_id,
            status="PENDING",
            percent=percent,
        )
        for checkpoint_id, expires_at, at in found
    ]


def facts(queries: Queries, checkpoint_ids: Sequence[str]) -> dict[str, Facts]:
    """Return what is known of the checkpoints, by id; those that were deleted are missing."""
    params: Params = {"ids": ids_param(checkpoint_ids, queries.dialect)}
    rows: list[dict[str, Any]] = queries.dicts(FACTS, params) if checkpoint_ids else []
    return {row["id"]: Facts(**row) for row in rows}


def put(tx: Tx, new: NewDelivery) -> bool:
    """Put a message into the outbox; False: its subscription was told of that already."""
    params: Params = {
        "id": new.id,
        "subscription_id": new.subscription_id,
        "event_key": new.event_key,
        "topic": new.topic,
        "job_id": new.job_id,
        "checkpoint_id": new.checkpoint_id,
        "body": new.body,
        "attempts": new.attempts,
        "tries": new.attempts,
        "due_at": new.due_at,
    }
    return tx.execute(_PUT, params) == 1
