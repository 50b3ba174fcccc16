"""What rules would have done, and what is suggested, judged by what people decided."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agent_console.domain.checkpoints import CheckpointStatus
from agent_console.domain.review_policies import Automatic, ReviewPolicy, Terms
from agent_console.domain.rule_history import MIN_DECISIONS, Past, backtest, suggestions

AT = datetime(2026, 11, 1, tzinfo=UTC)
APPROVED, REJECTED = CheckpointStatus.APPROVED, CheckpointStatus.REJECTED


def past(number: int, risk: str | None = "LOW", **more: Any) -> Past:
    facts: dict[str, Any] = {
        "id": f"chk_{number}", "job_id": f"job_{number}", "job_type": "noop", "action": "write",
        "risk": risk, "status": APPROVED, "edited": False, "insists": False,
        "by": f"usr_{number % 2}", "by_name": "Ana", "decided_at": AT,
        "created_at": AT - timedelta(minutes=number),
    }  # fmt: skip
    return Past(**{**facts, **more})


def policy(up_to: str | None, job_type: str = "noop", action: str = "") -> ReviewPolicy:
    terms = Terms(automatic=Automatic(up_to=up_to))
    return ReviewPolicy(id=f"{job_type} {action}", job_type=job_type, action=action, terms=terms)


def tried(found: list[Past], rule: ReviewPolicy, *others: ReviewPolicy) -> Any:
    return backtest(found, others, rule, days=30, capped=False)


def test_a_backtest_says_what_people_did_with_what_would_have_been_approved() -> None:
    found = [
        past(0), past(1, "NONE"), past(2, status=REJECTED), past(3, edited=True),
        past(4, "MEDIUM", status=REJECTED), past(5, None), past(6, insists=True),
        past(7, status=CheckpointStatus.CHANGES_REQUESTED),
    ]  # fmt: skip
    result = tried(found, policy("LOW"))
    assert (result.looked_at, result.would_approve) == (8, 5)
    assert result.outcomes == {"APPROVED": 2, "REJECTED": 1, "EDITED": 1, "CHANGES_REQUESTED": 1}
    assert (result.insisted, result.unknown) == (1, 1)
    assert [one.id for one in result.contradictions] == ["chk_2", "chk_3", "chk_7"]
    assert result.words == (
        "Of 8 decisions by people in 30 days this would have approved 5; of these, people sent"
        " back 1, edited 1, rejected 1. 1 wanted a person whatever a policy says. 1 is from before"
        " risk was kept."
    )


def test_a_backtest_leaves_to_others_what_a_more_exact_policy_covers() -> None:
    found = [past(0), past(1, action="send"), past(2, job_type="mail")]
    assert tried(found, policy("LOW"), policy(None, action="send")).looked_at == 1
    assert tried(found, policy("LOW", action="send"), policy(None)).looked_at == 1
    assert tried(found, policy("LOW", job_type="*"), policy(None)).looked_at == 1
    assert tried(found, policy(None), policy("HIGH")).would_approve == 0


def test_of_many_contradictions_the_latest_are_named() -> None:
    found = [past(n, status=REJECTED) for n in range(80)]
    assert [one.id for one in tried(found, policy("LOW")).contradictions] == [
        f"chk_{n}" for n in range(50)
    ]


def history(count: int = MIN_DECISIONS, first: int = 0, **more: Any) -> list[Past]:
    return [past(n, **more) for n in range(first, first + count)]


def said(found: list[Past], *current: ReviewPolicy) -> list[tuple[str, str, str, int]]:
    made = suggestions(found, current, days=30)
    return [(one.job_type, one.action, one.up_to, one.decided) for one in made]


def test_twenty_approvals_as_proposed_are_a_suggestion_nineteen_are_none() -> None:
    assert said(history()) == [("noop", "", "LOW", 20)]
    assert said(history(19)) == []
    (one,) = suggestions(history(), [], days=30)
    assert one.words == (
        "In 30 days 20 questions with no finding above LOW were decided by 2 people, all approved"
        " as proposed. Let these be approved by themselves?"
    )


@pytest.mark.parametrize(
    "other",
    [{"status": REJECTED}, {"edited": True}, {"status": CheckpointStatus.CHANGES_REQUESTED}],
)
def test_a_single_other_word_is_enough_against_it(other: dict[str, Any]) -> None:
    assert said([*history(60), past(61, **other)]) == []
    # Of what is graver, it says nothing against what is lesser.
    assert said([*history(60), past(61, "MEDIUM", **other)]) == [("noop", "", "LOW", 60)]


def test_it_goes_as_far_as_there_are_decisions_and_never_beyond_medium() -> None:
    found = [*history(), *history(5, 20, risk="HIGH"), *history(5, 30, risk="MEDIUM")]
    assert said(found) == [("noop", "", "MEDIUM", 25)]
    assert said(history(risk="HIGH")) == []
    assert said(history(risk="NONE")) == [("noop", "", "NONE", 20)]


def test_single_actions_are_suggested_where_the_type_is_not_of_one_mind() -> None:
    found = [*history(), *history(20, 20, action="send"), past(41, action="send", status=REJECTED)]
    assert said(found) == [("noop", "write", "LOW", 20)]


def test_an_action_with_its_own_policy_is_judged_by_itself() -> None:
    found = [*history(), *history(20, 20, action="send")]
    assert said(found, policy(None, action="send")) == [
        ("noop", "", "LOW", 20),
        ("noop", "send", "LOW", 20),
    ]


def test_what_is_so_already_or_wants_a_person_is_not_suggested() -> None:
    assert said(history(), policy("MEDIUM")) == []
    shadow = policy("LOW")
    in_shadow = Terms(automatic=Automatic(up_to="LOW", shadow=True))
    assert said(history(), replace(shadow, terms=in_shadow)) == []
    assert said(history(insists=True)) == []
    assert said(history(), policy("NONE")) == [("noop", "", "LOW", 20)]
