"""The tallies by slot of time: what charts are drawn from, however long the history is.

What commits add goes to the slots of its moment, a minute and a quarter of an hour wide. Labels
that charts do not show are left out, so that the number of rows per slot has a small bound.
"""

from __future__ import annotations

from typing import Final

from agent_console.domain.clock import MICROSECONDS
from agent_console.store import tallies

MINUTE: Final = 60
QUARTER: Final = 900
WIDTHS: Final = (MINUTE, QUARTER)  # seconds
KEPT: Final = {MINUTE: 6 * 3600, QUARTER: 15 * 86_400}  # seconds that slots of a width stay

_WHOLE = frozenset({tallies.JOBS_TOTAL, tallies.CHECKPOINTS_TOTAL})
_PER_TYPE = f"{tallies.JOB_SECONDS}_"
_WAITS = f"{tallies.WAIT_SECONDS}_"


def charted(name: str, labels: str) -> str | None:
    """Return the labels under which a sum is kept by slot; None when it is not.

    Durations are kept without their job type.
    """
    if name in _WHOLE or name.startswith(_WAITS):
        return labels
    if not name.startswith(_PER_TYPE):
        return None
    status, _, rest = labels.partition("|")
    return f"{status}|{rest.rpartition('|')[2]}" if name.endswith("_bucket") else status


def micros(width: int) -> int:
    """Return the length of a slot in microseconds."""
    return width * MICROSECONDS
