"""Rows for tests, made through the store's own writers."""

from __future__ import annotations

from typing import Any

from agent_console.domain.access import ROLE_PERMISSIONS, Actor, Role
from agent_console.domain.jobs import NewJob
from agent_console.store import accounts, job_writes
from agent_console.store.database import Database
from agent_console.store.engine_values import Claimed
from agent_console.store.ids import new_id

ADA = Actor(
    kind="user", id="usr_ada", name="Ada", role=Role.ADMIN, permissions=ROLE_PERMISSIONS[Role.ADMIN]
)
RAY = Actor(
    kind="user",
    id="usr_ray",
    name="Ray",
    role=Role.REVIEWER,
    permissions=ROLE_PERMISSIONS[Role.REVIEWER],
)


def employ(db: Database, actor: Actor) -> None:
    """Give ``actor`` an account; nobody knows a password of it."""
    name = str(actor.id)
    new = accounts.NewUser(
        id=name,
        email=f"{name}@example.com",
        name=actor.name,
        role=str(actor.role),
        password_hash="none",
    )
    db.write(lambda tx: accounts.insert(tx, new))


def enqueue(
    db: Database, job_type: str = "noop", *, actor: Actor = ADA, max_attempts: int = 3, **new: Any
) -> str:
    """Put a job into the queue and return its id; ``new`` are fields of ``NewJob``."""
    job_id = new_id("job")
    db.write(
        lambda tx: job_writes.enqueue(
            tx,
            job_id,
            NewJob(job_type=job_type, **new),
            max_attempts=max_attempts,
            actor=actor,
            key=None,
        )
    )
    return job_id


def begin(db: Database, worker_id: str, job_type: str = "noop", **new: Any) -> Claimed | None:
    """Make a job that begins with ``worker_id``; return its claim, None if it had to wait."""
    job_id = new_id("job")
    made = db.write(
        lambda tx: job_writes.enqueue(
            tx,
            job_id,
            NewJob(job_type=job_type, **new),
            max_attempts=3,
            actor=ADA,
            key=None,
            worker_id=worker_id,
        )
    )
    return made.begun


def enqueue_many(db: Database, count: int, job_type: str = "noop", **new: Any) -> list[str]:
    """Put ``count`` jobs into the queue in one transaction."""
    ids = [new_id("job") for _ in range(count)]

    def insert(tx: Any) -> None:
        for job_id in ids:
            job_writes.enqueue(
                tx, job_id, NewJob(job_type=job_type, **new), max_attempts=3, actor=ADA, key=None
            )

    db.write(insert)
    return ids
