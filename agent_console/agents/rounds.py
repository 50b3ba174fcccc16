"""One review loop for all agents: make, show, ask; and again with what the reviewer said."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from agent_console import ChangesRequested, Decision, Finding, JobContext, Json, Severity
from agent_console.agents.brief import Brief
from agent_console.agents.feedback import Wishes
from agent_console.agents.findings import Research, ResearchFinding


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a round made. ``shown`` is the reviewer's view, ``save`` publishes the artifacts."""

    action: str
    question: str
    shown: Json
    confidence: float
    findings: Sequence[ResearchFinding]
    texts: Sequence[str]
    save: Callable[[Wishes], list[str]]
    edit: type[BaseModel] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """An approved result with the ids of its artifacts."""

    result: Result
    decision: Decision
    wishes: Wishes
    artifacts: list[str]


def settle(ctx: JobContext, brief: Brief, make: Callable[[Wishes], Result]) -> Settled:
    """Make results until one is approved.

    Requested changes are made in another round, at most the definition's number.

    Raises:
        Rejected: a reviewer said no.
        Expired: nobody decided in time.
    """
    wishes = Wishes()
    while True:
        result = make(wishes)
        artifacts = result.save(wishes)
        try:
            decision = ask(ctx, brief, result)
        except ChangesRequested as wanted:
            ctx.info(f"Round {wishes.round + 1}: {wanted.feedback}"[:500])
            wishes = wishes.after(wanted.feedback, result.findings)
            continue
        return Settled(result=result, decision=decision, wishes=wishes, artifacts=artifacts)


def ask(ctx: JobContext, brief: Brief, result: Result) -> Decision:
    """Put ``result`` up for review, with every reason to look at it."""
    metadata: dict[str, Json] = {
        "confidence": result.confidence,
        "agent": brief.definition.name,
        "approvalStrategy": brief.strategy,
    }
    return ctx.approve(
        result.question,
        action=result.action,
        data=result.shown,
        edit=result.edit,
        metadata=metadata,
        findings=reasons(brief, result),
        confidence=result.confidence,
        auto=False if brief.task.request_review else None,
        rounds=brief.definition.rounds if brief.definition.rounds > 1 else None,
    )


def reasons(brief: Brief, result: Result) -> list[Finding]:
    """Return why a person should look, beyond what the standard assessors find."""
    found = []
    if result.confidence < brief.threshold:
        said = f"Confidence {result.confidence:.2f} is below this task's {brief.threshold:.2f}."
        found.append(Finding(Severity.HIGH, "low-confidence", said, "confidence"))
    if not result.findings:
        said = "The documents hold nothing on this."
        found.append(Finding(Severity.HIGH, "no-findings", said, "findings"))
    if brief.task.request_review:
        said = "The task asks for a person in any case."
        found.append(Finding(Severity.MEDIUM, "review-requested", said, "requestReview"))
    for doubt in dict.fromkeys(brief.doubts):
        said = f"The agent asks for a person: {doubt or 'it gives no reason.'}"
        found.append(Finding(Severity.MEDIUM, "review-requested", said, "agent"))
    text = "\n".join(result.texts)
    for word in brief.definition.thresholds.high_impact:
        if re.search(rf"\b{re.escape(word)}", text, re.IGNORECASE):
            said = f"The content speaks of “{word}”, which counts as high impact."
            found.append(Finding(Severity.HIGH, "high-impact", said, "thresholds.highImpact"))
    return found


def publish_findings(ctx: JobContext, research: Research, wishes: Wishes) -> list[str]:
    """Save every finding as an artifact and return their ids."""
    return [_publish(ctx, one, wishes.round) for one in research.findings]


def _publish(ctx: JobContext, finding: ResearchFinding, number: int) -> str:
    document = finding.model_dump(mode="json", by_alias=True)
    place = finding.source.model_dump(mode="json", by_alias=True)
    return ctx.artifact(
        finding.name,
        json.dumps(document, ensure_ascii=False, indent=2) + "\n",
        type="research_finding",
        media_type="application/json",
        metadata={"confidence": finding.confidence, "sources": [place], "round": number},
    )


def in_round(name: str, number: int) -> str:
    """Return ``name`` with its round, from the second on."""
    return name if number == 1 else f"{name} (round {number})"
