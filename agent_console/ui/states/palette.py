"""What the command palette finds on the server: jobs, checkpoints, job types to make a job of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

import reflex as rx

from agent_console.domain.access import Actor, Permission
from agent_console.domain.errors import ConsoleError
from agent_console.domain.queries import JobQuery
from agent_console.ui import bridge
from agent_console.ui.bridge import Failure
from agent_console.ui.guard import GuardedState, guarded

MAX_QUERY = 100  # characters
LEAST = 2  # characters from which on it is searched
SHOWN = 6  # of a kind


@dataclass(frozen=True, slots=True)
class Option:
    """Something to go to; ``hint`` says what it is."""

    id: str
    title: str
    hint: str
    href: str


class Palette(GuardedState, rx.State):
    """The options for what is typed."""

    found: list[Option] = []

    @rx.event
    @guarded(Permission.JOBS_READ)
    async def find(self, query: str) -> None:
        """Look for what was typed; what cannot be read now is not offered."""
        wanted = str(query).strip()[:MAX_QUERY]
        if len(wanted) < LEAST:
            self._put(found=[])
            return
        found = await bridge.call(find, await self._actor(), wanted)
        if isinstance(found, Failure):
            await self._tell(found.notice)
        else:
            self._put(found=found)


def find(actor: Actor, wanted: str) -> list[Option]:
    """Return what ``actor`` may see of what ``wanted`` names, the most exact first."""
    if wanted.startswith("chk_"):
        return [*_checkpoint(actor, wanted)]
    return [*_types(actor, wanted), *_jobs(actor, wanted)]


def _checkpoint(actor: Actor, checkpoint_id: str) -> Iterator[Option]:
    try:
        one = bridge.services().review.get(actor, checkpoint_id).checkpoint
    except ConsoleError:  # none, or none for them: the palette offers nothing
        return
    href = f"/admin/agent-checkpoints/{one.id}"
    yield Option(one.id, one.message or one.action, f"Checkpoint · {one.status}", href)


def _types(actor: Actor, wanted: str) -> Iterator[Option]:
    known = bridge.services().jobs.catalog(actor)
    matching = [one for one in known if wanted.lower() in f"{one.job_type} {one.title}".lower()]
    for one in matching[:SHOWN]:
        href = f"/new?{urlencode({'type': one.job_type})}"
        yield Option(f"new-{one.job_type}", one.title or one.job_type, "New job", href)


def _jobs(actor: Actor, wanted: str) -> Iterator[Option]:
    for one in bridge.services().jobs.page(actor, JobQuery(search=wanted, limit=SHOWN)).items:
        title = one.task_description or one.id
        yield Option(one.id, title, f"{one.job_type} · {one.status}", f"/jobs/{one.id}")
