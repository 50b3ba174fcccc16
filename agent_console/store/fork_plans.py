"""How far a fork may take over a record: up to the first thing that would not hold in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from agent_console.domain.checkpoints import CheckpointStatus
from agent_console.store.rechecks import Stands, approvals, doubt_of
from agent_console.store.transactions import Queries

EDITED = "The input is edited, and a decision is bound to exactly what was shown."
OPEN = "Nobody has decided it."
REFUSED = "Nothing came after this answer: it is what the job ended with."
UNANSWERED = "Nobody has called back, and a token of the original answers the original only."
FOLLOWS = "It comes after something that is asked again."

_QUESTIONS = """
SELECT position, status FROM agent_checkpoints WHERE job_id = :id AND position >= 0
  AND position < :position AND checkpoint_type = 'APPROVAL_REQUIRED' ORDER BY position
"""

_CALLS = "SELECT position, kind, name, result FROM job_steps WHERE job_id = :id ORDER BY position"

_ANSWERED = "SELECT position FROM job_callbacks WHERE job_id = :id AND received_at IS NOT NULL"

_FINAL = frozenset(
    {CheckpointStatus.REJECTED, CheckpointStatus.CHANGES_REQUESTED, CheckpointStatus.EXPIRED}
)


@dataclass(frozen=True, slots=True)
class Limit:
    """The position before which a fork has to begin, why, and what to say of what follows it."""

    position: int
    reason: str
    follows: str = FOLLOWS


def first_limit(
    queries: Queries,
    job_id: str,
    position: int,
    *,
    edited: bool,
    stands: Stands | None,
) -> Limit | None:
    """Return the first limit before ``position``; None: all of it may be taken over.

    ``edited``: the handler would see another input. ``stands``: the policy under which the
    approvals must hold, asked for by whoever asks for the fork.
    """
    limits = [
        *_of_questions(queries, job_id, position, edited=edited),
        *_of_approvals(queries, job_id, position, stands),
        *_of_callbacks(queries, job_id, position),
    ]
    return min(limits, key=lambda one: one.position, default=None)


def _of_questions(queries: Queries, job_id: str, position: int, *, edited: bool) -> Iterator[Limit]:
    calls = len(queries.rows(_CALLS, {"id": job_id}))
    for at, status in queries.rows(_QUESTIONS, {"id": job_id, "position": position}):
        if edited:
            yield Limit(at, EDITED, EDITED)
        elif status in {CheckpointStatus.PENDING, CheckpointStatus.CANCELED}:
            yield Limit(at, OPEN)
        elif status in _FINAL and at == calls - 1:
            yield Limit(at, REFUSED)


def _of_approvals(
    queries: Queries, job_id: str, position: int, stands: Stands | None
) -> Iterator[Limit]:
    """Check approvals as the claim of the fork will: for it, nothing has been done upon them."""
    for row in approvals(queries, [job_id]):
        if row[12] < position and (reason := doubt_of(queries, row, stands, fresh=True)):
            yield Limit(row[12], reason)


def _of_callbacks(queries: Queries, job_id: str, position: int) -> Iterator[Limit]:
    answered = {row[0] for row in queries.rows(_ANSWERED, {"id": job_id})}
    calls = [row for row in queries.rows(_CALLS, {"id": job_id}) if row[0] < position]
    for at, kind, name, _ in calls:
        if kind != "callback" or at in answered:
            continue
        waits = [row for row in calls if row[1] == "wait" and row[2] == name and row[0] > at]
        # A wait that is over has its end on record; one that is open has the time it ends.
        if not waits or '"until"' in (waits[-1][3] or ""):
            yield Limit(at, UNANSWERED)
