"""Jobs with sensible defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent_console.domain.access import SYSTEM, Actor
from agent_console.domain.jobs import DEFAULT_MAX_ATTEMPTS, Json, NewJob
from agent_console.store import job_writes
from agent_console.store.database import Database
from agent_console.store.ids import new_id


def new_job(
    job_type: str = "test", input_data: Mapping[str, Json] | None = None, **fields: Any
) -> NewJob:
    """Return a ``NewJob``; ``fields`` are any of its others."""
    fields.setdefault("task_description", f"A job of type {job_type}")
    return NewJob(job_type=job_type, input_data=dict(input_data or {}), **fields)


def enqueue(
    db: Database,
    job_type: str = "test",
    input_data: Mapping[str, Json] | None = None,
    *,
    actor: Actor = SYSTEM,
    **fields: Any,
) -> str:
    """Store a job as the console would, without asking a handler; return its id."""
    new = new_job(job_type, input_data, **fields)
    job_id = new_id("job")
    attempts = new.max_attempts or DEFAULT_MAX_ATTEMPTS
    db.write(
        lambda tx: job_writes.enqueue(tx, job_id, new, max_attempts=attempts, actor=actor, key=None)
    )
    return job_id
