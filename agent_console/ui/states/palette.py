"""What the command palette finds on the server: jobs, checkpoints, job types to make a job of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import reflex as rx

from agent_console.domain.access import Actor, Permission
from agent_console.domain.checkpoints import CheckpointType
from agent_console.domain.errors import Invalid
from agent_console.domain.queries import CheckpointQuery
from agent_console.ui import bridge
from agent_console.ui.bridge import Failure
from agent_console.ui.guard import GuardedState, guarded
from agent_console.ui.params import JobsParams, address
from agent_console.ui.states.jobs import query as job_query
from agent_console.ui.views import JobRow, shown

MAX_QUERY = 100  # characters
LEAST = 2  # characters from which on it is searched
SHOWN = 6  # of a kind
JOB, CHECKPOINT, JOB_TYPE = "job", "checkpoint", "type"  # what an option leads to


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """Something to go to: ``title`` is what people call it, ``about`` says what it is.

    ``number`` is the id of a job or a checkpoint, ``status`` where it is; empty for a job type.
    """

    id: str
    title: str
    kind: str
    about: str
    href: str
    number: str = ""
    status: str = ""


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
    """Return what ``actor`` may see of what ``wanted`` names: types, then jobs, then checkpoints.

    Jobs are found as their list finds them, checkpoints by id and message.
    """
    found = [*_types(actor, wanted), *_jobs(actor, wanted)]
    if actor.may(Permission.CHECKPOINTS_READ):
        found += _checkpoints(actor, wanted)
    return found


def _types(actor: Actor, wanted: str) -> Iterator[Option]:
    known = bridge.services().jobs.catalog(actor)
    matching = [one for one in known if wanted.lower() in f"{one.job_type} {one.title}".lower()]
    for one in matching[:SHOWN]:
        yield Option(
            id=f"new-{one.job_type}",
            title=one.title or one.job_type,
            kind=JOB_TYPE,
            about=one.job_type,
            href=address("/new", {"type": one.job_type}),
        )


def _jobs(actor: Actor, wanted: str) -> Iterator[Option]:
    asked = replace(job_query(actor, JobsParams(q=wanted)), limit=SHOWN, counted=False)
    try:
        page = bridge.services().jobs.page(actor, asked)
    except Invalid:  # "status:" and half a word: not yet a search
        return
    for one in page.items:
        row = JobRow.of(one)
        yield Option(
            id=row.id,
            title=row.title,
            kind=JOB,
            about=row.job_type,
            number=row.id,
            status=row.status,
            href=row.href,
        )


def _checkpoints(actor: Actor, wanted: str) -> Iterator[Option]:
    asked = CheckpointQuery(status=None, search=wanted, limit=SHOWN, counted=False)
    for one in bridge.services().review.page(actor, asked).items:
        blocks = one.checkpoint_type is CheckpointType.APPROVAL_REQUIRED
        yield Option(
            id=one.id,
            title=shown(one.message or one.action, 200) or one.job_type,
            kind=CHECKPOINT,
            about="Checkpoint",
            number=one.id,
            status=(one.status if blocks else one.checkpoint_type).value,
            href=f"/admin/agent-checkpoints/{one.id}",
        )
