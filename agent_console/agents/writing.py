"""Drafts and the words of reports by a language model, from findings alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from pydantic import BaseModel, Field

from agent_console import JobContext
from agent_console.agents.asking import ask
from agent_console.agents.brief import Brief
from agent_console.agents.drafts import Draft, Structure, sources
from agent_console.agents.feedback import Wishes
from agent_console.agents.findings import Research
from agent_console.agents.markdown import literal
from agent_console.agents.models import ModelChoice
from agent_console.agents.tasks import ContentTask
from agent_console.agents.wording import Said, Told, paragraph, resting_on, sentence, unsupported


class Part(BaseModel):
    """A passage of a draft."""

    heading: str = Field(default="", max_length=200, description="Empty: no heading.")
    bullets: bool = Field(default=False, description="A list instead of a paragraph.")
    sentences: list[Said] = Field(min_length=1, max_length=50)


class Written(BaseModel):
    """One variation of the text."""

    name: str = Field(min_length=1, max_length=60, description="What sets it apart, in few words.")
    parts: list[Part] = Field(min_length=1, max_length=30)

    def said(self) -> Iterator[Said]:
        """Yield all sentences."""
        for part in self.parts:
            yield from part.sentences


class Drafts(BaseModel):
    """The variations, each a whole text of its own."""

    drafts: list[Written] = Field(min_length=1)


def drafts(
    ctx: JobContext,
    brief: Brief,
    found: Research,
    wishes: Wishes,
    *,
    choice: ModelChoice,
    before: Sequence[Draft],
) -> list[Draft]:
    """Return the variations of a round; ``before`` are those that were sent back."""
    task: ContentTask = ctx.input

    def complaints(made: Drafts) -> list[str]:
        wrong = [why for one in made.drafts for why in unsupported(one.said(), found)]
        names = [one.name.strip().casefold() for one in made.drafts]
        if len(names) > task.variations:
            wrong.append(f"{len(names)} drafts are too many: {task.variations} were asked for.")
        if len(set(names)) < len(names):
            wrong.append("Two drafts have the same name.")
        return wrong

    prompt = _prompt(
        f"Title: {brief.title}",
        f"Topic: {brief.topic}",
        f"Tone: {task.tone.value}",
        f"Write {task.variations} draft(s) that differ in structure or emphasis.",
        _findings(found),
        *_review(wishes, [f"{one.name}:\n{one.text}" for one in before]),
    )
    made = ask(
        ctx,
        brief,
        choice,
        want=Drafts,
        instructions=brief.definition.writing,
        prompt=prompt,
        complaints=complaints,
    )
    return [_draft(brief.title, one, found) for one in made.drafts]


def told(
    ctx: JobContext,
    brief: Brief,
    found: Research,
    wishes: Wishes,
    *,
    choice: ModelChoice,
    before: str,
) -> Told:
    """Return the words of a report; ``before`` is the report that was sent back, if one was."""
    asked = [one.question for one in found.answers if one.finding_ids]

    def complaints(made: Told) -> list[str]:
        said = [*made.summary, *(one for answer in made.answers for one in answer.sentences)]
        wrong = unsupported(said, found)
        strange = [one.question for one in made.answers if one.question not in asked]
        return wrong + [f"“{one[:80]}” is none of the questions." for one in strange]

    questions = "\n".join(f"- {one}" for one in asked)
    prompt = _prompt(
        f"Title: {brief.title}",
        f"Topic: {brief.topic}",
        "Write a summary of two to five sentences, and a short answer to each of these questions:"
        f"\n{questions}",
        "The quotations, gaps, method and sources are added to it; do not repeat them.",
        _findings(found),
        *_review(wishes, [before] if before else []),
    )
    return ask(
        ctx,
        brief,
        choice,
        want=Told,
        instructions=brief.definition.writing,
        prompt=prompt,
        complaints=complaints,
    )


def _prompt(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)


def _findings(found: Research) -> str:
    lines = [
        json.dumps(
            {
                "id": one.id,
                "question": one.question,
                "claim": one.claim,
                "quote": one.quote,
                "document": one.source.title,
                "confidence": one.confidence,
            },
            ensure_ascii=False,
        )
        for one in found.findings
    ]
    return "\n".join(["Findings:", *lines])


def _review(wishes: Wishes, before: Sequence[str]) -> list[str]:
    """Return what a reviewer said and what it was said about."""
    if not wishes.notes:
        return []
    notes = "\n".join(f"- {one}" for one in wishes.notes)
    shown = [f"What was sent back:\n\n{text}" for text in before]
    return [*shown, f"A reviewer asked for these changes, the last one now:\n{notes}"]


def _draft(title: str, made: Written, found: Research) -> Draft:
    lines = [f"# {literal(title)}"]
    for part in made.parts:
        if part.heading.strip():
            lines.append(f"## {literal(part.heading)}")
        if part.bullets:
            lines.append("\n".join(f"- {sentence(one, found)}" for one in part.sentences))
        else:
            lines.append(paragraph(part.sentences, found))
    used = {one for said in made.said() for one in said.finding_ids}
    findings = [one for one in found.findings if one.id in used]
    return Draft(
        name=" ".join(made.name.split()),
        structure=Structure.WRITTEN,
        confidence=round(sum(one.confidence for one in findings) / max(len(findings), 1), 3),
        text="\n\n".join([*lines, sources(findings)]) + "\n",
        sentences=tuple(resting_on(one) for one in made.said()),
    )
