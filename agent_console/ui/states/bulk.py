"""Picked rows of the jobs list, and one action on many: asked, followed, told how it went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import reflex as rx

from agent_console.domain.access import Actor, Permission, refusal
from agent_console.domain.bulk import BULK_ACTIONS, BulkAction, JobFilter
from agent_console.domain.errors import ConsoleError, NotFound
from agent_console.domain.jobs import FINISHED, Job, JobStatus
from agent_console.services.bulk import Matching
from agent_console.ui import bridge
from agent_console.ui.bridge import Failure
from agent_console.ui.guard import guarded
from agent_console.ui.live import Ask, LiveState, follow
from agent_console.ui.params import JobsParams
from agent_console.ui.states.jobs import Jobs, query
from agent_console.ui.states.picking import Picking
from agent_console.ui.views import percent, shown

TEXT_SEARCH = "Free text finds only among the newest jobs; use type:, status: or user: instead."
NO_FILTER = "Choose a status or search by type: or user: first."
LOADING = dict.fromkeys((*BULK_ACTIONS, *(f"{one} all" for one in BULK_ACTIONS)), "Loading.")


@dataclass(frozen=True, slots=True)
class BulkView:
    """The job that does it; ``progress`` is percent, -1 when nobody said."""

    id: str = ""
    href: str = ""
    title: str = ""
    status: str = ""
    progress: int = -1
    note: str = ""
    ended: bool = False


class Bulk(LiveState, Picking, rx.State):
    """Which rows are picked, what is asked, and the bulk job that was started last.

    ``refusals`` says of each action, on the picked ones or on all that match, why not.
    """

    refusals: dict[str, str] = LOADING
    asking: str = ""
    question: str = ""
    confirm: str = ""
    job: BulkView = BulkView()
    _started: str = ""
    _asked: JobFilter = JobFilter()

    @rx.event(background=True)
    @guarded(Permission.JOBS_READ)
    async def watch(self) -> Any:
        """Follow the bulk job, and what may be done."""
        return await follow(self)

    @rx.event
    @guarded(Permission.JOBS_CONTROL)
    async def pick(self, job_id: str, through: bool) -> None:
        """Pick a row or let go of it; ``through``: with all between it and the last one."""
        self._pick(await self._rows(), job_id, through=through)

    @rx.event
    @guarded(Permission.JOBS_CONTROL)
    async def pick_page(self) -> None:
        """Pick every row on the screen."""
        self._pick_all(await self._rows())

    @rx.event
    @guarded(Permission.JOBS_CONTROL)
    def let_go(self) -> None:
        """Pick nothing."""
        self._let_go()

    @rx.event
    @guarded(Permission.JOBS_CONTROL)
    async def act_on_picked(self, action: str) -> None:
        """Start ``action`` on the picked jobs."""
        verb = _verb(action)
        if verb is None or not self.picked:
            return
        await self._begin(verb, JobFilter(ids=tuple(self.picked)))

    @rx.event
    @guarded(Permission.JOBS_CONTROL)
    async def ask_all(self, action: str) -> None:
        """Count the jobs that match and ask whether ``action`` is meant."""
        verb = _verb(action)
        if verb is None:
            return
        actor = await self._actor()
        wanted = self._wanted(actor)
        found = await bridge.call(bridge.services().bulk.count, actor, verb, wanted)
        if isinstance(found, Failure):
            await self._tell(found.notice)
            return
        number = counted(found)
        self.question = (
            f"{number} in this list ({shown(wanted.words(), 200)}) can be {_PAST[verb]}."
        )
        self.confirm = f"{verb.capitalize()} {number}" if found.count else ""
        self.asking, self._asked = verb, wanted

    @rx.event
    @guarded(Permission.JOBS_CONTROL)
    def turn(self, opened: bool) -> None:
        """Close the question."""
        if opened is not True:
            self.asking = ""

    @rx.event
    @guarded(Permission.JOBS_CONTROL)
    async def act_on_all(self) -> None:
        """Start what was asked for on all jobs that match."""
        verb, self.asking = _verb(self.asking), ""
        if verb is not None:
            await self._begin(verb, self._asked)

    @rx.event
    @guarded(Permission.JOBS_READ)
    def dismiss(self) -> None:
        """Show the bulk job no longer; it goes on."""
        self._started = ""
        self._put(job=BulkView())

    async def _begin(self, verb: BulkAction, wanted: JobFilter) -> None:
        actor = await self._actor()
        done = await bridge.call(bridge.services().bulk.start, actor, verb, wanted)
        if isinstance(done, Failure):
            await self._tell(done.notice)
            return
        self._started = done.job.id
        self._let_go()
        self._put(job=bulk_view(done.job))

    async def _rows(self) -> list[str]:
        return [row.id for row in (await self.get_state(Jobs)).rows]

    def _params(self) -> JobsParams:
        return JobsParams.parse(self.router.url.query_parameters)

    def _wanted(self, actor: Actor) -> JobFilter:
        asked = query(actor, self._params())
        return JobFilter(status=asked.status, job_type=asked.job_type, user_id=asked.user_id)

    def _ask(self, actor: Actor) -> Ask:
        params, started = self._params(), self._started
        return Ask(("bulk", params, started, actor.id), lambda: _read(actor, params, started))

    def _show(self, answer: Any) -> None:
        view, why = answer
        self._put(refusals=why)
        if view.id == self._started:
            self._put(job=view)


_PAST = {"cancel": "canceled", "retry": "retried"}


def _verb(action: str) -> BulkAction | None:
    return next((one for one in BULK_ACTIONS if one == action), None)


def counted(found: Matching) -> str:
    """Return how many jobs that is, in words."""
    number = f"{found.count:,}{'+' if found.capped else ''}"
    return f"{number} job" if found.count == 1 else f"{number} jobs"


def refusals(actor: Actor, params: JobsParams) -> dict[str, str]:
    """Return why an action is refused on the picked jobs ("cancel") and on all ("cancel all")."""
    if not actor.may(Permission.JOBS_CONTROL):
        return dict.fromkeys(LOADING, refusal(Permission.JOBS_CONTROL))
    asked = query(actor, params)
    wanted = JobFilter(status=asked.status, job_type=asked.job_type, user_id=asked.user_id)
    return {key: _why_not(key, asked.search, wanted) for key in LOADING}


def _why_not(key: str, search: str, wanted: JobFilter) -> str:
    if not key.endswith("all"):
        return ""
    if search:
        return TEXT_SEARCH
    if not wanted.given():
        return NO_FILTER
    try:
        wanted.check(cast("BulkAction", key.removesuffix(" all")))
    except ConsoleError as error:
        reason = error.message.removeprefix("filter.status: ")
        return reason[:1].upper() + reason[1:]
    return ""


def _read(actor: Actor, params: JobsParams, started: str) -> tuple[BulkView, dict[str, str]]:
    why = refusals(actor, params)
    if not started:
        return BulkView(), why
    try:
        return bulk_view(bridge.services().jobs.find(actor, started)), why
    except NotFound:  # deleted meanwhile
        return BulkView(id=started, title="The bulk job is gone.", ended=True), why


def bulk_view(job: Job) -> BulkView:
    """Return what is shown of a bulk job."""
    ended = job.status in FINISHED
    fraction = job.progress.fraction if job.progress else None
    return BulkView(
        id=job.id,
        href=f"/jobs/{job.id}",
        title=shown(job.task_description, 200),
        status=job.status.value,
        progress=100 if job.status is JobStatus.COMPLETED else percent(fraction),
        note=_note(job),
        ended=ended,
    )


def _note(job: Job) -> str:
    output = job.output_data
    if job.status is JobStatus.COMPLETED and isinstance(output, dict):
        done, refused = output.get("done"), output.get("refused")
        return f"{_number(done)} done, {_number(refused)} refused"
    if job.error is not None:
        return shown(job.error.message, 200)
    if job.status is JobStatus.PENDING:
        return "Waits for a worker."
    return shown(job.progress.message, 200) if job.progress else ""


def _number(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else "?"
