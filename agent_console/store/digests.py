"""Messages that gather notices: each notice joins the one that is sent when its window ends.

A notice says what happened to which checkpoint, not in words: those are found when the message is
sent. So it tells how things stand by then, and keeps nothing of a job that was deleted.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from agent_console.domain.clock import from_micros, to_micros
from agent_console.domain.jobs import Json
from agent_console.domain.notifications import DIGEST, Topic
from agent_console.domain.payload import canonical, loads
from agent_console.store import outbox
from agent_console.store.ids import new_id
from agent_console.store.outbox import NewDelivery, News
from agent_console.store.transactions import Tx

MAX_NOTICES = 50  # in one message; those of the same window that are more make another

# What is being sent is complete: who takes a message counts its attempt.
OPEN = """
SELECT id, body FROM notification_deliveries
WHERE subscription_id = :subscription_id AND status = 'pending' AND topic = 'digest'
  AND attempts = 0 AND due_at >= :earliest AND due_at <= :until
ORDER BY due_at DESC, id DESC LIMIT 1 {for_update}
"""
_JOIN = "UPDATE notification_deliveries SET body = :body WHERE id = :id"


def gather(tx: Tx, subscription_id: str, news: News, *, earliest: int, until: int) -> bool:
    """Let ``news`` be told with others, not before ``earliest`` and at ``until`` (microseconds).

    For who has the cursor of the outbox locked: nobody else gathers. Returns whether a message had
    to be made.
    """
    found = tx.row(OPEN, {"subscription_id": subscription_id, "earliest": earliest, "until": until})
    if found is not None and len(waiting := _notices(found[1])) < MAX_NOTICES:
        tx.execute(_JOIN, {"id": found[0], "body": _body([*waiting, _notice(news)])})
        return False
    message_id = new_id("msg")
    return outbox.put(
        tx,
        NewDelivery(
            id=message_id,
            subscription_id=subscription_id,
            event_key=f"digest:{message_id}",
            topic=DIGEST,
            body=_body([_notice(news)]),
            due_at=until,
        ),
    )


def notices(body: str) -> list[News]:
    """Return what a message has gathered, oldest first."""
    return [_news(one) for one in _notices(body)]


def _notices(body: str) -> list[Json]:
    return cast("list[Json]", cast("dict[str, Any]", loads(body))["data"]["notices"])


def _body(found: list[Json]) -> str:
    return canonical({"type": f"checkpoint.{DIGEST}", "data": {"notices": found}})


def _notice(news: News) -> Json:
    return {
        "key": news.key,
        "topic": news.topic.value,
        "timestamp": from_micros(news.at).isoformat(),
        "checkpointId": news.checkpoint_id,
        "status": news.status,
        "by": news.by,
    }


def _news(one: Json) -> News:
    said = cast("Mapping[str, str]", one)
    return News(
        key=said["key"],
        topic=Topic(said["topic"]),
        at=to_micros(datetime.fromisoformat(said["timestamp"])),
        checkpoint_id=said["checkpointId"],
        status=said["status"],
        by=said["by"],
    )
