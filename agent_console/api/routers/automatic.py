"""Automatic approval by review policies: its record, backtests, suggestions, and how to stop it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from agent_console.api.context import ServicesDep
from agent_console.api.documented import READING, READING_ONE, WRITING, problems
from agent_console.api.guard import requires
from agent_console.api.routing import resource_router
from agent_console.api.schemas.automatic import (
    BacktestAnswer,
    BacktestOut,
    BacktestParams,
    DaysParams,
    RecordParams,
    RuleRecordAnswer,
    RuleRecordOut,
    StopIn,
    SuggestionOut,
    SuggestionsAnswer,
)
from agent_console.api.schemas.review_policies import ReviewPolicyAnswer, ReviewPolicyOut
from agent_console.domain.access import Actor, Permission
from agent_console.domain.review_policies import Automatic

router = resource_router("Review policies")

Reader = Annotated[Actor, requires(Permission.CHECKPOINTS_READ)]
Reviewer = Annotated[Actor, requires(Permission.CHECKPOINTS_DECIDE)]


@router.get(
    "/api/review-policy-suggestions",
    response_model=SuggestionsAnswer,
    summary="Suggest what might be approved by itself",
    responses=problems(*READING),
)
def suggest(
    actor: Reader, services: ServicesDep, query: Annotated[DaysParams, Query()]
) -> SuggestionsAnswer:
    """Judge by what people decided: at least 20, all approved as proposed. Saves nothing."""
    found = services.automatic.suggestions(actor, days=query.days)
    return SuggestionsAnswer(suggestions=[SuggestionOut.model_validate(one) for one in found])


@router.get(
    "/api/review-policies/{jobType}/record",
    response_model=RuleRecordAnswer,
    summary="Show what a policy approved by itself, or would have",
    responses=problems(*READING_ONE),
)
def record(
    actor: Reader,
    services: ServicesDep,
    jobType: str,  # noqa: N803
    query: Annotated[RecordParams, Query()],
) -> RuleRecordAnswer:
    """Count it, beside what people decided of it, and name the latest checkpoints."""
    found = services.automatic.record(actor, jobType, query.action, days=query.days)
    return RuleRecordAnswer(record=RuleRecordOut.of(found))


@router.get(
    "/api/review-policies/{jobType}/backtest",
    response_model=BacktestAnswer,
    summary="Try a rule on what people decided",
    responses=problems(*READING_ONE),
)
def backtest(
    actor: Reader,
    services: ServicesDep,
    jobType: str,  # noqa: N803
    query: Annotated[BacktestParams, Query()],
) -> BacktestAnswer:
    """Say what it would have approved, and which of that people did not. Saves nothing."""
    found = services.automatic.backtest(
        actor,
        jobType,
        None if query.up_to is None else Automatic(up_to=query.up_to),
        action=query.action,
        version=query.version,
        days=query.days,
    )
    return BacktestAnswer(backtest=BacktestOut.of(found))


@router.post(
    "/api/review-policies/{jobType}/stop",
    response_model=ReviewPolicyAnswer,
    summary="Stop approving by itself under a policy",
    responses=problems(*WRITING),
)
def stop(
    actor: Reviewer,
    services: ServicesDep,
    jobType: str,  # noqa: N803
    body: StopIn,
) -> ReviewPolicyAnswer:
    """Save a version without the rule; from the answer on, people are asked."""
    holds = services.automatic.stop(actor, jobType, body.action, reason=body.reason)
    return ReviewPolicyAnswer(policy=ReviewPolicyOut.of(holds))
