"""Sentences that a model words, each resting on findings that are named and can be looked at.

What a sentence says cannot be checked by a program. Whether it names findings that exist, and
whether its figures stand in them, can.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from pydantic import BaseModel, Field

from agent_console.agents.drafts import DraftSentence, mark
from agent_console.agents.findings import Research, ResearchFinding
from agent_console.agents.markdown import literal

CHECKED = (
    "worded by {label} from the findings alone. Every sentence names the findings it rests on, "
    "and every figure in it stands in one of them; whether it says what they say is for the "
    "reader to judge."
)
_FIGURE = re.compile(r"\d+(?:[.,:]\d+)*")
_GROUPS = re.compile(r"(?<=\d)[,.'’\u00a0\u202f ](?=\d{3}(?!\d))")  # 1,200 and 1 200 are 1200


class Said(BaseModel):
    """A sentence with the findings it rests on."""

    text: str = Field(min_length=1, max_length=2_000, description="One sentence, no Markdown.")
    finding_ids: list[str] = Field(description="The findings that say this, such as F1.")


class Answered(BaseModel):
    """What is said about one question."""

    question: str = Field(description="One of the questions, word for word.")
    sentences: list[Said] = Field(min_length=1, max_length=30)


class Told(BaseModel):
    """The words of a report: a summary, and an answer per question that findings answer."""

    summary: list[Said] = Field(min_length=1, max_length=10)
    answers: list[Answered] = Field(max_length=30)

    def about(self, question: str) -> list[Said]:
        """Return what is said about ``question``."""
        return [said for one in self.answers if one.question == question for said in one.sentences]


def unsupported(sentences: Iterable[Said], research: Research) -> list[str]:
    """Return a complaint for every sentence that its findings do not carry."""
    known = {one.id: one for one in research.findings}
    return [why for said in sentences if (why := _complaint(said, known))]


def _complaint(said: Said, known: dict[str, ResearchFinding]) -> str:
    quoted = f"“{said.text[:80]}”"
    if not said.finding_ids:
        return f"{quoted} names no finding. Leave out what no finding says."
    if strange := [one for one in said.finding_ids if one not in known]:
        return f"{quoted} names {', '.join(strange)}, which does not exist."
    sources = " ".join(_held(known[one]) for one in said.finding_ids)
    if invented := sorted(figures(said.text) - figures(sources)):
        return f"{quoted} has {', '.join(invented)}, which its findings do not have."
    return ""


def _held(finding: ResearchFinding) -> str:
    return f"{finding.claim}\n{finding.quote}\n{finding.source.heading}"


def figures(text: str) -> set[str]:
    """Return the numbers in ``text`` without the marks that group their digits."""
    return set(_FIGURE.findall(_GROUPS.sub("", text)))


def sentence(said: Said, research: Research) -> str:
    """Return a sentence as Markdown that shows it as it is, with the marks of its findings."""
    known = {one.id: one for one in research.findings}
    marks = "".join(mark(known[one]) for one in dict.fromkeys(said.finding_ids) if one in known)
    return f"{literal(said.text)} {marks}".strip()


def paragraph(sentences: Sequence[Said], research: Research) -> str:
    """Return ``sentences`` as one paragraph of Markdown."""
    return " ".join(sentence(one, research) for one in sentences)


def resting_on(said: Said) -> DraftSentence:
    """Return the sentence as a part of a draft."""
    return DraftSentence(text=said.text, finding_ids=tuple(dict.fromkeys(said.finding_ids)))
