"""What rules on automatic approval did, or would have done, beside what people decided."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from agent_console.domain.checkpoints import CheckpointStatus
from agent_console.domain.review_policies import LIMITS, Automatic, PolicyBook, ReviewPolicy
from agent_console.domain.risk import NO_RISK, Severity, within

MAX_DAYS = 90  # back, at most
DAYS = 30
MAX_LISTED = 50  # checkpoints that an answer names
# A suggestion needs so many decisions, every one of them an approval as proposed. It never goes
# beyond MEDIUM: what is graver nobody should wave through by habit.
MIN_DECISIONS = 20
SUGGESTED = LIMITS[: LIMITS.index(Severity.MEDIUM) + 1]
MAX_SUGGESTIONS = 20


_ENDED = {"REJECTED": "rejected", "CHANGES_REQUESTED": "sent back", "EDITED": "edited"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A checkpoint that was decided, or is open; ``risk`` None: from before it was kept.

    ``insists``: a person was wanted, whatever a policy says. ``by`` is who decided, as one name
    for each.
    """

    id: str
    job_id: str
    job_type: str
    action: str
    risk: str | None
    status: CheckpointStatus
    edited: bool
    insists: bool
    by: str
    by_name: str
    decided_at: datetime | None
    created_at: datetime

    @property
    def outcome(self) -> str:
        """Return how it ended: the status, or EDITED for an approval of something else."""
        return "EDITED" if self.edited else self.status.value

    @property
    def agrees(self) -> bool:
        """Say whether people approved exactly what was proposed."""
        return self.status is CheckpointStatus.APPROVED and not self.edited

    @property
    def disagrees(self) -> bool:
        """Say whether people wanted something else."""
        ends = {CheckpointStatus.REJECTED, CheckpointStatus.CHANGES_REQUESTED}
        return self.edited or self.status in ends


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRecord:
    """What the rule of a policy did, and would have done in shadow, in so many days.

    ``agreed``, ``disagreed`` and ``open`` are of what it would have approved in shadow;
    ``contradictions`` are the latest of those that people disagreed with, ``approved_latest`` of
    those that it approved.
    """

    policy: ReviewPolicy
    days: int
    approved: int = 0
    agreed: int = 0
    disagreed: int = 0
    open: int = 0
    contradictions: Sequence[Past] = ()
    approved_latest: Sequence[Past] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """What a rule would have approved of what people decided in so many days.

    ``looked_at`` are decisions that the rule's policy covers; ``insisted`` of them wanted a person
    whatever a policy says, ``unknown`` are from before risk was kept: neither would have been
    approved. ``outcomes`` are of ``would_approve``. ``since`` is the oldest that was looked at
    where there were too many (``capped``).
    """

    policy: ReviewPolicy
    rule: Automatic
    days: int
    looked_at: int
    would_approve: int
    outcomes: Counter[str]
    insisted: int
    unknown: int
    capped: bool
    since: datetime | None
    contradictions: Sequence[Past]

    @property
    def words(self) -> str:
        """Return it in a sentence or two."""
        if self.rule.up_to is None:
            return "Without a rule nothing is approved by itself."
        other = {name: n for name, n in self.outcomes.items() if name != "APPROVED"}
        said = ", ".join(f"{_ENDED.get(name, name)} {n}" for name, n in sorted(other.items()))
        against = f"; of these, people {said}" if said else ""
        sure = "all approved as proposed" if self.would_approve and not said else ""
        left = [
            (self.insisted, "wanted a person whatever a policy says"),
            (self.unknown, f"{'is' if self.unknown == 1 else 'are'} from before risk was kept"),
        ]
        notes = "".join(f" {n} {why}." for n, why in left if n)
        more = " There was more than is looked at." if self.capped else ""
        return (
            f"Of {self.looked_at} decisions by people in {self.days} days this would have approved"
            f" {self.would_approve}{against}{f', {sure}' if sure else ''}.{notes}{more}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """Decisions so alike that nobody may be needed for them; nothing is done about it here.

    ``decided`` were all approved as proposed, by ``people``, from ``first`` to ``last``. ``action``
    is "" for the job type as a whole.
    """

    job_type: str
    action: str
    up_to: str
    decided: int
    people: int
    first: datetime
    last: datetime
    days: int
    latest: Sequence[Past] = ()

    @property
    def words(self) -> str:
        """Return the evidence in a sentence, and the question it raises."""
        none = self.up_to == NO_RISK
        kind = "without a finding" if none else f"with no finding above {self.up_to}"
        many = "one person" if self.people == 1 else f"{self.people} people"
        return (
            f"In {self.days} days {self.decided} questions {kind} were decided by {many}, all"
            " approved as proposed. Let these be approved by themselves?"
        )


def backtest(
    past: Iterable[Past],
    current: Iterable[ReviewPolicy],
    draft: ReviewPolicy,
    *,
    days: int,
    capped: bool,
) -> Backtest:
    """Return what ``draft`` would have approved of ``past``, newest first.

    ``current`` are the policies that hold: what a more exact one covers is not the draft's.
    """
    draft = replace(draft, id=draft.id or "draft", removed=False)
    book, rule = PolicyBook([*current, draft]), draft.terms.automatic
    looked = [one for one in past if book.of(one.job_type, one.action) is draft]
    able = [one for one in looked if not one.insists]
    would = [one for one in able if within(one.risk, rule.up_to)]
    return Backtest(
        policy=draft,
        rule=rule,
        days=days,
        looked_at=len(looked),
        would_approve=len(would),
        outcomes=Counter(one.outcome for one in would),
        insisted=len(looked) - len(able),
        unknown=sum(one.risk is None for one in able),
        capped=capped,
        since=looked[-1].created_at if looked else None,
        contradictions=[one for one in would if one.disagrees][:MAX_LISTED],
    )


def suggestions(
    past: Iterable[Past], current: Iterable[ReviewPolicy], *, days: int
) -> list[Suggestion]:
    """Return what might be approved by itself, judging by ``past`` (newest first).

    Of a job type as a whole where all of it went that way, else of single actions.
    """
    book = PolicyBook(current)
    by_type: dict[str, dict[str, list[Past]]] = defaultdict(lambda: defaultdict(list))
    for one in past:
        if not one.insists:
            by_type[one.job_type][one.action].append(one)
    found: list[Suggestion] = []
    for job_type, actions in by_type.items():
        # Actions with a policy of their own are not moved by one of the type.
        shared = {name for name in actions if book.of(job_type, name).action != name or not name}
        together = sorted(
            (one for name in shared for one in actions[name]),
            key=lambda one: (one.created_at, one.id),
            reverse=True,
        )
        whole = _suggestion(job_type, "", together, book, days)
        singly = [name for name in actions if name and not (whole and name in shared)]
        each = [_suggestion(job_type, name, actions[name], book, days) for name in singly]
        found += [made for made in (whole, *each) if made is not None]
    found.sort(key=lambda one: (-one.decided, one.job_type, one.action))
    return found[:MAX_SUGGESTIONS]


def _suggestion(
    job_type: str, action: str, group: Sequence[Past], book: PolicyBook, days: int
) -> Suggestion | None:
    """Return the highest limit up to which nobody ever wanted anything else, if there is one."""
    holds = book.of(job_type, action).terms.automatic
    for up_to in reversed(SUGGESTED):
        decided = [one for one in group if within(one.risk, up_to)]
        if not any(one.risk == up_to for one in decided):
            continue  # nothing is known of what is as grave as that
        if len(decided) >= MIN_DECISIONS and all(one.agrees for one in decided):
            if within(up_to, holds.up_to):
                return None  # it is so already, or tried in shadow
            return Suggestion(
                job_type=job_type,
                action=action,
                up_to=up_to,
                decided=len(decided),
                people=len({one.by for one in decided}),
                first=decided[-1].created_at,
                last=decided[0].created_at,
                days=days,
                latest=decided[:5],
            )
    return None
