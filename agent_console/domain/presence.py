"""Who looks at a checkpoint, and who saw it first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

BEAT = timedelta(seconds=30)  # how often an open card says that it is being looked at
PRESENT = timedelta(seconds=45)  # for which one beat holds
MOST_SHOWN = 50  # people who look at one checkpoint at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Somebody who looks at a checkpoint. ``user_id`` is the account, or what stands for one."""

    user_id: str
    user_name: str
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """Who looks at a checkpoint now, those who came first before; ``first_seen_at`` by anybody."""

    viewers: Sequence[Viewer]
    first_seen_at: datetime | None
