"""Picked checkpoints of the desk: one verdict on all of them, and what became of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import reflex as rx

from agent_console.domain.access import Permission
from agent_console.domain.checkpoints import CheckpointVerb, Verdict
from agent_console.domain.rulings import BULK_VERBS, DONE, Item, Ruling, summary
from agent_console.ui import bridge
from agent_console.ui.bridge import Failure
from agent_console.ui.guard import GuardedState, guarded
from agent_console.ui.states.checkpoints import Desk
from agent_console.ui.states.desk_reads import BASE
from agent_console.ui.states.picking import Picking
from agent_console.ui.states.verdict_form import VerdictForm
from agent_console.ui.views import iso, shown

NAMED = 8  # picked checkpoints that the question names
TOLD = 50  # refused ones that the outcome links
NO_REASON = "Say why: the agents and the journal need a reason."


@dataclass(frozen=True, slots=True)
class RefusedView:
    """One whose verdict was not taken, and why."""

    id: str
    href: str
    title: str
    why: str


class DeskBulk(Picking, GuardedState, rx.State):
    """Which checkpoints are picked, as what they were seen, and how the last verdict went.

    ``asking`` is the verb whose question is open; ``names`` are some of what it is about.
    """

    asking: str = ""
    names: list[str] = []
    more: str = ""
    reason_error: str = ""
    outcome: str = ""
    refused: list[RefusedView] = []
    untold: str = ""
    _seen: dict[str, tuple[str, str]] = {}  # digest and title of each, when it was picked

    @rx.event
    @guarded(Permission.CHECKPOINTS_DECIDE)
    async def pick(self, checkpoint_id: str, through: bool) -> None:
        """Pick a row that waits or let go of it; ``through``: with all from the last one to it."""
        on_screen = await self._on_screen()
        self._pick(list(on_screen), checkpoint_id, through=through)
        await self._keep(on_screen)

    @rx.event
    @guarded(Permission.CHECKPOINTS_DECIDE)
    async def pick_page(self) -> None:
        """Pick every row on the screen that waits."""
        on_screen = await self._on_screen()
        self._pick_all(list(on_screen))
        await self._keep(on_screen)

    @rx.event
    @guarded(Permission.CHECKPOINTS_DECIDE)
    async def let_go(self) -> None:
        """Pick nothing."""
        self._let_go()
        await self._keep({})
        await (await self.get_state(Desk))._reread(await self._actor())

    @rx.event
    @guarded(Permission.CHECKPOINTS_DECIDE)
    def ask(self, action: str) -> None:
        """Ask whether the verdict is meant, naming what it is about."""
        if action not in BULK_VERBS or not self.picked:
            return
        left = len(self.picked) - NAMED
        self._put(
            asking=action,
            names=[self._seen[one][1] for one in self.picked[:NAMED]],
            more=f"and {left:,} more" if left > 0 else "",
            reason_error="",
        )

    @rx.event
    @guarded(Permission.CHECKPOINTS_DECIDE)
    def turn(self, opened: bool) -> None:
        """Close the question."""
        if opened is not True:
            self._put(asking="", reason_error="")

    @rx.event
    @guarded(Permission.CHECKPOINTS_DECIDE)
    async def decide(self, form: dict[str, Any]) -> None:
        """Give the verdict that was asked about on all that are picked."""
        said = VerdictForm.read(form)
        if self.asking not in BULK_VERBS or not self.picked:
            return
        verb = CheckpointVerb(self.asking)
        if verb is CheckpointVerb.REJECT and not said.reason:
            self.reason_error = NO_REASON
            return
        verdict = Verdict(verb=verb, reason=said.reason or None, feedback=said.feedback or None)
        items = [Item(checkpoint_id=one, payload_digest=self._seen[one][0]) for one in self.picked]
        actor = await self._actor()
        hold = bridge.settings().undo_seconds
        many = bridge.services().review.decide_many
        done = await bridge.call(many, actor, items, verdict, hold=hold)
        if isinstance(done, Failure):
            wrong = {one.field: one.message for one in done.fields}
            self._put(reason_error=wrong.get("reason", ""))
            if not self.reason_error:
                await self._tell(done.notice)
            return
        self._tell_outcome(done.rulings, verb)
        await self._keep({})
        desk = await self.get_state(Desk)
        held = {one.checkpoint_id: one.undo_until for one in done.rulings if one.undo_until}
        desk._may_undo(self.outcome, tuple(held), iso(min(held.values(), default=None)))
        await desk._reread(actor)

    @rx.event
    @guarded(Permission.CHECKPOINTS_DECIDE)
    def dismiss(self) -> None:
        """Show the last outcome no longer."""
        self._put(outcome="", refused=[], untold="")

    async def _on_screen(self) -> dict[str, tuple[str, str]]:
        desk = await self.get_state(Desk)
        return {
            row.id: (desk._digests[row.id], row.message)
            for row in desk.rows
            if row.pending and row.id in desk._digests
        }

    async def _keep(self, on_screen: dict[str, tuple[str, str]]) -> None:
        """Remember what was seen of each picked one; of one picked before, what was seen then.

        While any is picked, the list holds still.
        """
        known = on_screen | self._seen
        self._seen = {one: known[one] for one in self.picked}
        (await self.get_state(Desk))._picking = bool(self.picked)

    def _tell_outcome(self, rulings: Sequence[Ruling], verb: CheckpointVerb) -> None:
        """Tell it, and leave picked what was refused and still waits."""
        refused = [ruling for ruling in rulings if not ruling.taken]
        untold = len(refused) - TOLD
        self._put(
            asking="",
            reason_error="",
            outcome=summary(rulings, DONE[verb]),
            refused=[
                RefusedView(
                    id=ruling.checkpoint_id,
                    href=f"{BASE}/{ruling.checkpoint_id}",
                    title=self._seen[ruling.checkpoint_id][1],
                    why=shown(ruling.message, 300),
                )
                for ruling in refused[:TOLD]
            ],
            untold=f"and {untold:,} more" if untold > 0 else "",
            picked=[ruling.checkpoint_id for ruling in refused if ruling.open],
            _anchor="",
        )
