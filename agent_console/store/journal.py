"""Writing the journal: the events of a transaction, in one statement, in that transaction."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from agent_console.domain.events import Event
from agent_console.domain.payload import dumps

COLUMNS: Final = (
    "at",
    "action",
    "actor_kind",
    "actor_id",
    "actor_name",
    "actor_role",
    "session",
    "ip",
    "job_id",
    "job_type",
    "checkpoint_id",
    "subject_id",
    "before",
    "after",
    "verdict",
    "data",
)


def rows_of(events: Iterable[Event]) -> list[tuple[object, ...]]:
    """Return a row per event in the order of ``COLUMNS`` without ``at``: the database's clock."""
    return [
        (
            e.action,
            e.actor.kind,
            e.actor.id,
            e.actor.name,
            e.actor.role,
            e.actor.session,
            e.actor.ip,
            e.job_id,
            e.job_type,
            e.checkpoint_id,
            e.subject_id,
            e.before,
            e.after,
            e.verdict,
            dumps(e.data) if e.data else "{}",
        )
        for e in events
    ]
