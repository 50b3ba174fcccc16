"""The part of the audit page that proves the journal, and says what retention deletes."""

from __future__ import annotations

from typing import Any

import reflex as rx

from agent_console.domain.access import Actor, Permission
from agent_console.ui import bridge
from agent_console.ui.bridge import Failure
from agent_console.ui.guard import guarded
from agent_console.ui.live import Ask, LiveState, follow
from agent_console.ui.seal_views import (
    IntegrityView,
    RetentionView,
    integrity_view,
    retention_view,
)

EVERY = 10.0  # seconds: sealing is no event


class Seals(LiveState, rx.State):
    """How far the journal is sealed and verified; what is kept for how long."""

    integrity: IntegrityView = IntegrityView()
    retention: RetentionView = RetentionView()

    @rx.event(background=True)
    @guarded(Permission.AUDIT_READ)
    async def watch(self) -> Any:
        """Follow seals and verifications."""
        return await follow(self)

    @rx.event(background=True)
    @guarded(Permission.AUDIT_READ)
    async def verify(self) -> None:
        """Have the whole journal compared with its seals; the page goes on meanwhile."""
        async with self:
            actor = await self._actor()
        done = await bridge.call(bridge.services().audit.start_verification, actor)
        async with self:
            if isinstance(done, Failure):
                await self._tell(done.notice)
            else:
                self._put(integrity=integrity_view(done))

    def _ask(self, actor: Actor) -> Ask:
        return Ask("seals", lambda: _read(actor), every=EVERY)

    def _show(self, answer: dict[str, Any]) -> None:
        self._put(**answer)


def _read(actor: Actor) -> dict[str, Any]:
    services = bridge.services()
    return {
        "integrity": integrity_view(services.audit.integrity(actor)),
        "retention": retention_view(services.retention.report(actor)),
    }
