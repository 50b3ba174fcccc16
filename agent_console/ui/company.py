"""Whose page shows which card: one that ends takes its reader's name off the cards of others.

The page itself says so when it is left (``assets/desk.js``); a browser that is killed, or loses
its network, cannot.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from agent_console.domain.access import Actor
from agent_console.ui import bridge

GRACE = 1.0  # seconds in which a page that only reconnects, or moves on, is back


@dataclass(frozen=True, slots=True)
class Seat:
    """A page (by its token) on whose screen a checkpoint is, and before it who reads it."""

    page: str
    reader: Actor
    checkpoint_id: str


class Company:
    """The seats of one process; used on the loop of the pages only."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self._seats: dict[str, Seat | None] = {}
        self._partings: set[asyncio.Task[None]] = set()

    def begin(self, watch: str) -> None:
        """Note that the loop ``watch`` of a page has begun."""
        self._seats[watch] = None

    def take(self, watch: str, seat: Seat) -> None:
        """Note what the loop shows, in place of what it showed before, unless it has ended."""
        if watch in self._seats:
            self._seats[watch] = seat

    def end(self, watch: str) -> None:
        """Note that the loop has ended; tell the others, unless its page or reader is back."""
        if seat := self._seats.pop(watch, None):
            parting = asyncio.get_running_loop().create_task(self._part(seat))
            self._partings.add(parting)
            parting.add_done_callback(self._partings.discard)

    async def _part(self, seat: Seat) -> None:
        await asyncio.sleep(GRACE)
        if not any(other and _stays(seat, other) for other in self._seats.values()):
            leave = bridge.services().presence.leave
            await bridge.call(leave, seat.reader, seat.checkpoint_id)


def _stays(gone: Seat, other: Seat) -> bool:
    """Say whether ``other`` makes up for ``gone``: the same page, or the same card elsewhere."""
    same_card = other.checkpoint_id == gone.checkpoint_id
    return other.page == gone.page or (same_card and other.reader.id == gone.reader.id)
