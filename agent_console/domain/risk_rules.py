"""The assessors that come with the console: one function each, a ``RiskAssessor`` all of them.

``assessors`` makes those that run from a ``RiskPolicy``: which ones, and from where on they object.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Final

from agent_console.domain.changes import ImageDiff, RawChange, render
from agent_console.domain.errors import Invalid
from agent_console.domain.paths import check_path
from agent_console.domain.payload import canonical
from agent_console.domain.redaction import names_secret, redact_text
from agent_console.domain.risk import (
    CONFIDENT,
    DOUBTFUL,
    Finding,
    Proposal,
    RiskAssessor,
    Severity,
    confidence_finding,
)
from agent_console.domain.visible import reveal

MAX_FILES = 20  # changed at once before a person should look
MAX_LINES = 400  # of new text in files
MAX_BYTES = 131_072  # of the whole payload: more than anybody reads

ASSESSORS: Final = ("unfinished-work", "secrets", "paths", "size", "confidence", "uninspectable")


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskPolicy:
    """Which assessors look at proposals, and their thresholds: what is beyond one is a finding.

    ``max_files``, ``max_lines`` and ``max_bytes`` belong to ``size``; ``confident`` and
    ``doubtful``, 0 to 1, to ``confidence``.
    """

    assessors: tuple[str, ...] = ASSESSORS
    max_files: int = MAX_FILES
    max_lines: int = MAX_LINES
    max_bytes: int = MAX_BYTES
    confident: float = CONFIDENT
    doubtful: float = DOUBTFUL


# The words themselves would be findings in these sources.
_MARKER: Final = re.compile(r"\b(TO[D]O|FIX[M]E|XX[X]|HAC[K]|TB[D])\b")
_UNWRITTEN: Final = re.compile(r"\braise\s+NotImplementedError\b|\bNotImplementedException\b")
_SENSITIVE: Final = re.compile(
    r"(^|/)("
    r"\.env(\.[^/]*)?|\.git|\.github|\.gitlab-ci\.yml|\.ssh|\.aws|\.npmrc|\.pypirc|\.netrc|"
    r"dockerfile|makefile|jenkinsfile|crontab|sudoers|authorized_keys|id_[a-z0-9]+|"
    r"[^/]+\.(pem|key|p12|pfx|keystore|service)"
    r")(/|$)",
    re.IGNORECASE,
)


def unfinished(text: str, *, code: bool) -> str:
    """Return the sentence that says why ``text`` is not finished, or "" when nothing says so.

    ``code``: the text is a line of a file, in which a call may say so as well.
    """
    if marker := _MARKER.search(text):
        return f"The marker {marker[0]} says that this is not finished."
    if code and _UNWRITTEN.search(text):
        return "The code says that a part of it is not written."
    return ""


def unfinished_work(proposal: Proposal) -> Iterator[Finding]:
    """Find markers of unfinished work in what is new."""
    for text in proposal.texts():
        if said := unfinished(text.text, code=text.lines):
            yield Finding(Severity.CRITICAL, "unfinished-work", said, text.location)


def secrets(proposal: Proposal) -> Iterator[Finding]:
    """Find what looks like a password, token or key; the finding does not repeat it."""
    for text in proposal.texts():
        field = "" if text.lines else text.location.rpartition(".")[2]
        if redact_text(text.text) != text.text or (text.text and names_secret(field)):
            said = "This looks like a password, a token or a key."
            yield Finding(Severity.CRITICAL, "secret", said, text.location)


def paths(proposal: Proposal) -> Iterator[Finding]:
    """Find files that are removed, that steer builds and servers, or that no workspace takes."""
    for change in proposal.files:
        path = str(change["path"])
        try:
            check_path(path)
        except Invalid as error:
            yield Finding(Severity.CRITICAL, "path", error.fields[0].message, path)
            continue
        if _SENSITIVE.search(path):
            said = "This file steers builds, servers or access."
            yield Finding(Severity.HIGH, "path", said, path)
        if change.get("after") is None:
            yield Finding(Severity.MEDIUM, "removal", "The file is removed.", path)


def size(policy: RiskPolicy, proposal: Proposal) -> Iterator[Finding]:
    """Find more than a person reads, and rows that get lost in number."""
    if (count := len(proposal.files)) > policy.max_files:
        yield Finding(Severity.MEDIUM, "size", f"{count:,} files change at once.")
    if (lines := sum(text.lines for text in proposal.texts())) > policy.max_lines:
        yield Finding(Severity.MEDIUM, "size", f"{lines:,} lines of files are new.")
    length = len(canonical([proposal.data, list(proposal.changes)]).encode())
    if length > policy.max_bytes:
        yield Finding(Severity.MEDIUM, "size", f"The proposal has {length:,} bytes.")
    for number, change in enumerate(proposal.changes):
        before, after = change.get("totalBefore"), change.get("totalAfter")
        if isinstance(before, int) and isinstance(after, int) and after * 2 < before:
            said = f"Of {before:,} rows {after:,} are left."
            yield Finding(Severity.MEDIUM, "removal", said, f"changes.{number}")


def confidence(policy: RiskPolicy, proposal: Proposal) -> Iterator[Finding]:
    """Find a proposer that is not sure."""
    finding = confidence_finding(
        proposal.confidence, confident=policy.confident, doubtful=policy.doubtful
    )
    if finding is not None:
        yield finding


def uninspectable(proposal: Proposal) -> Iterator[Finding]:
    """Find what a reviewer could not see as it is: hidden characters, changes of unknown form."""
    for number, picture in enumerate(render(proposal.changes)):
        if isinstance(picture, RawChange):
            said = "This change has a form that cannot be shown as a difference."
            yield Finding(Severity.HIGH, "uninspectable", said, f"changes.{number}")
        elif isinstance(picture, ImageDiff):
            said = "An image is for people to look at: no check here says anything about it."
            yield Finding(Severity.MEDIUM, "image", said, f"changes.{number}")
    if hidden := reveal(proposal.action).hidden:
        yield _hidden(hidden, "action")
    for text in proposal.texts():
        if hidden := reveal(text.text).hidden:
            yield _hidden(hidden, text.location)


def _hidden(count: int, location: str) -> Finding:
    said = f"{count:,} characters are hidden or look like others."
    return Finding(Severity.HIGH, "uninspectable", said, location)


_MAKE: Final[Mapping[str, Callable[[RiskPolicy], RiskAssessor]]] = MappingProxyType(
    {
        "unfinished-work": lambda _policy: unfinished_work,
        "secrets": lambda _policy: secrets,
        "paths": lambda _policy: paths,
        "size": lambda policy: partial(size, policy),
        "confidence": lambda policy: partial(confidence, policy),
        "uninspectable": lambda _policy: uninspectable,
    }
)


def assessors(policy: RiskPolicy) -> tuple[RiskAssessor, ...]:
    """Return the assessors that ``policy`` names, in the house's order."""
    return tuple(_MAKE[name](policy) for name in ASSESSORS if name in policy.assessors)


STANDARD: Final[tuple[RiskAssessor, ...]] = assessors(RiskPolicy())
