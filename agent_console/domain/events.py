"""Domain events: what happened, to what, by whom.

An event is written to the journal in the transaction of the change it tells of, and handed to
listeners (metrics, logs, feed, wake-ups) after that transaction has committed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from agent_console.domain.access import SYSTEM, Actor
from agent_console.domain.jobs import Json

# No events, and in no journal:
TOUCHED = "screen.touched"  # screens have something new to show
BEAT = "worker.beat"  # a worker lives and has nothing new to say: of use to screens of its process
BEATS = frozenset({BEAT})
# What jobs do while they run: no question waits, or waits otherwise, because of it.
RUNS = frozenset(
    {
        *("job.created", "job.started", "job.sleeping", "job.woken", "job.released", "job.rescued"),
        *("job.completed", "job.failed"),
        *(TOUCHED, BEAT),
    }
)
CALLED_BACK = "job.called_back"  # changes no status, and may make a sleeping job due


class Event(NamedTuple):
    """One thing that happened; ``action`` reads ``noun.verb_in_past``, e.g. ``job.completed``.

    ``before`` and ``after`` are job or checkpoint statuses, by the noun of ``action``.
    ``seconds`` is a duration that belongs to the change: of the run for a finished job, of the
    wait for a decided checkpoint. A tuple: several are made for every run.
    """

    action: str
    actor: Actor = SYSTEM
    job_id: str | None = None
    job_type: str | None = None
    checkpoint_id: str | None = None
    subject_id: str | None = None  # worker, user, token: whatever is neither job nor checkpoint
    before: str | None = None
    after: str | None = None
    verdict: str | None = None
    seconds: float | None = None
    data: Mapping[str, Json] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """A row of the journal (``audit_logs``), as it is read back."""

    seq: int
    at: datetime
    action: str
    actor_kind: str
    actor_id: str | None
    actor_name: str
    job_id: str | None
    job_type: str | None
    checkpoint_id: str | None
    subject_id: str | None
    before: str | None
    after: str | None
    verdict: str | None
    data: dict[str, Json]
