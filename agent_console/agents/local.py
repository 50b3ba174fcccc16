"""The agents' work without a language model: quotations, arrangements of them, a report."""

from __future__ import annotations

from agent_console import JobContext, Json
from agent_console.agents.brief import Brief
from agent_console.agents.drafts import Draft, drafts
from agent_console.agents.feedback import Wishes
from agent_console.agents.findings import Research, research, together, without
from agent_console.agents.report import report
from agent_console.agents.rounds import in_round
from agent_console.agents.tasks import ContentTask, ReportingTask

METHOD = (
    "Made without a language model. Sentences of the documents were ranked by BM25 against each "
    "question and are quoted exactly. The confidence is the share of the question's words that a "
    "quotation holds, rare words counting more, dampened for short questions and low ranks."
)


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
    """Return ``start`` without what was refused and with what the reviews asked for."""
    kept = without(start, wishes.without)
    if not wishes.questions:
        return kept
    name = in_round("search the documents", wishes.round)
    more = Research.model_validate(ctx.step(name, _more, brief, kept, wishes))
    return together(kept, more)


def _more(brief: Brief, kept: Research, wishes: Wishes) -> Json:
    known = {(one.source.document_id, one.source.start) for one in kept.findings}
    found = research(
        brief.topic,
        wishes.questions,
        brief.documents,
        limit=max(3, brief.task.max_findings - len(kept.findings)),
        without=wishes.without | known,
    )
    result: Json = found.model_dump(mode="json", by_alias=True)
    return result


def write(ctx: JobContext, brief: Brief, found: Research, wishes: Wishes) -> list[Draft]:
    """Return the drafts of a round, recorded as one step."""
    task: ContentTask = ctx.input

    def work() -> Json:
        made = drafts(brief.title, found, tone=task.tone, variations=task.variations)
        return [one.model_dump(mode="json", by_alias=True) for one in made]

    done = ctx.step(in_round("write the drafts", wishes.round), work)
    return [Draft.model_validate(one) for one in done]  # type: ignore[union-attr]


def compose(ctx: JobContext, brief: Brief, found: Research, wishes: Wishes) -> str:
    """Return the report of a round, recorded as one step."""
    task: ReportingTask = ctx.input
    return ctx.step(
        in_round("compose the report", wishes.round),
        lambda: report(brief.title, found, task.sections),
    )
