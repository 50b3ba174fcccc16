"""What the three kinds of agents do, from the task to the approved result."""

from __future__ import annotations

import json
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from agent_console import JobContext, Json
from agent_console.agents import local
from agent_console.agents.brief import Brief, asks_between, brief_of
from agent_console.agents.definition import Definition
from agent_console.agents.drafts import Draft
from agent_console.agents.feedback import Wishes
from agent_console.agents.findings import MAX_NAME, Research, from_findings, sources_of
from agent_console.agents.models import ModelChoice
from agent_console.agents.rounds import Result, Settled, publish_findings, settle
from agent_console.agents.tasks import ContentTask, ReportingTask
from agent_console.agents.wording import CHECKED


class EditedReport(BaseModel):
    """A report as a reviewer may change it."""

    model_config = ConfigDict(extra="forbid")

    title: str = Field(min_length=1, max_length=500)
    markdown: str = Field(min_length=1, max_length=500_000)


def run_research(
    ctx: JobContext, definition: Definition, model: ModelChoice | None = None
) -> dict[str, Json]:
    """Search, show the findings, and return those that were approved."""
    brief = _begin(ctx, definition, model)

    def make(wishes: Wishes) -> Result:
        found = local.find(ctx, brief, wishes)
        ctx.progress(0.7, f"{_count(len(found.findings), 'finding')} to be reviewed")
        return _findings_result(ctx, brief, found)

    done = settle(ctx, brief, make)
    return {**_dump(done.result.shown), **_outcome(brief, done)}


def run_content(
    ctx: JobContext, definition: Definition, model: ModelChoice | None = None
) -> dict[str, Json]:
    """Take or find findings, write drafts that differ in structure, return the approved ones."""
    brief = _begin(ctx, definition, model)
    found = _material(ctx, brief)
    tone, made = ctx.input.tone.value, list[Draft]()

    def make(wishes: Wishes) -> Result:
        nonlocal found, made
        found = local.widen(ctx, brief, found, wishes)
        made = local.write(ctx, brief, found, wishes, made)
        ctx.progress(0.8, f"{_count(len(made), 'draft')} to be reviewed")
        document: dict[str, Json] = {
            "title": brief.title,
            "tone": tone,
            "variations": [one.model_dump(mode="json", by_alias=True) for one in made],
        }
        if brief.model is not None and made:
            document["method"] = f"The drafts were {CHECKED}".format(label=brief.model.label)
        return Result(
            action=f"Accept {_count(len(made), 'draft')} of “{brief.title}”"[:300],
            question="Are these drafts good to use?",
            shown=document,
            confidence=_confidence(found, made),
            findings=found.findings,
            texts=[one.text for one in made],
            save=lambda wishes: [_save_drafts(ctx, document, found, wishes)],
        )

    done = settle(ctx, brief, make)
    return {**_dump(done.result.shown), **_outcome(brief, done)}


def run_reporting(
    ctx: JobContext, definition: Definition, model: ModelChoice | None = None
) -> dict[str, Json]:
    """Take or find findings, compose a report, return it as approved."""
    brief = _begin(ctx, definition, model)
    found = _material(ctx, brief)
    text = ""

    def make(wishes: Wishes) -> Result:
        nonlocal found, text
        found = local.widen(ctx, brief, found, wishes)
        text = local.compose(ctx, brief, found, wishes, text)
        ctx.progress(0.8, "The report is to be reviewed")
        return Result(
            action=f"Publish the report “{brief.title}”"[:300],
            question="Is this report good to publish?",
            shown={"title": brief.title, "markdown": text},
            confidence=found.confidence,
            findings=found.findings,
            texts=[text],
            save=lambda wishes: [_save_report(ctx, brief.title, text, found, wishes)],
            edit=EditedReport,
        )

    done = settle(ctx, brief, make)
    outcome = _outcome(brief, done)
    final = EditedReport.model_validate(done.decision.data)
    if done.decision.edited:
        outcome["artifactIds"] = [_save_edited(ctx, brief.title, final, done)]
    return {"title": final.title, "markdown": final.markdown, **outcome}


def _begin(ctx: JobContext, definition: Definition, model: ModelChoice | None) -> Brief:
    brief = brief_of(ctx, definition, model)
    whose = "given documents" if brief.given else "shipped example documents: none were given"
    read = f"{_count(len(brief.documents), 'document')} ({whose})"
    ctx.log(f"Working from {read}, with {model.label if model else 'no model'}")
    ctx.progress(0.1, "Searching the documents")
    return brief


def _material(ctx: JobContext, brief: Brief) -> Research:
    """Return the findings to work with: given, or searched and, by strategy, reviewed first."""
    task = brief.task
    if isinstance(task, ContentTask | ReportingTask) and task.findings:
        return from_findings(brief.topic, task.findings, sources_of(brief.documents))
    if not asks_between(brief):
        found = local.find(ctx, brief, Wishes())
        publish_findings(ctx, found, Wishes())
        return found
    last: list[Research] = []

    def make(wishes: Wishes) -> Result:
        last.append(local.find(ctx, brief, wishes))
        return _findings_result(ctx, brief, last[-1])

    settle(ctx, brief, make)
    ctx.progress(0.5, "Writing")
    return last[-1]


def _findings_result(ctx: JobContext, brief: Brief, found: Research) -> Result:
    return Result(
        action=f"Accept {_count(len(found.findings), 'finding')} on “{brief.topic}”"[:300],
        question="Are these findings right, and do they answer the questions?",
        shown=found.model_dump(mode="json", by_alias=True),
        confidence=found.confidence,
        findings=found.findings,
        texts=[one.quote for one in found.findings],
        save=lambda wishes: publish_findings(ctx, found, wishes),
    )


def _save_drafts(
    ctx: JobContext, document: dict[str, Json], found: Research, wishes: Wishes
) -> str:
    return ctx.artifact(
        "Drafts",
        json.dumps(document, ensure_ascii=False, indent=2) + "\n",
        type="content_draft",
        media_type="application/json",
        metadata=_facts(found, wishes.round),
    )


def _save_report(ctx: JobContext, title: str, text: str, found: Research, wishes: Wishes) -> str:
    return ctx.artifact(
        title[:MAX_NAME],
        text,
        type="report",
        media_type="text/markdown",
        metadata=_facts(found, wishes.round),
    )


def _save_edited(ctx: JobContext, title: str, final: EditedReport, done: Settled) -> str:
    """Save the reviewer's text as one more version of the report, under the report's name."""
    return ctx.artifact(
        title[:MAX_NAME],
        final.markdown,
        type="report",
        media_type="text/markdown",
        metadata={"round": done.wishes.round, "editedBy": done.decision.approved_by},
    )


def _facts(found: Research, number: int) -> dict[str, Json]:
    places: list[Json] = [
        one.source.model_dump(mode="json", by_alias=True) for one in found.findings
    ]
    return {"confidence": found.confidence, "sources": places, "round": number}


def _confidence(found: Research, made: Sequence[Draft]) -> float:
    """Return the confidence of what the drafts rest on; without drafts there is none."""
    return found.confidence if made else 0.0


def _outcome(brief: Brief, done: Settled) -> dict[str, Json]:
    return {
        "confidence": done.result.confidence,
        "artifactIds": [*done.artifacts],
        "rounds": done.wishes.round,
        "approvedBy": done.decision.approved_by,
        "shippedDocuments": not brief.given,
    }


def _dump(shown: Json) -> dict[str, Json]:
    return dict(shown) if isinstance(shown, dict) else {}


def _count(number: int, word: str) -> str:
    return f"{number} {word if number == 1 else word + 's'}"
