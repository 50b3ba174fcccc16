"""What was asked at a checkpoint of a job, read when somebody unfolds its row."""

from __future__ import annotations

import reflex as rx

from agent_console.domain.access import Actor, Permission
from agent_console.services.review import CheckpointDetail
from agent_console.ui import bridge, quote_checks
from agent_console.ui.bridge import Failure
from agent_console.ui.components import review_build as build
from agent_console.ui.components.review_models import BodyView, RulingView
from agent_console.ui.guard import GuardedState, guarded


class JobCheckpoints(GuardedState, rx.State):
    """The checkpoint that is unfolded; ``opened`` is its id. What was asked never changes."""

    opened: str = ""
    body: BodyView = BodyView()
    ruling: RulingView = RulingView()

    @rx.event
    @guarded(Permission.CHECKPOINTS_READ)
    async def unfold(self, checkpoint_id: str) -> None:
        """Show what was asked below its row; the same again folds it."""
        if checkpoint_id == self.opened:
            self._put(opened="", body=BodyView(), ruling=RulingView())
            return
        found = await bridge.call(_read, await self._actor(), str(checkpoint_id)[:100])
        if isinstance(found, Failure):
            await self._tell(found.notice)
            return
        detail, checks = found
        self._put(
            opened=detail.checkpoint.id,
            body=build.body(detail, checks),
            ruling=build.ruling(detail),
        )


def _read(actor: Actor, checkpoint_id: str) -> tuple[CheckpointDetail, tuple[str, ...]]:
    services = bridge.services()
    detail = services.review.get(actor, checkpoint_id)
    return detail, quote_checks.checks(services.context, actor, detail.checkpoint)
