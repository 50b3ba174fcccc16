"""The agents' work without a language model: quotations, arrangements of them, a report."""

from __future__ import annotations

from collections.abc import Sequence

from agent_console import JobContext, Json
from agent_console.agents.brief import Brief
from agent_console.agents.drafts import Draft, drafts
from agent_console.agents.feedback import Wishes
from agent_console.agents.findings import Research, research, together, without
from agent_console.agents.report import Section, report
from agent_console.agents.rounds import in_round
from agent_console.agents.tasks import ContentTask, ReportingTask
from agent_console.agents.wording import CHECKED

METHOD = (
    "Made without a language model. Sentences of the documents were ranked by BM25 against each "
    "question and are quoted exactly. The confidence is the share of the question's words that a "
    "quotation holds, rare words counting more, dampened for short questions and low ranks."
)

_WORDED = {Section.SUMMARY, Section.FINDINGS}  # sections that a model has words for


def find(ctx: JobContext, brief: Brief, wishes: Wishes) -> Research:
    """Return the findings of a round: by the model, else recorded as one step."""
    if brief.model is not None:
        from agent_console.agents import assisted  # noqa: PLC0415 - half a second to import

        return assisted.find(ctx, brief, wishes, brief.model)
    name = in_round("search the documents", wishes.round)
    return Research.model_validate(ctx.step(name, _search, brief, wishes))


def _search(brief: Brief, wishes: Wishes) -> Json:
    task = brief.task
    found = research(
        brief.topic,
        [*(task.questions or [brief.topic]), *wishes.questions],
        brief.documents,
        limit=task.max_findings,
        without=wishes.without,
    ).model_copy(update={"method": METHOD})
    result: Json = found.model_dump(mode="json", by_alias=True)
    return result


def widen(ctx: JobContext, brief: Brief, start: Research, wishes: Wishes) -> Research:
    """Return ``start``, of the round before, as the last review wants it.

    Less what it refuses, with what it asks to be looked up: by the model, else one step.
    """
    kept = without(start, wishes.without)
    if brief.model is not None:
        from agent_console.agents import assisted  # noqa: PLC0415 - half a second to import

        return assisted.widen(ctx, brief, kept, wishes, brief.model)
    if not wishes.fresh:
        return kept
    name = in_round("search the documents", wishes.round)
    more = Research.model_validate(ctx.step(name, _more, brief, kept, wishes))
    return together(kept, more)


def _more(brief: Brief, kept: Research, wishes: Wishes) -> Json:
    known = {(one.source.document_id, one.source.start) for one in kept.findings}
    found = research(
        brief.topic,
        wishes.fresh,
        brief.documents,
        limit=max(3, brief.task.max_findings - len(kept.findings)),
        without=wishes.without | known,
    )
    result: Json = found.model_dump(mode="json", by_alias=True)
    return result


def write(
    ctx: JobContext, brief: Brief, found: Research, wishes: Wishes, before: Sequence[Draft]
) -> list[Draft]:
    """Return the drafts of a round: by the model, else recorded as one step.

    ``before`` are the drafts that were sent back.
    """
    task: ContentTask = ctx.input
    if brief.model is not None and found.findings:
        from agent_console.agents import writing  # noqa: PLC0415 - half a second to import

        return writing.drafts(ctx, brief, found, wishes, choice=brief.model, before=before)

    def work() -> Json:
        made = drafts(brief.title, found, tone=task.tone, variations=task.variations)
        return [one.model_dump(mode="json", by_alias=True) for one in made]

    done = ctx.step(in_round("write the drafts", wishes.round), work)
    return [Draft.model_validate(one) for one in done]  # type: ignore[union-attr]


def compose(ctx: JobContext, brief: Brief, found: Research, wishes: Wishes, before: str) -> str:
    """Return the report of a round, recorded as one step; a model words its summary and answers.

    ``before`` is the report that was sent back, if one was.
    """
    task: ReportingTask = ctx.input
    told = None
    if brief.model is not None and found.findings and _WORDED & {*task.sections}:
        from agent_console.agents import writing  # noqa: PLC0415 - half a second to import

        told = writing.told(ctx, brief, found, wishes, choice=brief.model, before=before)
        worded = f"The summary and the answers were {CHECKED}".format(label=brief.model.label)
        method = f"{found.method} {worded}".strip()
        found = found.model_copy(update={"method": method})
    return ctx.step(
        in_round("compose the report", wishes.round),
        lambda: report(brief.title, found, task.sections, told),
    )
