"""Deciding many checkpoints at once: what became of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from agent_console.domain.checkpoints import CheckpointStatus, CheckpointVerb
from agent_console.domain.errors import ConsoleError, Forbidden, Invalid

MAX_AT_ONCE = 1_000  # checkpoints of one request
BULK_VERBS = (CheckpointVerb.APPROVE, CheckpointVerb.REJECT)  # the others say something of each
DONE = {CheckpointVerb.APPROVE: "approved", CheckpointVerb.REJECT: "rejected"}


class Fate(StrEnum):
    """What became of one checkpoint of several."""

    DECIDED = "decided"
    VOTED = "voted"  # kept; more people have to say the same
    ALREADY_DECIDED = "already_decided"  # somebody was faster
    EXPIRED = "expired"
    PAYLOAD_CHANGED = "payload_changed"  # it is not what was shown
    CLAIMED = "claimed"  # by somebody else, for now
    FORBIDDEN = "forbidden"  # its job is the decider's own, or its policy asks others
    NOT_IN_BULK = "not_in_bulk"  # its policy wants each looked at by itself
    NEEDS_ANSWER = "needs_answer"  # it is a question, and answers are given one by one
    VOTED_ALREADY = "voted_already"  # by the same person
    DEADLINE_MOVED = "deadline_moved"  # its time was up, and its policy goes on asking
    NOT_FOUND = "not_found"
    NOT_OPEN = "not_open"  # it was canceled, or its job cannot go on
    UNKNOWN = "unknown"  # the database went away: look again


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A checkpoint to decide, and the digest of what was shown of it."""

    checkpoint_id: str
    payload_digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What became of one checkpoint; ``status`` and who decided it are as they are now.

    ``status`` is None when there is no such checkpoint, or it was not reached; until ``undo_until``
    the decision can be taken back, None: it cannot.
    """

    checkpoint_id: str
    fate: Fate
    status: CheckpointStatus | None = None
    job_id: str | None = None
    message: str = ""
    decided_by_name: str | None = None
    decided_at: datetime | None = None
    payload_digest: str | None = None
    undo_until: datetime | None = None

    @property
    def decided(self) -> bool:
        """Whether it was decided by this very request."""
        return self.fate is Fate.DECIDED

    @property
    def taken(self) -> bool:
        """Whether the verdict was taken: it decided, or counts until more people have agreed."""
        return self.fate in {Fate.DECIDED, Fate.VOTED}

    @property
    def open(self) -> bool:
        """Whether it still waits for somebody, as far as is known."""
        return self.status is CheckpointStatus.PENDING or self.fate is Fate.UNKNOWN


# What a refusal is known by: a fact of its answer.
_TOLD_BY = (
    ("currentDigest", Fate.PAYLOAD_CHANGED),
    ("claimedBy", Fate.CLAIMED),
    ("bulkAllowed", Fate.NOT_IN_BULK),
    ("votes", Fate.VOTED_ALREADY),
    ("deadlineMoved", Fate.DEADLINE_MOVED),
    ("decidedBy", Fate.ALREADY_DECIDED),
)


def fate_of(refusal: ConsoleError, status: CheckpointStatus) -> Fate:
    """Return what ``refusal`` of a checkpoint that now has ``status`` means."""
    if isinstance(refusal, Forbidden):
        return Fate.FORBIDDEN
    if isinstance(refusal, Invalid):  # of verdicts that are fit for many, only a question's is
        return Fate.NEEDS_ANSWER
    if status is CheckpointStatus.EXPIRED:
        return Fate.EXPIRED
    return next((fate for fact, fate in _TOLD_BY if fact in refusal.context), Fate.NOT_OPEN)


_WORDS = {
    Fate.VOTED: "kept, more people have to agree",
    Fate.NOT_IN_BULK: "to be decided one by one",
    Fate.NEEDS_ANSWER: "to be answered one by one",
    Fate.VOTED_ALREADY: "said by you already",
    Fate.DEADLINE_MOVED: "with a new deadline",
    Fate.EXPIRED: "expired",
    Fate.PAYLOAD_CHANGED: "changed since it was shown",
    Fate.CLAIMED: "claimed by somebody else",
    Fate.FORBIDDEN: "not yours to decide",
    Fate.NOT_FOUND: "not found",
    Fate.NOT_OPEN: "no longer open",
    Fate.UNKNOWN: "not reached",
}


def summary(rulings: Iterable[Ruling], done: str) -> str:
    """Return how many had which fate, in words; ``done`` is that of the decided ones."""
    counts: Counter[str] = Counter()
    for ruling in rulings:
        if ruling.decided:
            counts[done] += 1
        elif ruling.fate is Fate.ALREADY_DECIDED:
            counts[f"already decided by {ruling.decided_by_name or 'somebody else'}"] += 1
        else:
            counts[_WORDS[ruling.fate]] += 1
    first = [done] if counts[done] else []
    rest = [words for words in counts if words != done]
    return ", ".join(f"{counts[words]:,} {words}" for words in [*first, *rest])
