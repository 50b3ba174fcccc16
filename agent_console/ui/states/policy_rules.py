"""What is approved without a person: the record of a policy's rule, the brake, suggestions."""

from __future__ import annotations

from typing import Any

import reflex as rx

from agent_console.domain.access import Permission, refusal
from agent_console.domain.review_policies import ReviewPolicy
from agent_console.ui import bridge
from agent_console.ui.bridge import Failure
from agent_console.ui.guard import GuardedState, guarded
from agent_console.ui.policy_views import title
from agent_console.ui.rule_views import RecordView, SuggestionRow, record_view, suggestion_row


class PolicyRules(GuardedState, rx.State):
    """The dialog with the record of one policy, and the suggestions as they were last made."""

    opened: bool = False
    record: RecordView = RecordView()
    wrong: str = ""
    stop_refusal: str = "Loading."
    suggestions: list[SuggestionRow] = []
    looked: bool = False

    @rx.event(background=True)
    @guarded(Permission.CHECKPOINTS_READ)
    async def load(self) -> None:
        """Make the suggestions, once for each opening of the page: they look at a whole month."""
        async with self:
            actor = await self._actor()
        found = await bridge.call(bridge.services().automatic.suggestions, actor)
        needed = Permission.POLICIES_MANAGE
        why_not = "" if actor.may(needed) else refusal(needed)
        async with self:
            if not isinstance(found, Failure):
                self._put(suggestions=[suggestion_row(one, why_not) for one in found])
            self._put(looked=True)

    @rx.event
    @guarded(Permission.CHECKPOINTS_READ)
    async def look(self, job_type: str, action: str) -> None:
        """Open the record of a policy."""
        actor, service = await self._actor(), bridge.services().automatic
        found = await bridge.call(service.record, actor, str(job_type), str(action))
        if isinstance(found, Failure):
            await self._tell(found.notice)
            return
        needed = Permission.CHECKPOINTS_DECIDE
        self._put(
            opened=True,
            record=record_view(found, title(found.policy)),
            wrong="",
            stop_refusal="" if actor.may(needed) else refusal(needed),
        )

    @rx.event
    @guarded(Permission.CHECKPOINTS_READ)
    def turn(self, opened: bool) -> None:
        """Close the dialog."""
        if opened is not True:
            self._put(opened=False, wrong="")

    @rx.event
    @guarded(Permission.CHECKPOINTS_DECIDE)
    async def stop(self, form: dict[str, Any]) -> None:
        """Stop approving by itself under the policy of the dialog, for the reason in the form."""
        stopped = await self._stopped(
            self.record.job_type, self.record.action, str(form.get("reason") or "").strip()
        )
        if isinstance(stopped, Failure):
            fields = [f"Reason: {one.message}" for one in stopped.fields]
            self._put(wrong=" ".join(fields) or stopped.notice.text)
            return
        self._put(opened=False, wrong="")
        await self._tell(bridge.note("success", f"{title(stopped)}: people are asked from now on."))

    @rx.event
    @guarded(Permission.CHECKPOINTS_DECIDE)
    async def stop_of(self, job_type: str, action: str, checkpoint_id: str) -> None:
        """Stop it from the card of a checkpoint that was approved so."""
        reason = f"Stopped from {str(checkpoint_id)[:80]}."
        stopped = await self._stopped(str(job_type), str(action), reason)
        if isinstance(stopped, Failure):
            await self._tell(stopped.notice)
            return
        await self._tell(bridge.note("success", f"{title(stopped)}: people are asked from now on."))

    async def _stopped(self, job_type: str, action: str, reason: str) -> ReviewPolicy | Failure:
        service, actor = bridge.services().automatic, await self._actor()
        return await bridge.call(service.stop, actor, job_type, action, reason=reason)
