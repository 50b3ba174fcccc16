"""Pages without a browser: real services on a real database, events through Reflex's pipeline."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

import pytest
import reflex as rx
from argon2 import PasswordHasher
from pydantic import BaseModel
from reflex.istate.manager.memory import StateManagerMemory
from reflex.state import StateUpdate
from reflex_base.event import Event
from reflex_base.event.processor import BaseStateEventProcessor
from reflex_base.registry import RegistrationContext

from agent_console import JobContext, handler
from agent_console.domain.access import Actor, Role, local_operator
from agent_console.domain.jobs import NewJob
from agent_console.runtime.registry import Registry
from agent_console.services import Services, build_services
from agent_console.services.passwords import Passwords
from agent_console.settings import Settings
from agent_console.store.database import Database, StoreOptions
from agent_console.store.feed import ChangeFeed, change_of
from agent_console.ui import bridge
from agent_console.ui.app import build_app

T = TypeVar("T")
PASSWORD = "seven quiet rivers meet"
MARKER = "_rx_state_"


class Greeting(BaseModel):
    """Input of the only job type."""

    name: str
    times: int = 1


@handler(
    "greet",
    input=Greeting,
    title="Greet",
    description="Hello.",
    examples=[{"name": "Ada"}],
    timeout=30,
)
def greet(ctx: JobContext) -> dict[str, str]:
    """Say hello."""
    return {"text": f"Hello, {ctx.input.name}!"}


@dataclass
class Console:
    """Services bound to the pages, and sessions of people of each role."""

    services: Services
    db: Database
    people: dict[str, tuple[Actor, str]] = field(default_factory=dict)

    def sign_in(self, role: str, name: str = "") -> str:
        """Return the Cookie header of somebody with ``role``."""
        name = name or role
        if name not in self.people:
            email = f"{name}@example.com"
            self.services.access.create_user(
                local_operator("root"), email, name.title(), role, PASSWORD
            )
            grant = self.services.access.login(email, PASSWORD, ip=None, user_agent="test")
            self.people[name] = (grant.actor, grant.secret)
        return f"theme=dark; ac_session={self.people[name][1]}"

    def actor(self, role: str) -> Actor:
        """Return the actor of somebody with ``role``."""
        self.sign_in(role)
        return self.people[role][0]

    def job(self, **new: Any) -> str:
        """Enqueue a job as an operator and return its id."""
        wanted = NewJob(job_type="greet", input_data={"name": "Ada"}, **new)
        return self.services.jobs.enqueue(self.actor(Role.OPERATOR), wanted).job.id


class Wire:
    """What the server sent to browsers, in order."""

    def __init__(self) -> None:
        self.sent: list[StateUpdate] = []
        self._arrived = asyncio.Event()

    async def emit_update(self, update: StateUpdate, token: str) -> None:  # noqa: ARG002
        """Take an update as the socket would."""
        self.sent.append(update)
        self._arrived.set()

    async def next(self, longest: float) -> None:
        """Wait for an update, ``longest`` seconds at most."""
        self._arrived.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._arrived.wait(), longest)

    def value(self, state: type[rx.State], name: str) -> Any:
        """Return the last value sent of a field; None when none was."""
        for update in reversed(self.sent):
            fields = (update.delta or {}).get(state.get_full_name(), {})
            if name + MARKER in fields:
                return fields[name + MARKER]
        return None

    def count(self, state: type[rx.State], name: str, value: object) -> int:
        """Return how often ``value`` was sent for a field."""
        deltas = [(update.delta or {}).get(state.get_full_name(), {}) for update in self.sent]
        return sum(1 for fields in deltas if fields.get(name + MARKER) == value)

    def redirects(self) -> list[str]:
        """Return where the browser was told to go."""
        return [
            str(event.payload["path"])
            for update in self.sent
            for event in update.events
            if event.name == "_redirect"
        ]


class Browser:
    """A connection: its events carry its cookie and its address, as the socket's do."""

    def __init__(self, cookie: str = "", path: str = "/login", token: str = "tab-1") -> None:
        self.cookie, self.path, self.token = cookie, path, token
        self.wire = Wire()
        self._processor = BaseStateEventProcessor(
            middleware=RegistrationContext.get().app
        ).configure(state_manager=StateManagerMemory(), event_namespace=self.wire)

    async def __aenter__(self) -> Self:
        await self._processor.__aenter__()
        bridge.services().feed.bind()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._processor.__aexit__(*exc_info)

    async def send(self, event: Any, *, wait: bool = True) -> None:
        """Send an event (a spec, or an ``Event``) and ``wait`` for its end."""
        sent = Event.from_event_type(event)[0]
        sent.router_data.update(
            {
                "headers": {"cookie": self.cookie},
                "pathname": self.path.partition("?")[0],
                "asPath": self.path,
                "ip": "192.0.2.7",
            }
        )
        future = await self._processor.enqueue(self.token, sent)
        if wait:
            await asyncio.wait_for(asyncio.shield(future), 10)

    async def until(self, condition: Callable[[], object], seconds: float = 5.0) -> None:
        """Wait until ``condition`` holds."""
        async with asyncio.timeout(seconds):
            while not condition():
                await self.wire.next(0.05)  # some conditions are not about what was sent


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a test's coroutine on a loop of its own."""
    return asyncio.run(coroutine)


@pytest.fixture(scope="session")
def app() -> rx.App:
    """Build the app, as the composition root does, in a registry of its own."""
    RegistrationContext.set(RegistrationContext.ensure_context().fork())
    return build_app([])


@pytest.fixture
def console(app: rx.App, sqlite_files: Any, tmp_path: Any) -> Iterator[Console]:  # noqa: ARG001
    """Bind services on a fresh database to the pages."""
    with sqlite_files.database(tmp_path) as url:
        db = Database(url, StoreOptions())
        feed = ChangeFeed()
        db.watch(lambda events: feed.publish(change_of(events)))
        settings = Settings()
        cheap = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        services = build_services(db, Registry([greet]), settings, feed, passwords=cheap)
        bridge.bind(services, settings)
        yield Console(services, db)
        db.close()
