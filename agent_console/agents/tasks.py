"""What each kind of agent can be asked for: the task configuration of a work session."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema
from pydantic.alias_generators import to_camel

from agent_console.agents.drafts import Tone
from agent_console.agents.findings import ResearchFinding
from agent_console.agents.report import Section

Question = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Findings = Annotated[
    list[ResearchFinding],
    # In a form they are pasted whole: they come out of a research session, nobody types them.
    WithJsonSchema({"type": "array", "items": {"type": "object"}, "default": []}),
]
Part = Annotated[Section, WithJsonSchema({"type": "string", "enum": [*Section]})]

_FINDINGS = (
    "The findings of a research session's output, as JSON. "
    "Without any, the agent searches the documents first."
)


class ResearchTask(BaseModel):
    """Questions to be answered from the documents."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore")

    topic: str = Field(
        default="",
        max_length=500,
        title="Topic",
        description="What this is about. Left empty, the task description is the topic.",
        examples=["Results of the pilot"],
    )
    questions: list[Question] = Field(
        default_factory=list,
        max_length=20,
        title="Questions",
        description="Without any, the topic itself is the question.",
    )
    max_findings: int = Field(
        default=8,
        ge=1,
        le=30,
        title="Most findings",
        description="How many quotations at most, over all questions.",
    )
    min_confidence: float | None = Field(
        default=None,
        ge=0,
        le=1,
        title="Lowest confidence",
        description="Below this, 0 to 1, a person is asked. Empty: the agent's own threshold.",
    )
    request_review: bool = Field(
        default=False,
        title="Always ask a person",
        description="The result goes to a person even where a policy might approve it.",
    )
    budget_usd: float | None = Field(
        default=None,
        gt=0,
        le=1_000_000,
        title="Budget in US dollars",
        description="What language models may cost before a person is asked; empty: no limit.",
    )
    max_tokens: int | None = Field(
        default=None,
        gt=0,
        le=1_000_000_000,
        title="Most tokens",
        description="What language models may use before a person is asked; empty: no limit.",
    )


class WritingTask(ResearchTask):
    """Something to be written from findings."""

    findings: Findings = Field(
        default_factory=list,
        max_length=30,
        title="Findings",
        description=_FINDINGS,
    )
    title: str = Field(
        default="",
        max_length=200,
        title="Title",
        description="The heading. Left empty, the topic.",
    )


class ContentTask(WritingTask):
    """Drafts to be written from findings."""

    tone: Tone = Field(
        default=Tone.PLAIN, title="Tone", description="How the draft introduces its sources."
    )
    variations: int = Field(
        default=3,
        ge=1,
        le=5,
        title="Variations",
        description="Drafts of different structure; fewer if the findings do not carry as many.",
    )


class ReportingTask(WritingTask):
    """A report to be made of findings."""

    sections: list[Part] = Field(
        default_factory=lambda: list(Section),
        min_length=1,
        max_length=5,
        title="Sections",
        description="Out of summary, findings, gaps, method, sources; in this order.",
    )
