from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from agent_console import JobContext, handler
from agent_console.api.app import create_api
from agent_console.api.middleware import wrap
from agent_console.domain.access import Role, local_operator
from agent_console.domain.errors import Invalid
from agent_console.domain.jobs import Json
from agent_console.domain.records import HandlerInfo
from agent_console.gateways.workspace import Workspace
from agent_console.runtime.registry import Registry
from agent_console.runtime.rehearsal import Rehearsals
from agent_console.services import Services, build_services
from agent_console.services.catalog import Catalog as ServiceCatalog
from agent_console.services.passwords import Passwords
from agent_console.settings import Settings
from agent_console.store.database import Database
from agent_console.store.feed import ChangeFeed
from agent_console.store.runs import suspend
from agent_console.testing import FakeClock
from tests.support.runs import checkpoint, claim_one

PASSWORD = "seven quiet rivers meet"
ORIGIN = "http://localhost:3000"
ROOT = local_operator("root")
METRICS = b"agent_checkpoints_pending 0\n"


class Catalog:
    """A job type that takes anything and one that wants a path."""

    def handlers(self) -> Sequence[HandlerInfo]:
        schema: dict[str, Json] = {"type": "object"}
        return [
            HandlerInfo(job_type=name, title=name, description="", version="1", input_schema=schema)
            for name in ("noop", "write")
        ]

    def describe(self, job_type: str) -> HandlerInfo | None:
        return next((h for h in self.handlers() if h.job_type == job_type), None)

    def validate(self, job_type: str, data: dict[str, Json]) -> dict[str, Json]:
        if job_type == "write" and "path" not in data:
            raise Invalid.field("inputData.path", "is required.")
        return data

    def lane(self, job_type: str, data: dict[str, Json]) -> str | None:  # noqa: ARG002
        return None


@handler("noop")
def ask(ctx: JobContext) -> str:
    """Ask what ``Door.waiting`` has asked by hand."""
    return ctx.approve("May I?", data=ctx.input.get("n"), action="write").approved_by


@dataclass
class Door:
    """The REST application over real services, and clients that come through it."""

    db: Database
    clock: FakeClock
    services: Services
    settings: Settings
    api: FastAPI
    app: ASGIApp
    clients: list[TestClient] = field(default_factory=list)

    def client(self, **headers: str) -> TestClient:
        """A client with nothing but ``headers``; not on this machine, no redirects followed."""
        made = TestClient(
            self.app,
            base_url=ORIGIN,
            raise_server_exceptions=False,
            follow_redirects=False,
            headers=headers,
            client=("203.0.113.9", 4711),
        )
        self.clients.append(made)
        return made

    def account(self, role: Role, name: str = "") -> str:
        """Make an account; return its address."""
        email = f"{name or role.value}@example.com"
        known = {user.email for user in self.services.access.users(ROOT)}
        if email not in known:
            self.services.access.create_user(ROOT, email, name or role.value, role.value, PASSWORD)
        return email

    def token(self, role: Role, name: str = "", scopes: Sequence[str] | None = None) -> str:
        """Make an account and an API token of it."""
        email = self.account(role, name)
        return self.services.access.create_token(
            ROOT, email, name="test", scopes=scopes, days=1
        ).token

    def as_role(self, role: Role, name: str = "") -> TestClient:
        """A client with an API token of an account of that role."""
        return self.client(Authorization=f"Bearer {self.token(role, name)}")

    def signed_in(self, role: Role) -> TestClient:
        """A browser that signed in."""
        browser = self.client(Origin=ORIGIN)
        form = {"email": self.account(role), "password": PASSWORD}
        assert browser.post("/auth/login", data=form).headers["location"] == "/"
        return browser

    def waiting(self, client: TestClient, data: Any = None, **new: Any) -> tuple[str, str]:
        """Enqueue a job and run it up to a question; return the ids of job and checkpoint."""
        job_id = enqueue(client)
        return job_id, suspend(self.db, claim_one(self.db).key, checkpoint(0, data, **new), [])


def enqueue(client: TestClient, **body: Any) -> str:
    """Enqueue a job that takes anything; return its id."""
    answer = client.post("/api/agent-jobs", json={"jobType": "noop", **body})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["job"]["id"])


@pytest.fixture
def make_door(
    clocked_db: Database, fake_clock: FakeClock, tmp_path: Path
) -> Iterator[Callable[..., Door]]:
    """Open doors with the given settings, to the given job types."""
    opened: list[Door] = []

    def make(catalog: ServiceCatalog | None = None, **chosen: Any) -> Door:
        settings = Settings(**chosen)
        feed = ChangeFeed()
        feed.close()  # streams end at once: a test client waits for the whole of an answer
        services = build_services(
            clocked_db,
            catalog or Catalog(),
            settings,
            feed,
            clock=fake_clock,
            passwords=Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)),
            replayer=Rehearsals(clocked_db, Registry([ask]), fake_clock, Workspace(tmp_path)),
        )
        api = create_api(services, settings, lambda: METRICS)
        door = Door(clocked_db, fake_clock, services, settings, api, wrap(api, settings))
        opened.append(door)
        return door

    yield make
    for door in opened:
        for client in door.clients:
            client.close()


@pytest.fixture
def door(make_door: Callable[..., Door]) -> Door:
    """A door with default settings."""
    return make_door()


@pytest.fixture
def admin(door: Door) -> TestClient:
    """A client that may do everything."""
    return door.as_role(Role.ADMIN)


@pytest.fixture
def reviewer(door: Door) -> TestClient:
    """A client that may decide."""
    return door.as_role(Role.REVIEWER)
