from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from argon2 import PasswordHasher

from agent_console.domain.access import ROLE_PERMISSIONS, Actor, Role
from agent_console.domain.errors import Invalid
from agent_console.domain.jobs import Json, NewJob
from agent_console.domain.records import HandlerInfo
from agent_console.services import Services, build_services
from agent_console.services.catalog import Catalog
from agent_console.services.passwords import Passwords
from agent_console.settings import Settings
from agent_console.store.database import Database
from agent_console.store.feed import ChangeFeed
from agent_console.store.runs import suspend
from agent_console.testing import FakeClock
from tests.support.runs import checkpoint, claim_one

PASSWORD = "seven quiet rivers meet"


class TwoTypes:
    """A catalog with a handler that takes anything and one that wants a path."""

    def handlers(self) -> Sequence[HandlerInfo]:
        return [
            HandlerInfo(job_type=name, title=name, description="", version="1", input_schema={})
            for name in ("noop", "write")
        ]

    def describe(self, job_type: str) -> HandlerInfo | None:
        return next((h for h in self.handlers() if h.job_type == job_type), None)

    def validate(self, job_type: str, data: dict[str, Json]) -> dict[str, Json]:
        if job_type == "write" and "path" not in data:
            raise Invalid.field("inputData.path", "is required.")
        return {"mode": "w", **data} if job_type == "write" else data

    def lane(self, job_type: str, data: dict[str, Json]) -> str | None:  # noqa: ARG002
        return None


def cheap_passwords() -> Passwords:
    return Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@dataclass
class Desk:
    """The services of a console with a clock that stands still, and shortcuts to its actors."""

    db: Database
    clock: FakeClock
    services: Services

    def actor(self, role: Role, name: str = "") -> Actor:
        """Make an account and sign it in without a password."""
        from agent_console.domain.access import local_operator

        name = name or role.value
        user = self.services.access.create_user(
            local_operator("root"), f"{name}@example.com", name, role.value, PASSWORD
        )
        return Actor(
            kind="user",
            id=user.id,
            name=name,
            role=role,
            permissions=ROLE_PERMISSIONS[role],
            session=f"session of {name}",
            ip="192.0.2.7",
        )

    def job(self, actor: Actor, **new: Any) -> str:
        """Enqueue a job."""
        return self.services.jobs.enqueue(actor, NewJob(job_type="noop", **new)).job.id

    def waiting(self, actor: Actor, data: Any = None, **new: Any) -> tuple[str, str]:
        """Enqueue a job and run it up to a question; return the ids of job and checkpoint."""
        job_id = self.job(actor)
        asked = checkpoint(0, data, **new)
        return job_id, suspend(self.db, claim_one(self.db).key, asked, [])

    def status(self, actor: Actor, job_id: str) -> str:
        """Return the job's status."""
        return self.services.jobs.get(actor, job_id).job.status.value


@pytest.fixture
def make_desk(clocked_db: Database, fake_clock: FakeClock) -> Callable[..., Desk]:
    """Make services with the given settings, on the given job types."""

    def make(catalog: Catalog | None = None, **settings: Any) -> Desk:
        services = build_services(
            clocked_db,
            catalog or TwoTypes(),
            Settings(**settings),
            ChangeFeed(),
            clock=fake_clock,
            passwords=cheap_passwords(),
        )
        return Desk(clocked_db, fake_clock, services)

    return make


@pytest.fixture
def desk(make_desk: Callable[..., Desk]) -> Desk:
    """Services with default settings."""
    return make_desk()
