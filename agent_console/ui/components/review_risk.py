"""Findings as view models; pure functions, no Reflex."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from agent_console.domain.jobs import Json
from agent_console.domain.risk import Severity
from agent_console.domain.visible import reveal
from agent_console.ui.components.review_models import FindingView

TONES: Mapping[str, str] = {
    Severity.CRITICAL: "red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "amber",
    Severity.LOW: "gray",
}


def finding_views(findings: Sequence[Mapping[str, Json]]) -> list[FindingView]:
    """Return the views of stored findings; agents have a hand in their texts."""
    return [
        FindingView(
            key=str(number),
            severity=_text(finding, "severity"),
            tone=TONES.get(_text(finding, "severity"), "red"),
            rule=_text(finding, "rule"),
            message=_text(finding, "message"),
            location=_text(finding, "location"),
        )
        for number, finding in enumerate(findings)
    ]


def risk_words(findings: Sequence[FindingView]) -> str:
    """Return how many findings there are of each severity, e.g. ``1 critical, 2 low``."""
    counts = Counter(finding.severity for finding in findings)
    return ", ".join(f"{count} {severity.lower()}" for severity, count in counts.items())


def _text(finding: Mapping[str, Json], name: str) -> str:
    value = finding.get(name)
    return reveal(value).text if isinstance(value, str) else ""
