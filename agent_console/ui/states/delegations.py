"""Who stands in for whom, beneath the review policies: the list, and the dialog that lends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import reflex as rx

from agent_console.domain.access import Actor, Permission, refusal
from agent_console.domain.delegations import LONGEST, Delegation
from agent_console.ui import bridge
from agent_console.ui.bridge import Failure
from agent_console.ui.guard import guarded
from agent_console.ui.live import Ask, LiveState, follow
from agent_console.ui.views import iso, shown

LABELS = {"to": "Who stands in", "endsAt": "For how many days"}


@dataclass(frozen=True, slots=True)
class StandInRow:
    """A delegation; ``refusal`` says why the reader cannot end it."""

    id: str
    owner: str
    stand_in: str
    starts_at: str
    ends_at: str
    refusal: str


class StandIns(LiveState, rx.State):
    """The delegations on the screen, and whether the dialog is open."""

    rows: list[StandInRow] = []
    opened: bool = False
    wrong: str = ""
    refusal: str = "Loading."

    @rx.event(background=True)
    @guarded(Permission.CHECKPOINTS_READ)
    async def watch(self) -> Any:
        """Follow the delegations."""
        return await follow(self)

    @rx.event
    @guarded(Permission.CHECKPOINTS_READ)
    def turn(self, opened: bool) -> None:
        """Open the dialog, or close it."""
        self._put(opened=opened is True, wrong="")

    @rx.event
    @guarded(Permission.CHECKPOINTS_DECIDE)
    async def lend(self, form: dict[str, Any]) -> None:
        """Let the account in the form decide in one's stead, from now for so many days."""
        typed = str(form.get("days") or "").strip()
        if not (typed.isascii() and typed.isdecimal() and 0 < len(typed) < 4):
            self._put(wrong=f"{LABELS['endsAt']}: enter a whole number.")
            return
        until = datetime.now(UTC) + timedelta(days=min(int(typed), LONGEST.days + 1))
        service, to = bridge.services().delegations, str(form.get("to") or "")
        made = await bridge.call(service.create, await self._actor(), to, until)
        if isinstance(made, Failure):
            fields = [f"{LABELS.get(one.field, one.field)}: {one.message}" for one in made.fields]
            self._put(wrong=" ".join(fields) or made.notice.text)
            return
        self._put(opened=False, wrong="")
        await self._after(made, f"{made.to_name} stands in for you.")

    @rx.event
    @guarded(Permission.CHECKPOINTS_DECIDE)
    async def end(self, delegation_id: str) -> None:
        """End a delegation now."""
        service = bridge.services().delegations
        ended = await bridge.call(service.revoke, await self._actor(), str(delegation_id))
        await self._after(ended, "Ended: nobody stands in by it any more.")

    async def _after(self, done: Delegation | Failure, words: str) -> None:
        notice = done.notice if isinstance(done, Failure) else bridge.note("success", words)
        await self._tell(notice)
        await self._reread(await self._actor())

    def _ask(self, actor: Actor) -> Ask:
        service = bridge.services().delegations
        return Ask(
            ("stand-ins", actor.id), lambda: (rows_of(service.page(actor), actor), may_not(actor))
        )

    def _show(self, answer: tuple[list[StandInRow], str]) -> None:
        self._put(rows=answer[0], refusal=answer[1])


def may_not(actor: Actor) -> str:
    """Return why ``actor`` has no right to lend; "" when they have."""
    needed = Permission.CHECKPOINTS_DECIDE
    return "" if actor.may(needed) else refusal(needed)


def rows_of(found: Sequence[Delegation], actor: Actor) -> list[StandInRow]:
    """Return a row for each, as ``actor`` sees it."""
    manages = actor.may(Permission.POLICIES_MANAGE)
    return [
        StandInRow(
            id=one.id,
            owner=shown(one.from_name, 120),
            stand_in=shown(one.to_name, 120),
            starts_at=iso(one.starts_at),
            ends_at=iso(one.ends_at),
            refusal=may_not(actor)
            or ("" if manages or one.from_id == actor.id else "Only who lent it, or an admin."),
        )
        for one in found
    ]
