"""View models of typed evidence: findings, drafts and reports inside a checkpoint's data."""

from __future__ import annotations

from dataclasses import dataclass, field

from agent_console.ui.artifact_views import ArtifactBody
from agent_console.ui.components.json_models import JsonView


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingEvidence:
    """A finding with its mark in the texts (``F1``) and where in its document the quotation is.

    ``missing`` are words of the question that it does not hold; ``check`` is what the console saw
    at that place: the quotation ``stands`` there, or the text there ``differs``; "" is unknown.
    """

    key: str = ""
    mark: str = ""
    place: str = ""
    check: str = ""
    missing: str = ""
    body: ArtifactBody = field(default_factory=lambda: ArtifactBody("finding"))


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerEvidence:
    """A question with its findings. ``confidence`` is in words, empty when nobody said."""

    key: str = ""
    question: str = ""
    confidence: str = ""
    tone: str = "gray"
    missing: str = ""
    unanswered: bool = False
    findings: list[FindingEvidence] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceEvidence:
    """A document that was read; ``href`` leads to it."""

    key: str = ""
    title: str = ""
    href: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceView:
    """Data of a known shape. ``kind`` is findings, draft or report; "" for any other data.

    ``rest`` is everything of the data that the evidence does not show; ``alarm`` says that
    quotations are not where they are said to be.
    """

    kind: str = ""
    summary: str = ""
    alarm: str = ""
    confidence: str = ""
    tone: str = "gray"
    answers: list[AnswerEvidence] = field(default_factory=list)
    sources: list[SourceEvidence] = field(default_factory=list)
    method: str = ""
    title: str = ""
    body: ArtifactBody = field(default_factory=lambda: ArtifactBody("text"))
    rest: JsonView = field(default_factory=JsonView)
