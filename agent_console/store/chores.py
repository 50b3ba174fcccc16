"""What there is to do for the sweeps: one statement asks for all of them.

A house with nothing to do is asked one question every few seconds, not one for each sweep.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from agent_console.domain.clock import MICROSECONDS
from agent_console.store import deadlines, liveness, parking, previews, seals, tally_deltas
from agent_console.store.database import Database

# Each finds a row if the sweep of that name has something to do.
SIGNS: Final[Mapping[str, str]] = {
    "rescue": liveness.SIGN,
    "expiry": deadlines.SIGN,
    "parked": parking.SIGN,
    "previews": previews.SIGN,
    "tallies": tally_deltas.LEFT,
    "sealing": seals.SIGN,
}
LOOK: Final = "SELECT " + ", ".join(f"EXISTS ({sign})" for sign in SIGNS.values())


def waiting(db: Database, *, timeout: float, own: str) -> frozenset[str]:
    """Return the names, keys of ``SIGNS``, of the sweeps that have something to do.

    ``timeout`` and ``own`` are those of ``liveness.rescue``.

    Raises:
        Unavailable: the database is out of reach.
    """
    with db.read() as reader:
        row = reader.row(LOOK, {"timeout": int(timeout * MICROSECONDS), "own": own})
    return frozenset(name for name, found in zip(SIGNS, row or (), strict=True) if found)
