"""What a session is asked for, with the documents it works from: fixed before the first step."""

from __future__ import annotations

from dataclasses import dataclass, field

from agent_console import JobContext, NonRetryable
from agent_console.agents.definition import Definition, Strategy
from agent_console.agents.documents import Document, shipped
from agent_console.agents.models import ModelChoice
from agent_console.agents.tasks import ContentTask, ReportingTask, ResearchTask


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """The task of one run; ``given`` says whether the documents are the session's own.

    ``doubts`` grow while a model works: why it asks that a person looks at the result.
    """

    definition: Definition
    task: ResearchTask
    topic: str
    strategy: str
    documents: tuple[Document, ...]
    given: bool
    model: ModelChoice | None
    doubts: list[str] = field(default_factory=list)

    @property
    def title(self) -> str:
        """The heading of what is written."""
        own = self.task.title if isinstance(self.task, ContentTask | ReportingTask) else ""
        return own.strip() or self.topic

    @property
    def threshold(self) -> float:
        """The confidence below which a person is asked."""
        asked = self.task.min_confidence
        return self.definition.thresholds.min_confidence if asked is None else asked


def brief_of(ctx: JobContext, definition: Definition, model: ModelChoice | None) -> Brief:
    """Return the task of this run.

    Raises:
        NonRetryable: nothing says what it is about.
    """
    task: ResearchTask = ctx.input
    topic = " ".join((task.topic or ctx.job.description).split())[:500]
    if not topic and task.questions:
        topic = task.questions[0]
    if not topic:
        raise NonRetryable("Say what this is about: a topic, questions or a task description.")
    given = tuple(
        Document(one.id, one.title, one.version, one.content) for one in ctx.context.documents
    )
    return Brief(
        definition=definition,
        task=task,
        topic=topic,
        strategy=ctx.job.approval_strategy or definition.approval.value,
        documents=given or shipped(),
        given=bool(given),
        model=model,
    )


def asks_between(brief: Brief) -> bool:
    """Say whether what is only a means to the result is put up for review as well."""
    return brief.strategy != Strategy.FINAL_ONLY
