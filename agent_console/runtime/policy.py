"""What speaks against a payload, and whether a policy may approve it in a person's stead."""

from __future__ import annotations

from collections.abc import Sequence

from agent_console.domain.jobs import Json
from agent_console.domain.payload import loads
from agent_console.domain.risk import (
    Finding,
    Proposal,
    RiskAssessor,
    assess,
    is_low,
    ordered,
)

AUTO_APPROVE_LOW_RISK = "auto_approve_low_risk"


def findings_on(
    proposal: Proposal, given: Sequence[Finding], assessors: Sequence[RiskAssessor]
) -> list[Finding]:
    """Return the handler's own findings with those of ``assessors``, gravest first."""
    return ordered([*given, *assess(proposal, assessors)])


def may_approve(strategy: str | None, findings: Sequence[Finding], *, auto: bool | None) -> bool:
    """Say whether the policy of ``strategy`` decides: only where it is wanted and risk is low."""
    return strategy == AUTO_APPROVE_LOW_RISK and auto is not False and is_low(findings)


def recorded_findings(payload: str) -> list[Json]:
    """Return the findings a stored payload was shown with.

    They are what was known when it was asked for. A later run does not make them anew: assessors
    that have learned since then must not part a job from its record.
    """
    document = loads(payload)
    found = document.get("findings") if isinstance(document, dict) else None
    return found if isinstance(found, list) else []
