"""Keys that make a repeated request give the first answer instead of a second effect."""

from __future__ import annotations

from typing import Any

from agent_console.domain.errors import Conflict
from agent_console.domain.payload import dumps, loads
from agent_console.store.prepared import KEPT
from agent_console.store.transactions import Tx

REMEMBER = "INSERT INTO job_batches (id, answer, created_at) VALUES (:id, :answer, {now})"
REMEMBERED = "SELECT answer FROM job_batches WHERE id = :id"


def claim(tx: Tx, *, scope: str, key: str, digest: str, subject_id: str) -> str | None:
    """Take ``key`` for the request with ``digest``; return None when it was free.

    Otherwise return the subject (job, checkpoint) of the request that took it. Of two at the same
    time, the second waits here for the first to commit.

    Raises:
        Conflict: the key was used for a different request.
    """
    taken = tx.execute(
        f"{KEPT} INSERT INTO idempotency_keys (scope, key, request_digest, subject_id, created_at)"
        " VALUES (:scope, :key, :digest, :subject_id, {now}) ON CONFLICT (scope, key) DO NOTHING",
        {"scope": scope, "key": key, "digest": digest, "subject_id": subject_id},
    )
    return None if taken else find(tx, scope=scope, key=key, digest=digest)


def find(tx: Tx, *, scope: str, key: str, digest: str) -> str | None:
    """Return the subject of the request that used ``key``, or None.

    Raises:
        Conflict: the key was used for a different request.
    """
    row = tx.row(
        f"{KEPT} SELECT request_digest, subject_id FROM idempotency_keys"
        " WHERE scope = :scope AND key = :key",
        {"scope": scope, "key": key},
    )
    if row is None:
        return None
    if row[0] != digest:
        raise Conflict(
            "This Idempotency-Key was already used for a different request; use a new key.",
            subjectId=row[1],
        )
    return str(row[1])


def answer_with(tx: Tx, *, scope: str, key: str, subject_id: str) -> None:
    """Let repetitions of a request, made in this very transaction, be answered with a subject."""
    tx.execute(
        "UPDATE idempotency_keys SET subject_id = :subject_id WHERE scope = :scope AND key = :key",
        {"scope": scope, "key": key, "subject_id": subject_id},
    )


def remember(tx: Tx, batch_id: str, answer: object) -> None:
    """Keep what a request for many was answered, as JSON; ``batch_id`` is its key's subject."""
    tx.execute(REMEMBER, {"id": batch_id, "answer": dumps(answer)})


def remembered(tx: Tx, batch_id: str) -> Any:
    """Return what the batch was answered."""
    row = tx.row(REMEMBERED, {"id": batch_id})
    return loads(str(row[0])) if row else []
