"""What reviewing is measured by: how long each stage took, and how it ended, from the journal.

The events of a decision, an expiry and a resumed run carry what is needed; it is added up in their
own transaction, for ever by ``tallies`` and by slot of time in ``review_slots``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from agent_console.domain.clock import MICROSECONDS
from agent_console.domain.events import Event
from agent_console.domain.jobs import Json
from agent_console.domain.review_figures import Outcome, Stage, bound_of
from agent_console.domain.risk import NO_RISK

QUARTER: Final = 900
DAY: Final = 86_400
WIDTHS: Final = (QUARTER, DAY)  # seconds
KEPT: Final = {QUARTER: 8 * DAY, DAY: 400 * DAY}  # seconds that slots of a width stay
SHARDS: Final = 4

RISK: Final = "risk"  # facts of events: the gravest finding, and seconds of the stages
STAGES: Final = {
    Stage.SEEN: "unseenSeconds",
    Stage.DECIDED: "decidingSeconds",
    Stage.RESUMED: "resumedAfterSeconds",
}
_FACTS: Final = frozenset(STAGES.values())
_DECIDED: Final = {
    "checkpoint.approved": Outcome.APPROVED,
    "checkpoint.rejected": Outcome.REJECTED,
    "checkpoint.changes_requested": Outcome.CHANGES_REQUESTED,
    "checkpoint.expired": Outcome.EXPIRED,
}

COLUMNS: Final = ("width", "slot", "job_type", "risk", "measure", "shard", "value", "seconds")
UPSERT: Final = """
INSERT INTO review_slots (width, slot, job_type, risk, measure, shard, value, seconds) {rows}
ON CONFLICT (width, slot, job_type, risk, measure, shard) DO UPDATE
SET value = review_slots.value + excluded.value, seconds = review_slots.seconds + excluded.seconds
"""
Sum = tuple[str, str, str, int, float]


def stages(created: int, seen: int | None, decided: int) -> dict[str, Json]:
    """Return what the event of a decision says of its stages; instants in microseconds."""
    if seen is None:
        return {}
    first = max(created, min(seen, decided))
    return {
        STAGES[Stage.SEEN]: (first - created) / MICROSECONDS,
        STAGES[Stage.DECIDED]: (decided - first) / MICROSECONDS,
    }


def concerned(event: Event) -> bool:
    """Say whether ``event`` may add anything here; of the events of most runs none does."""
    return event.action in _DECIDED or not _FACTS.isdisjoint(event.data)


def observed(event: Event) -> Iterator[tuple[Stage, float]]:
    """Yield the stages that ``event`` tells of, with how long they took (s)."""
    for stage, fact in STAGES.items():
        seconds = event.data.get(fact)
        if isinstance(seconds, int | float):
            yield stage, float(seconds)


def outcomes(event: Event) -> Iterator[Outcome]:
    """Yield how a review ended by ``event``, and that it was a decision on one's own job."""
    outcome = _DECIDED.get(event.action)
    if outcome is None:
        return
    if event.actor.kind == "policy":
        outcome = Outcome.POLICY
    elif outcome is Outcome.APPROVED and "editedDigest" in event.data:
        outcome = Outcome.EDITED
    yield outcome
    if event.data.get("selfApproval") is True:
        yield Outcome.SELF


def risk_of(event: Event) -> str:
    """Return the gravest finding of the checkpoint that ``event`` is about."""
    return str(event.data.get(RISK) or NO_RISK)


def slots(events: Iterable[Event]) -> list[Sum]:
    """Return job type, risk, measure, number and seconds of what ``events`` add to every slot.

    Sorted, so that two transactions lock the same rows in the same order.
    """
    sums: dict[tuple[str, str, str], list[float]] = {}
    for event in filter(concerned, events):
        measures = [(f"{stage}|{bound_of(seconds)}", seconds) for stage, seconds in observed(event)]
        measures += [(outcome.value, 0.0) for outcome in outcomes(event)]
        for measure, seconds in measures:
            found = sums.setdefault((event.job_type or "", risk_of(event), measure), [0, 0.0])
            found[0] += 1
            found[1] += seconds
    return [(*key, int(n), seconds) for key, (n, seconds) in sorted(sums.items())]
