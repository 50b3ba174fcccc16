"""The schedules: the list, and the verbs of its rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import reflex as rx

from agent_console.domain.access import Actor, Permission, refusal
from agent_console.domain.schedules import ScheduleQuery
from agent_console.ui import bridge
from agent_console.ui.bridge import Failure
from agent_console.ui.guard import guarded
from agent_console.ui.live import Ask, LiveState, follow
from agent_console.ui.params import MAX_CURSOR, PAGE_SIZE, address, text
from agent_console.ui.schedule_views import ScheduleRow, schedule_row


class Schedules(LiveState, rx.State):
    """The rows on the screen."""

    rows: list[ScheduleRow] = []
    total: str = ""
    newest_href: str = ""
    older_href: str = ""
    refusal: str = ""

    @rx.event(background=True)
    @guarded(Permission.JOBS_READ)
    async def watch(self) -> Any:
        """Follow the list."""
        return await follow(self)

    @rx.event
    @guarded(Permission.JOBS_CREATE)
    async def run(self, schedule_id: str) -> Any:
        """Make a job of a schedule at once, and go to it."""
        service = bridge.services().schedules
        job = await bridge.call(service.run, await self._actor(), schedule_id)
        if isinstance(job, Failure):
            await self._tell(job.notice)
            return None
        await self._tell(bridge.note("success", "The job is in the queue."))
        return rx.redirect(f"/jobs/{job.id}")

    @rx.event
    @guarded(Permission.JOBS_CREATE)
    async def pause(self, schedule_id: str) -> None:
        """Plan no more runs."""
        await self._do(bridge.services().schedules.pause, schedule_id, "The schedule is paused.")

    @rx.event
    @guarded(Permission.JOBS_CREATE)
    async def resume(self, schedule_id: str) -> None:
        """Go on with the next run from now."""
        await self._do(bridge.services().schedules.resume, schedule_id, "The schedule goes on.")

    @rx.event
    @guarded(Permission.JOBS_CREATE)
    async def delete(self, schedule_id: str) -> None:
        """Delete a schedule; its jobs stay."""
        await self._do(bridge.services().schedules.delete, schedule_id, "The schedule is deleted.")

    async def _do(self, verb: Callable[[Actor, str], object], schedule_id: str, done: str) -> None:
        actor = await self._actor()
        result = await bridge.call(verb, actor, schedule_id)
        if isinstance(result, Failure):
            await self._tell(result.notice)
            return
        await self._tell(bridge.note("success", done))
        await self._reread(actor)

    def _ask(self, actor: Actor) -> Ask:
        cursor = text(self.router.url.query_parameters, "cursor", MAX_CURSOR)
        allowed = actor.may(Permission.JOBS_CREATE)
        self._put(refusal="" if allowed else refusal(Permission.JOBS_CREATE))
        return Ask(("schedules", cursor, actor.id), lambda: _read(actor, cursor))

    def _show(self, answer: Any) -> None:
        self._put(**answer)


def _read(actor: Actor, cursor: str) -> dict[str, object]:
    query = ScheduleQuery(limit=PAGE_SIZE, cursor=cursor or None)
    page = bridge.services().schedules.page(actor, query)
    older = address("/schedules", {"cursor": page.next_cursor}) if page.next_cursor else ""
    return {
        "rows": [schedule_row(one, actor) for one in page.items],
        "total": f"{page.total:,} schedule{'' if page.total == 1 else 's'}",
        "newest_href": "/schedules" if cursor else "",
        "older_href": older,
    }
