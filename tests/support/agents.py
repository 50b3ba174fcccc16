"""Small agents under the names of the console's own: they ask, fail, and finish at once."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from agent_console import JobContext, NonRetryable, handler
from agent_console.runtime.registry import Registry


class Question(BaseModel):
    """What the small research agent is configured with."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=True)

    question: str = Field(min_length=1)
    max_findings: int = Field(5, ge=1, le=20)


@handler("research", input=Question, version="1")
def research(ctx: JobContext) -> dict[str, Any]:
    """Ask for approval of an answer, then keep it."""
    answer = ctx.step("answer", lambda: f"An answer to: {ctx.input.question}")
    decision = ctx.approve("Keep this finding?", data={"answer": answer}, action="keep")
    ctx.artifact("finding.txt", answer, type="research_finding")
    return {"answer": answer, "by": decision.approved_by}


@handler("content", version="1")
def content(ctx: JobContext) -> None:
    """Fail for good."""
    ctx.log("Looking for words")
    raise NonRetryable("no words today")


@handler("reporting", version="1")
def reporting(ctx: JobContext) -> dict[str, Any]:
    """Finish at once."""
    ctx.artifact("report.md", "# Report\n", type="report")
    return {"sections": 1}


@handler("noop", version="1")
def noop(_ctx: JobContext) -> None:
    """Do nothing; not an agent."""


def agents() -> Registry:
    """Return a catalog of the three agents and a handler that is none."""
    return Registry([research, content, reporting, noop])
