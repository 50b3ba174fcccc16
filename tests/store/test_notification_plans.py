"""Telling and sending read what is new and what is due, however much was told before."""

from __future__ import annotations

from typing import Any

import pytest

from agent_console.store import deliveries, digests, journal, outbox
from agent_console.store.database import Database
from tests.store.test_conformance_plans import plan

PAST = 20_000
# Both hold what waits, and nothing else.
WAITING = ("ix_notification_deliveries_due", "ix_notification_deliveries_next")
DELIVERIES = (
    "id", "subscription_id", "event_key", "topic", "body", "status", "attempts", "tries", "due_at",
    "log", "created_at",
)  # fmt: skip


@pytest.fixture
def told(db: Database) -> Database:
    """Return a database with a long history, and 200 messages that wait."""
    entry = dict.fromkeys(journal.COLUMNS) | {
        "at": 1, "action": "checkpoint.created", "actor_kind": "worker", "actor_name": "w",
        "checkpoint_id": "chk_1", "data": "{}",
    }  # fmt: skip
    entries = [tuple(entry.values())] * PAST
    sent = [
        (f"msg_{n}", f"sub_{n % 7}", str(n), "new", "{}", "pending" if n < 200 else "sent", 1, 1, n,
         "[]", n)
        for n in range(PAST)
    ]  # fmt: skip

    def fill(tx: Any) -> None:
        tx.insert("audit_logs", tuple(entry), entries)
        tx.insert("notification_deliveries", DELIVERIES, sent)
        if tx.dialect == "postgresql":
            tx.execute("ANALYZE")

    db.write(fill)
    return db


def test_the_statements_of_notifications_use_their_indexes(told: Database) -> None:
    one: dict[str, object] = {"subscription_id": "sub_3", "lease": 1}
    new: dict[str, object] = {"after": PAST - 10, "upto": PAST, "limit": 500}
    hot = {
        "take": (deliveries.TAKE, one, *WAITING),
        "due": (deliveries.DUE, {}, *WAITING),
        "gather": (
            digests.OPEN,
            {"subscription_id": "sub_3", "earliest": 1, "until": 300},
            *WAITING,
        ),
        "outlook": (outbox.OUTLOOK, {}, *WAITING),
        "entries": (outbox.ENTRIES, new, "PRIMARY KEY", "audit_logs_pkey"),
    }
    for name, (sql, params, *indexes) in hot.items():
        found = plan(told, sql, params)
        assert any(index in found for index in indexes), f"{name}:\n{found}"
        assert "Seq Scan on notification_deliveries" not in found, f"{name}:\n{found}"
        assert "ix_audit_logs_action" not in found, f"{name}:\n{found}"
