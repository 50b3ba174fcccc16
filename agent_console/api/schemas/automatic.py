"""Wire models of automatic approval: records of rules, backtests and suggestions."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StrictStr, StringConstraints

from agent_console.api.schemas.base import In, Instant, Out, Success, example
from agent_console.api.schemas.review_policies import ActionParams, ReviewPolicyOut
from agent_console.domain.rule_history import DAYS, MAX_DAYS, Backtest, RuleRecord

_Days = Annotated[int, Field(ge=1, le=MAX_DAYS)]


class DaysParams(In):
    """How far back to look."""

    days: _Days = DAYS


class RecordParams(ActionParams):
    """Which policy of the type, and how far back to look."""

    days: _Days = DAYS


class BacktestParams(RecordParams):
    """The rule to try: `upTo` of a draft, else that of `version`, else the one that holds."""

    up_to: Annotated[str, StringConstraints(max_length=20)] | None = None
    version: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None


class StopIn(In):
    """Which policy of the type is to approve nothing by itself any more, and why."""

    model_config = example(action="", reason="It let a wrong address through.")

    action: Annotated[StrictStr, StringConstraints(max_length=200)] = ""
    reason: Annotated[StrictStr, StringConstraints(max_length=500)] = ""


class PastOut(Out):
    """A checkpoint and how it ended; `outcome` is its status, or `EDITED`."""

    id: str
    job_id: str
    job_type: str
    action: str
    risk: str | None = Field(description="The gravest finding; null: it was not kept then.")
    outcome: str
    by_name: str
    decided_at: Instant | None
    created_at: Instant


class RuleRecordOut(Out):
    """What the rule of a policy did in so many days, all versions; counts of the newest 5,000.

    `agreed`, `disagreed` and `open` are of what it would have approved in shadow.
    """

    policy: ReviewPolicyOut
    days: int
    approved: int = Field(description="By itself.")
    agreed: int = Field(description="People approved it as proposed.")
    disagreed: int = Field(description="People edited, rejected or sent it back.")
    open: int = Field(description="No person has decided, or none did.")
    contradictions: list[PastOut] = Field(description="The latest that people disagreed with.")
    approved_latest: list[PastOut] = Field(description="The latest that it approved by itself.")

    @classmethod
    def of(cls, record: RuleRecord) -> RuleRecordOut:
        """Return the wire form of ``record``."""
        same = ("days", "approved", "agreed", "disagreed", "open")
        return cls(
            **{name: getattr(record, name) for name in same},
            policy=ReviewPolicyOut.of(record.policy),
            contradictions=[PastOut.model_validate(one) for one in record.contradictions],
            approved_latest=[PastOut.model_validate(one) for one in record.approved_latest],
        )


class BacktestOut(Out):
    """What a rule would have approved of what people decided."""

    up_to: str | None
    days: int
    looked_at: int = Field(description="Decisions by people that the policy covers.")
    would_approve: int
    outcomes: dict[str, int] = Field(description="Of these, how people decided.")
    insisted: int = Field(description="A person was wanted whatever a policy says.")
    unknown: int = Field(description="From before risk was kept.")
    capped: bool = Field(description="There was more than is looked at.")
    since: Instant | None = Field(description="The oldest that was looked at.")
    contradictions: list[PastOut] = Field(description="The latest that people disagreed with.")

    @classmethod
    def of(cls, found: Backtest) -> BacktestOut:
        """Return the wire form of ``found``."""
        same = (
            "days", "looked_at", "would_approve", "insisted", "unknown", "capped", "since",
        )  # fmt: skip
        return cls(
            **{name: getattr(found, name) for name in same},
            up_to=found.rule.up_to,
            outcomes=dict(sorted(found.outcomes.items())),
            contradictions=[PastOut.model_validate(one) for one in found.contradictions],
        )


class SuggestionOut(Out):
    """Decisions that were all approvals as proposed; nothing is done about it."""

    job_type: str
    action: str = Field(description="Empty: the job type as a whole.")
    up_to: str
    decided: int
    people: int
    first: Instant
    last: Instant
    days: int
    latest: list[PastOut]


class RuleRecordAnswer(Success):
    """The record of one policy."""

    record: RuleRecordOut


class BacktestAnswer(Success):
    """What a rule would have done."""

    backtest: BacktestOut


class SuggestionsAnswer(Success):
    """What might be approved by itself, the most decided first."""

    suggestions: list[SuggestionOut]
