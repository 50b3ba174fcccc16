"""What speaks against letting a proposal through: findings, and the assessors that make them.

Findings are shown on the review card and are part of the payload that is digested. Low risk means
that none is above ``LOW``; only then may a policy decide in a person's stead.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, cast

from agent_console.domain.images import read_image
from agent_console.domain.jobs import Json

CONFIDENT = 0.7  # from here on a result is taken as it is
DOUBTFUL = 0.4  # below this a result is little more than a guess
MAX_FINDINGS = 50  # on one card; the rest is summed up in one more
MAX_LOCATION = 200  # characters
MAX_MESSAGE = 500  # characters


class Severity(StrEnum):
    """How much a finding weighs, gravest first."""

    CRITICAL = "CRITICAL"
    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"


NO_RISK = "NONE"  # what stands for the gravest finding where there is none
_GRAVITY = (NO_RISK, *(one.value for one in reversed(Severity)))


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a reviewer should know. ``location`` reads ``path:line`` or ``data.field``."""

    severity: Severity
    rule: str
    message: str
    location: str = ""

    def to_json(self) -> dict[str, Json]:
        """Return the form that is digested and stored."""
        return {
            "severity": Severity(self.severity).value,
            "rule": self.rule,
            "message": self.message[:MAX_MESSAGE],
            "location": self.location[:MAX_LOCATION],
        }


def gravest(findings: Iterable[Finding]) -> str:
    """Return the highest severity among ``findings``, ``NO_RISK`` without any."""
    found = {Severity(one.severity) for one in findings}
    return next((severity.value for severity in Severity if severity in found), NO_RISK)


@dataclass(frozen=True, slots=True)
class Text:
    """A text of a proposal and where it stands; ``lines`` says that locations count lines."""

    location: str
    text: str
    lines: bool = False


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is assessed. ``confidence`` is the proposer's own, 0 to 1; None: it has none.

    ``changes`` are in the form that is digested (``FileChange.to_json`` and others).
    """

    action: str = ""
    data: Json = None
    changes: Sequence[Mapping[str, Json]] = ()
    confidence: float | None = None

    @property
    def files(self) -> list[Mapping[str, Json]]:
        """The changes of files that have a path."""
        files = (c for c in self.changes if c.get("kind") == "file")
        return [c for c in files if isinstance(c.get("path"), str)]

    def texts(self) -> Iterator[Text]:
        """Yield every text that is new: lines added to files, values of rows and of the data."""
        for change in self.files:
            yield from _added(change, str(change["path"]))
        for number, change in enumerate(self.changes):
            kind, place = change.get("kind"), f"changes.{number}"
            if kind == "text":
                yield from _added(change, place)
                yield from _strings(change.get("title"), f"{place}.title")
            elif kind == "image" and read_image(change):
                yield from _strings(change.get("title"), f"{place}.title")
            elif kind != "file":
                yield from _strings(change, place)
        yield from _strings(self.data, "data")


class RiskAssessor(Protocol):
    """Looks at a proposal from one side."""

    def __call__(self, proposal: Proposal) -> Iterable[Finding]:
        """Return what speaks against ``proposal``; nothing: no objection."""
        ...


def assess(proposal: Proposal, assessors: Iterable[RiskAssessor]) -> list[Finding]:
    """Return the findings of all ``assessors``, gravest first, each once, bounded in number."""
    return ordered(finding for assessor in assessors for finding in assessor(proposal))


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """Return ``findings`` gravest first, each once; beyond ``MAX_FINDINGS`` the rest is counted."""
    grave = list(Severity)
    kept = sorted(dict.fromkeys(findings), key=lambda f: grave.index(f.severity))
    rest = kept[MAX_FINDINGS:]
    if not rest:
        return kept
    more = Finding(rest[0].severity, "more", f"{len(rest)} more findings are not listed.")
    return [*kept[:MAX_FINDINGS], more]


def within(risk: str | None, limit: str | None) -> bool:
    """Say whether the gravest finding ``risk`` is at most ``limit``.

    What is not known is beyond every limit, and nothing is within none (None).
    """
    if risk not in _GRAVITY or limit not in _GRAVITY:
        return False
    return _GRAVITY.index(risk) <= _GRAVITY.index(limit)


def confidence_finding(
    confidence: float | None, *, confident: float = CONFIDENT, doubtful: float = DOUBTFUL
) -> Finding | None:
    """Return what ``confidence`` says against a result, or None."""
    if confidence is None:
        return None
    if not math.isfinite(confidence) or not 0 <= confidence <= 1:
        return Finding(Severity.HIGH, "confidence", "The confidence is not between 0 and 1.")
    if confidence >= confident:
        return None
    severity = Severity.HIGH if confidence < doubtful else Severity.MEDIUM
    said = f"Confidence {confidence:.2f} is below {confident:.2f}."
    return Finding(severity, "confidence", said)


def _added(change: Mapping[str, Json], place: str) -> Iterator[Text]:
    """Yield the lines of a text that were not in it before; all that is no text is left out."""
    after, before = change.get("after"), change.get("before")
    if not isinstance(after, str):
        return
    known = set(before.splitlines()) if isinstance(before, str) else set()
    for number, line in enumerate(after.splitlines(), 1):
        if line not in known:
            yield Text(f"{place}:{number}", line, lines=True)


def _strings(value: object, location: str) -> Iterator[Text]:
    """Yield every text within ``value``, names of fields too, under its dotted place."""
    stack: list[tuple[str, object]] = [(location, value)]
    while stack:
        place, item = stack.pop()
        if isinstance(item, str):
            yield Text(place, item)
        elif isinstance(item, Mapping):
            fields = list(cast("Mapping[str, object]", item).items())
            yield from (Text(place, key) for key, _ in fields)
            stack.extend((f"{place}.{key}", child) for key, child in reversed(fields))
        elif isinstance(item, list | tuple):
            stack.extend((f"{place}.{n}", item[n]) for n in range(len(item) - 1, -1, -1))
