"""What speaks against a payload."""

from __future__ import annotations

from collections.abc import Sequence

from agent_console.domain.jobs import Json
from agent_console.domain.payload import loads
from agent_console.domain.risk import (
    Finding,
    Proposal,
    RiskAssessor,
    assess,
    ordered,
)


def findings_on(
    proposal: Proposal, given: Sequence[Finding], assessors: Sequence[RiskAssessor]
) -> list[Finding]:
    """Return the handler's own findings with those of ``assessors``, gravest first."""
    return ordered([*given, *assess(proposal, assessors)])


def recorded_findings(payload: str) -> list[Json]:
    """Return the findings a stored payload was shown with.

    They are what was known when it was asked for. A later run does not make them anew: assessors
    that have learned since then must not part a job from its record.
    """
    document = loads(payload)
    found = document.get("findings") if isinstance(document, dict) else None
    return found if isinstance(found, list) else []
