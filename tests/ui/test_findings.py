"""Findings on the card, usage on the job page: what the reader is told, and how."""

from __future__ import annotations

from typing import Any

import pytest

from agent_console.domain.payload import canonical, digest
from agent_console.domain.risk import Finding, Severity
from agent_console.domain.usage import JobUsage, ModelUsage, Usage
from agent_console.ui.components import review_build as build
from agent_console.ui.components.review_models import BodyView
from agent_console.ui.job_views import job_view, usage_words
from tests.ui.test_desk_views import detail


def body(*findings: dict[str, Any]) -> BodyView:
    """Return the body of a checkpoint with these findings, past the cache of bodies."""
    return build.body(detail(findings=list(findings), payload_digest=digest(canonical(findings))))


def shown(*findings: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    views = body(*findings).findings
    return [(one.severity, one.tone, one.message, one.location) for one in views]


def finding(severity: Severity, message: str = "Look.", location: str = "") -> dict[str, Any]:
    return Finding(severity, "rule", message, location).to_json()


def test_findings_are_shown_in_order_with_their_weight() -> None:
    assert shown(
        finding(Severity.CRITICAL, "A secret.", "app.py:3"), finding(Severity.LOW, "Long.")
    ) == [("CRITICAL", "red", "A secret.", "app.py:3"), ("LOW", "gray", "Long.", "")]


def test_they_are_summed_up_in_words() -> None:
    some = [finding(Severity.HIGH), finding(Severity.LOW, "a"), finding(Severity.LOW, "b")]
    assert body(*some).risk == "1 high, 2 low"
    assert body().findings == []


def test_what_agents_wrote_into_a_finding_is_made_visible() -> None:
    ((_, _, message, location),) = shown(finding(Severity.HIGH, "a\u202eb", "x\u200by"))
    assert (message, location) == ("a⟨U+202E⟩b", "x⟨U+200B⟩y")


def test_a_finding_that_makes_no_sense_is_shown_as_grave() -> None:
    assert shown({"severity": "FINE", "rule": 3}) == [("FINE", "red", "", "")]


@pytest.mark.parametrize(
    ("used", "words"),
    [
        (Usage(), ""),
        (Usage(1200, 50), "1,200 in, 50 out · $0.00"),
        (Usage(10, 5, 2_500), "10 in, 5 out · $0.0025"),
        (Usage(10, 5, 1_234_567), "10 in, 5 out · $1.23"),
    ],
)
def test_usage_reads_as_tokens_and_dollars(used: Usage, words: str) -> None:
    assert usage_words(used) == words


def test_the_job_page_tells_usage_in_all_and_by_model() -> None:
    used = Usage(10, 5, 2_500)
    usage = JobUsage(calls=2, total=used, models=[ModelUsage(model="m", calls=2, used=used)])
    view = job_view(detail().job, [], usage)
    assert view.usage == "10 in, 5 out · $0.0025"
    assert view.usage_detail == "m: 2 × 10 in, 5 out · $0.0025"
