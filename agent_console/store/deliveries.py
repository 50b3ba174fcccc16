"""Messages on their way: taken by one process at a time, tried again, and what became of them.

Who sends a message first puts off when it is due: that is the lease. A process that dies while it
sends leaves a message that comes due again, with the same id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from agent_console.domain.access import SYSTEM, Actor
from agent_console.domain.clock import MICROSECONDS, from_micros
from agent_console.domain.errors import Conflict, NotFound
from agent_console.domain.events import Event
from agent_console.domain.jobs import Json
from agent_console.domain.notifications import (
    TEST,
    Attempt,
    Delivery,
    DeliveryQuery,
    DeliveryStatus,
    Outcome,
    Sending,
    Way,
)
from agent_console.domain.payload import dumps, loads
from agent_console.domain.records import Page
from agent_console.store import notifications, rows, tallies
from agent_console.store.cursors import decode, encode
from agent_console.store.reads.paging import make_page
from agent_console.store.transactions import Params, Queries, Tx

KEPT_ATTEMPTS = 20  # in the log of a message; older ones give way
_BATCH = 1_000  # rows that one commit prunes

DUE = """
SELECT subscription_id FROM notification_deliveries
WHERE status = 'pending' AND due_at <= {now} GROUP BY subscription_id ORDER BY min(due_at)
"""
TAKE = """
UPDATE notification_deliveries
SET attempts = attempts + 1, tries = tries + 1, due_at = {now} + :lease
WHERE id = (
  SELECT id FROM notification_deliveries
  WHERE subscription_id = :subscription_id AND status = 'pending' AND due_at <= {now}
  ORDER BY due_at, id LIMIT 1 {skip_locked}
) AND status = 'pending' AND due_at <= {now}
RETURNING id, subscription_id, topic, checkpoint_id, body, attempts, tries
"""
_SETTLE = """
UPDATE notification_deliveries
SET status = :status, due_at = {now} + :wait, log = :log, finished_at = :finished_at
WHERE id = :id AND attempts = :number AND status = 'pending'
"""
_WELL = """
UPDATE notification_subscriptions SET failing_since = NULL
WHERE id = :id AND failing_since IS NOT NULL
"""
_ILL = """
UPDATE notification_subscriptions SET failing_since = coalesce(failing_since, {now})
WHERE id = :id RETURNING failing_since
"""
_AGAIN = """
UPDATE notification_deliveries SET status = 'pending', tries = 0, due_at = {now}, finished_at = NULL
WHERE id = :id AND subscription_id = :subscription_id AND status <> 'pending'
"""
# A reminder is told once: its row stays as long as it could come again.
_OLD = """
SELECT id FROM notification_deliveries d
WHERE status <> 'pending' AND finished_at < {now} - :age AND NOT EXISTS (
  SELECT 1 FROM agent_checkpoints c WHERE c.id = d.checkpoint_id AND c.status = 'PENDING')
