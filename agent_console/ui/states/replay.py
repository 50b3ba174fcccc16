"""A replay of the job on the screen, and its report."""

from __future__ import annotations

import reflex as rx

from agent_console.domain.access import Permission
from agent_console.ui import bridge
from agent_console.ui.bridge import Failure
from agent_console.ui.guard import GuardedState, guarded
from agent_console.ui.params import job_in
from agent_console.ui.replay_views import ReplayView, replay_view


class Replay(GuardedState, rx.State):
    """The last report; it is shown only beside the job it is of."""

    report: ReplayView = ReplayView()
    running: bool = False

    @rx.event(background=True)
    @guarded(Permission.JOBS_CONTROL)
    async def start(self) -> None:
        """Replay the job in the address; the page stays live meanwhile."""
        async with self:
            if self.running:
                return
            actor, job_id = await self._actor(), job_in(self.router.url.path)
            self._put(running=True, report=ReplayView())
        try:
            done = await bridge.call(bridge.services().replays.replay, actor, job_id)
        finally:
            async with self:
                self.running = False
        async with self:
            if isinstance(done, Failure):
                await self._tell(done.notice)
            else:
                self.report = replay_view(done)

    @rx.event
    @guarded(Permission.JOBS_READ)
    def close(self) -> None:
        """Take the report away."""
        self.report = ReplayView()
