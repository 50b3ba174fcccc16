"""A report in Markdown: what was found, what was not, how, and where it stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum

from agent_console.agents.drafts import UNANSWERED, mark, place
from agent_console.agents.findings import Research, ResearchFinding
from agent_console.agents.markdown import literal, table
from agent_console.agents.wording import Told, paragraph

_TOP = 3  # findings that the summary names


class Section(StrEnum):
    """A part of the report."""

    SUMMARY = "summary"
    FINDINGS = "findings"
    GAPS = "gaps"
    METHOD = "method"
    SOURCES = "sources"


def report(
    title: str, research: Research, sections: Sequence[Section], told: Told | None = None
) -> str:
    """Return the report with ``sections`` in that order; ``told`` are a model's words for it."""
    parts = [f"# {literal(title)}"]
    for section in dict.fromkeys(sections):
        parts += [f"## {section.value.capitalize()}", _WRITE[section](research, told)]
    return "\n\n".join(parts) + "\n"


def _summary(research: Research, told: Told | None) -> str:
    answered = sum(bool(answer.finding_ids) for answer in research.answers)
    whole = len(research.answers)
    facts = (
        f"{_count(len(research.findings), 'finding')} from "
        f"{_count(len({f.source.document_id for f in research.findings}), 'document')}; "
        f"{answered} of {_count(whole, 'question')} answered. "
        f"Overall confidence {research.confidence:.2f}."
    )
    if told is not None:
        return f"{facts}\n\n{paragraph(told.summary, research)}"
    best = sorted(research.findings, key=lambda one: -one.confidence)[:_TOP]
    return "\n".join([facts, "", *(f"- {literal(one.claim)} {mark(one)}" for one in best)]).rstrip()


def _findings(research: Research, told: Told | None) -> str:
    by_id = {one.id: one for one in research.findings}
    parts = []
    for answer in research.answers:
        parts.append(f"### {literal(answer.question)}")
        if told is not None and (said := told.about(answer.question)):
            parts.append(paragraph(said, research))
        parts += [_finding(by_id[one]) for one in answer.finding_ids if one in by_id]
        if not answer.finding_ids:
            parts.append(f"*{UNANSWERED}*")
    return "\n\n".join(parts) or "There are none."


def _finding(finding: ResearchFinding) -> str:
    return (
        f"**{mark(finding)}** {literal(finding.claim)}\n\n"
        f"> {literal(finding.quote)}\n>\n"
        f"> — {place(finding)}; confidence {finding.confidence:.2f}"
    )


def _gaps(research: Research, _told: Told | None) -> str:
    lines = []
    for answer in research.answers:
        if not answer.finding_ids:
            lines.append(f"- {literal(answer.question)} {UNANSWERED}")
        elif answer.missing:
            lacking = ", ".join(literal(word) for word in answer.missing)
            lines.append(f"- {literal(answer.question)} No finding speaks of: {lacking}.")
    return "\n".join(lines) or "None: every word of the questions is found in a finding."


def _method(research: Research, _told: Told | None) -> str:
    rows = [
        [literal(one.title), str(one.version), f"`{one.digest[:12]}`"] for one in research.documents
    ]
    read = table(["Document", "Version", "SHA-256"], rows) if rows else "No document was read."
    return f"{literal(research.method)}\n\n{read}".strip()


def _sources(research: Research, _told: Told | None) -> str:
    rows = [[mark(one), place(one), f"{one.confidence:.2f}"] for one in research.findings]
    return table(["Finding", "Place", "Confidence"], rows) if rows else "There are none."


def _count(number: int, word: str) -> str:
    return f"{number} {word if number == 1 else word + 's'}"


_WRITE: dict[Section, Callable[[Research, Told | None], str]] = {
    Section.SUMMARY: _summary,
    Section.FINDINGS: _findings,
    Section.GAPS: _gaps,
    Section.METHOD: _method,
    Section.SOURCES: _sources,
}