LIMIT :limit
"""


def due(reader: Queries) -> list[str]:
    """Return the subscriptions to which something is to be sent, whose waits longest first."""
    return [str(row[0]) for row in reader.rows(DUE)]


def take(tx: Tx, subscription_id: str, lease: float) -> Sending | None:
    """Take the next message that is due; nobody else does for ``lease`` seconds."""
    params: Params = {"subscription_id": subscription_id, "lease": int(lease * MICROSECONDS)}
    found = tx.dicts(TAKE, params)
    if not found:
        return None
    row = found[0]
    return Sending(number=row.pop("attempts"), **row)


def settle(
    tx: Tx, sending: Sending, outcome: Outcome, *, way: Way, wait: float | None, patience: float
) -> bool:
    """Record what became of an attempt; False: it is no longer this process's to say.

    ``wait`` seconds are left to the next try, None: there is none. After ``patience`` seconds
    without a success, or when the other side is gone, the subscription is turned off.
    """
    status = DeliveryStatus.SENT if outcome.ok else DeliveryStatus.PENDING
    if not outcome.ok and wait is None:
        status = DeliveryStatus.FAILED
    if not _write(tx, sending, outcome, status, wait or 0.0):
        return False
    _count(tx, way, "sent" if outcome.ok else "failed")
    key: Params = {"id": sending.subscription_id}
    if outcome.ok:
        tx.execute(_WELL, key)
        return True
    # A test that fails is seen by who asked for it, and says little about the days before.
    failing = [] if sending.topic == TEST else tx.rows(_ILL, key)
    if outcome.gone:
        reason = "The other side answered that it is gone for good (410)."
        notifications.disable(tx, sending.subscription_id, SYSTEM, reason)
    elif failing and tx.now() - failing[0][0] >= patience * MICROSECONDS:
        since = from_micros(failing[0][0]).isoformat(timespec="seconds")
        reason = f"Nothing has arrived since {since}."
        notifications.disable(tx, sending.subscription_id, SYSTEM, reason)
    return True


def drop(tx: Tx, sending: Sending, why: str, way: Way) -> None:
    """Send no more what is no news any more."""
    if _write(tx, sending, Outcome(milliseconds=0, error=why), DeliveryStatus.DROPPED, 0.0):
        _count(tx, way, "dropped")


def again(tx: Tx, subscription_id: str, delivery_id: str, actor: Actor) -> Delivery:
    """Send a message once more, under its id.

    Raises:
        NotFound: there is none.
        Conflict: it waits to be sent anyway.
    """
    key: Params = {"id": delivery_id, "subscription_id": subscription_id}
    one = found(tx, subscription_id, delivery_id)
    if not tx.execute(_AGAIN, key):
        raise Conflict("This message is on its way already.", currentStatus=one.status.value)
    tx.record(
        Event(
            action="notification.redelivered",
            actor=actor,
            job_id=one.job_id,
            checkpoint_id=one.checkpoint_id,
            subject_id=subscription_id,
            data={"delivery": delivery_id},
        )
    )
    return found(tx, subscription_id, delivery_id)


def found(reader: Queries, subscription_id: str, delivery_id: str) -> Delivery:
    """Return a message of the subscription.

    Raises:
        NotFound: there is none.
    """
    sql = "SELECT * FROM notification_deliveries WHERE id = :id AND subscription_id = :of"
    rows_found = reader.dicts(sql, {"id": delivery_id, "of": subscription_id})
    if not rows_found:
        raise NotFound(f"There is no delivery {delivery_id}.")
    return _delivery(rows_found[0])


def page(reader: Queries, subscription_id: str, query: DeliveryQuery) -> Page[Delivery]:
    """Return one page of the subscription's messages, newest first."""
    params: Params = {"of": subscription_id, "limit": query.limit + 1}
    before = ""
    if query.cursor:
        params["before"], before = decode(query.cursor, str)[0], " AND id < :before"
    rows_found = reader.dicts(
        f"SELECT * FROM notification_deliveries WHERE subscription_id = :of{before}"
        " ORDER BY id DESC LIMIT :limit",
        params,
    )
    return make_page(
        rows_found, query, _delivery, key=lambda row: encode(str(row["id"])), total=None
    )


def prune(tx: Tx, seconds: float) -> int:
    """Forget messages that ended ``seconds`` ago; return how many, at most a batch."""
    params: Params = {"age": int(seconds * MICROSECONDS), "limit": _BATCH}
    return tx.execute(f"DELETE FROM notification_deliveries WHERE id IN ({_OLD})", params)


def is_old(reader: Queries, seconds: float) -> bool:
    """Say whether there is something to prune."""
    return bool(reader.rows(_OLD, {"age": int(seconds * MICROSECONDS), "limit": 1}))


def _write(tx: Tx, sending: Sending, outcome: Outcome, status: DeliveryStatus, wait: float) -> bool:
    row = tx.row("SELECT log FROM notification_deliveries WHERE id = :id", {"id": sending.id})
    if row is None:
        return False
    entry: dict[str, Json] = {
        "at": tx.now() - outcome.milliseconds * 1_000,
        "ms": outcome.milliseconds,
        "code": outcome.status_code,
        "error": outcome.error,
    }
    log = [*cast("list[Json]", loads(row[0])), entry][-KEPT_ATTEMPTS:]
    params: Params = {
        "id": sending.id,
        "number": sending.number,
        "status": status.value,
        "wait": int(wait * MICROSECONDS),
        "log": dumps(log),
        "finished_at": None if status is DeliveryStatus.PENDING else tx.now(),
    }
    tx.touch("")
    return tx.execute(_SETTLE, params) == 1


def _count(tx: Tx, way: Way, outcome: str) -> None:
    labels = f"{way.value}|{outcome}"
    row = (tx.now(), tallies.NOTIFICATIONS_TOTAL, labels, 1.0)
    tx.insert("tally_deltas", tallies.COLUMNS, [row])


def _delivery(row: Mapping[str, Any]) -> Delivery:
    status = DeliveryStatus(row["status"])
    log = cast("Sequence[Mapping[str, Any]]", loads(row["log"]))
    return Delivery(
        id=row["id"],
        subscription_id=row["subscription_id"],
        topic=row["topic"],
        job_id=row["job_id"],
        checkpoint_id=row["checkpoint_id"],
        body=rows.json_object(row["body"]),
        status=status,
        attempts=tuple(
            Attempt(
                at=from_micros(one["at"]),
                milliseconds=one["ms"],
                status_code=one["code"],
                error=one["error"],
            )
            for one in log
        ),
        next_at=from_micros(row["due_at"]) if status is DeliveryStatus.PENDING else None,
        created_at=from_micros(row["created_at"]),
        finished_at=rows.instant(row["finished_at"]),
    )
