"""Drafts made of findings: structures that differ, sentences that each name their finding."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from enum import StrEnum

from agent_console.agents.findings import Research, ResearchFinding, Value
from agent_console.agents.markdown import literal, table

_FIGURE = re.compile(r"\d")
_SURE = 0.5  # from here on a finding counts as well supported
UNANSWERED = "The documents that were searched do not answer this."


class Tone(StrEnum):
    """How a draft speaks of its sources; the statements themselves stay the documents' own."""

    PLAIN = "plain"
    FORMAL = "formal"
    CONVERSATIONAL = "conversational"


class Structure(StrEnum):
    """How a draft arranges the findings."""

    BRIEF = "brief"
    QUESTIONS = "questions"
    BY_SOURCE = "by_source"
    FIGURES = "figures"
    ASSURANCE = "assurance"
    WRITTEN = "written"  # by a model, as it sees fit


class DraftSentence(Value):
    """A sentence of a draft and the findings it rests on."""

    text: str
    finding_ids: tuple[str, ...]


class Draft(Value):
    """One variation in Markdown. ``confidence`` is the mean of the findings it uses."""

    name: str
    structure: Structure
    confidence: float
    text: str
    sentences: tuple[DraftSentence, ...]


NAMES = {
    Structure.BRIEF: "Brief",
    Structure.QUESTIONS: "Questions and answers",
    Structure.BY_SOURCE: "Source by source",
    Structure.FIGURES: "Figures",
    Structure.ASSURANCE: "By confidence",
    Structure.WRITTEN: "Written",
}


class _Writer:
    """Collects lines of Markdown and what each sentence rests on."""

    def __init__(self, tone: Tone) -> None:
        self.tone = tone
        self.lines: list[str] = []
        self.sentences: list[DraftSentence] = []

    def heading(self, text: str) -> None:
        while self.lines and not self.lines[-1]:
            self.lines.pop()
        self.lines += ["", f"## {literal(text)}", ""] if self.lines else [f"## {literal(text)}", ""]

    def say(self, finding: ResearchFinding, lead: str = "") -> None:
        self.lines.append(f"{lead}{self.sentence(finding)}")

    def sentence(self, finding: ResearchFinding, *, attributed: bool = True) -> str:
        """Return the finding's statement with its mark, and note what it rests on."""
        claim = finding.claim.strip()
        text = attribute(self.tone, finding.source.title, claim) if attributed else claim
        self.sentences.append(DraftSentence(text=text, finding_ids=(finding.id,)))
        return f"{literal(text)} {mark(finding)}"


def attribute(tone: Tone, title: str, claim: str) -> str:
    """Return ``claim`` as ``tone`` introduces it."""
    if tone is Tone.FORMAL:
        return f"According to “{title}”: {claim}"
    if tone is Tone.CONVERSATIONAL:
        return f"“{title}” puts it this way: {claim}"
    return claim


def mark(finding: ResearchFinding) -> str:
    """Return the finding's id as it stands behind a sentence."""
    return f"\\[{literal(finding.id)}\\]"


def drafts(title: str, research: Research, *, tone: Tone, variations: int) -> list[Draft]:
    """Return up to ``variations`` drafts; fewer when the findings carry fewer structures."""
    fitting = [structure for structure in _WRITE if _fits(structure, research)]
    return [_draft(structure, title, research, tone) for structure in fitting[:variations]]


def _fits(structure: Structure, research: Research) -> bool:
    found = research.findings
    if structure is Structure.BRIEF:
        return bool(found)
    if structure is Structure.QUESTIONS:
        return bool(found) and len(research.answers) > 1
    if structure is Structure.BY_SOURCE:
        return len({one.source.document_id for one in found}) > 1
    if structure is Structure.FIGURES:
        return sum(bool(_FIGURE.search(one.claim)) for one in found) > 1
    return len({one.confidence >= _SURE for one in found}) > 1


def _draft(structure: Structure, title: str, research: Research, tone: Tone) -> Draft:
    writer = _Writer(tone)
    _WRITE[structure](writer, research)
    used = {one for sentence in writer.sentences for one in sentence.finding_ids}
    findings = [one for one in research.findings if one.id in used]
    body = "\n".join([f"# {literal(title)}", "", *writer.lines]).rstrip()
    return Draft(
        name=NAMES[structure],
        structure=structure,
        confidence=round(sum(f.confidence for f in findings) / max(len(findings), 1), 3),
        text=f"{body}\n\n{sources(findings)}\n",
        sentences=tuple(writer.sentences),
    )


def sources(findings: Sequence[ResearchFinding]) -> str:
    """Return the list of the places that ``findings`` were taken from."""
    lines = ["## Sources", ""]
    lines += [f"- {mark(one)} {place(one)}" for one in findings]
    return "\n".join(lines)


def place(finding: ResearchFinding) -> str:
    """Return where a quotation stands, in words."""
    under = f", “{literal(finding.source.heading)}”" if finding.source.heading else ""
    where = (
        f"version {finding.source.version}, characters {finding.source.start}–{finding.source.end}"
    )
    return f"{literal(finding.source.title)}{under} ({where})"


def _brief(writer: _Writer, research: Research) -> None:
    first, *rest = sorted(research.findings, key=lambda one: -one.confidence)
    writer.lines += [f"**{writer.sentence(first)}**", ""]
    for finding in rest:
        writer.say(finding, "- ")


def _questions(writer: _Writer, research: Research) -> None:
    for answer in research.answers:
        writer.heading(answer.question)
        found = [one for one in research.findings if one.id in answer.finding_ids]
        for finding in found:
            writer.lines += [writer.sentence(finding), ""]
        if not found:
            writer.lines.append(f"*{UNANSWERED}*")


def _by_source(writer: _Writer, research: Research) -> None:
    for title in dict.fromkeys(one.source.title for one in research.findings):
        writer.heading(title)
        mine = [one for one in research.findings if one.source.title == title]
        mine.sort(key=lambda one: one.source.start)
        # The heading names the source already: one paragraph in the document's own order.
        writer.lines.append(" ".join(writer.sentence(one, attributed=False) for one in mine))


def _figures(writer: _Writer, research: Research) -> None:
    rows = [
        [writer.sentence(one, attributed=False), literal(one.source.title), f"{one.confidence:.2f}"]
        for one in research.findings
        if _FIGURE.search(one.claim)
    ]
    writer.lines.append(table(["Statement", "Document", "Confidence"], rows))


def _assurance(writer: _Writer, research: Research) -> None:
    for title, sure in (("Well supported", True), ("To be checked", False)):
        writer.heading(title)
        for finding in sorted(research.findings, key=lambda one: -one.confidence):
            if (finding.confidence >= _SURE) is sure:
                writer.say(finding, "- ")


_WRITE: dict[Structure, Callable[[_Writer, Research], None]] = {
    Structure.BRIEF: _brief,
    Structure.QUESTIONS: _questions,
    Structure.BY_SOURCE: _by_source,
    Structure.FIGURES: _figures,
    Structure.ASSURANCE: _assurance,
}
