"""From what rules on automatic approval did to what the page of policies shows; pure, no Reflex."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlencode

from agent_console.domain.rule_history import Backtest, Past, RuleRecord, Suggestion
from agent_console.ui.views import iso, shown

DESK = "/admin/agent-checkpoints"
_ENDED = {
    "APPROVED": ("approved", "green"),
    "EDITED": ("approved with edits", "amber"),
    "REJECTED": ("rejected", "red"),
    "CHANGES_REQUESTED": ("sent back", "amber"),
}


@dataclass(frozen=True, slots=True)
class PastRow:
    """A checkpoint with a link, and how it ended."""

    id: str
    href: str
    what: str
    risk: str
    ended: str
    tone: str
    by: str
    at: str


@dataclass(frozen=True, slots=True)
class TriedView:
    """What a rule would have approved; ``words`` is empty before one was tried."""

    words: str = ""
    rows: list[PastRow] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RecordView:
    """What the rule of a policy did; ``live``: it approves, or speaks in shadow, still."""

    job_type: str = ""
    action: str = ""
    title: str = ""
    days: int = 0
    live: bool = False
    rule: str = ""
    approved: int = 0
    shadow: str = ""
    contradictions: list[PastRow] = field(default_factory=list)
    latest: list[PastRow] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SuggestionRow:
    """A suggestion with its evidence."""

    key: str
    job_type: str
    action: str
    up_to: str
    title: str
    words: str
    first: str
    last: str
    rows: list[PastRow]
    refusal: str


def past_row(one: Past) -> PastRow:
    """Return the row of a checkpoint."""
    ended, tone = _ENDED.get(one.outcome, (one.outcome.lower(), "gray"))
    return PastRow(
        id=one.id,
        href=f"{DESK}/{one.id}",
        what=shown(one.action or one.job_type, 120),
        risk=one.risk or "unknown",
        ended=ended,
        tone=tone,
        by=shown(one.by_name, 120),
        at=iso(one.decided_at or one.created_at),
    )


def tried_view(found: Backtest) -> TriedView:
    """Return what a rule would have approved."""
    return TriedView(words=found.words, rows=[past_row(one) for one in found.contradictions])


def record_view(found: RuleRecord, title: str) -> RecordView:
    """Return what the rule of a policy did."""
    rule, policy = found.policy.terms.automatic, found.policy
    return RecordView(
        job_type=policy.job_type,
        action=policy.action,
        title=title,
        days=found.days,
        live=rule.up_to is not None and not policy.removed,
        rule=rule.words,
        approved=found.approved,
        shadow=shadow_words(found),
        contradictions=[past_row(one) for one in found.contradictions],
        latest=[past_row(one) for one in found.approved_latest],
    )


def shadow_words(found: RuleRecord) -> str:
    """Return how often people agreed with what was said in shadow; "" where nothing was."""
    if not found.agreed + found.disagreed + found.open:
        return ""
    still = f", {found.open} without a word" if found.open else ""
    return f"agreed {found.agreed}, disagreed {found.disagreed}{still}"


def row_words(found: RuleRecord | None) -> str:
    """Return the figures of a rule for its policy's row; "" without a rule."""
    if found is None:
        return ""
    if found.policy.terms.automatic.shadow:
        return f"in {found.days} days: {shadow_words(found) or 'nothing yet'}"
    return f"in {found.days} days: {found.approved:,}"


def suggestion_row(one: Suggestion, refusal: str) -> SuggestionRow:
    """Return the row of a suggestion; ``refusal`` says why the reader cannot take it up."""
    title = f"{one.job_type}, {one.action!r}" if one.action else one.job_type
    return SuggestionRow(
        key=urlencode([("type", one.job_type), ("action", one.action)]),
        job_type=one.job_type,
        action=one.action,
        up_to=one.up_to,
        title=shown(title, 200),
        words=one.words,
        first=iso(one.first),
        last=iso(one.last),
        rows=[past_row(past) for past in one.latest],
        refusal=refusal,
    )
