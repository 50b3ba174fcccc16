"""``question``: asks a person one thing and returns the answer; needs a decision by its nature."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field, model_validator

from agent_console import JobContext, Json, handler
from agent_console.handlers.inputs import Input

Kind = Literal["yes or no", "one of the choices", "some of the choices", "text", "form"]


class Question(Input):
    """What to ask, and what kind of answer is wanted."""

    question: str = Field(
        min_length=1,
        max_length=2_000,
        description="What a reviewer is asked.",
        examples=["Which colour for the release banner?"],
    )
    kind: Kind = Field("text", title="Answer", description="What can be answered.")
    choices: list[str] = Field(
        default=[], max_length=20, description="To choose from; at least two."
    )
    default: str = Field(
        "",
        max_length=500,
        description="The answer when nobody gives one in time; empty: there is none.",
    )
    minutes: int = Field(
        24 * 60, ge=1, le=525_600, title="Minutes", description="How long to wait for an answer."
    )

    @model_validator(mode="after")
    def fits_its_kind(self) -> Question:
        """Refuse choices that are none, and a default that is no answer of this kind."""
        chosen = "choices" in self.kind
        if chosen and len({one.strip() for one in self.choices} - {""}) < 2:
            raise ValueError("an answer of this kind needs at least two different choices")
        if chosen and self.default and self.default not in self.choices:
            raise ValueError("the default must be one of the choices")
        if self.kind == "yes or no" and self.default not in {"", "yes", "no"}:
            raise ValueError("the default must be yes or no")
        if self.kind == "form" and self.default:
            raise ValueError("a form has no default")
        return self


class Reply(Input):
    """The form: how to go on."""

    verdict: Literal["go ahead", "wait", "stop"] = Field(description="How to go on.")
    until: str | None = Field(
        None, description="If it waits: until which day.", json_schema_extra={"format": "date"}
    )
    people: int = Field(1, ge=0, le=1_000, description="How many people it takes.")
    tell_everybody: bool = Field(False, title="Tell everybody")
    note: str = Field("", max_length=2_000, description="Anything else to know.")


@handler(
    "question",
    input=Question,
    version="1",
    title="Question",
    description="Asks a reviewer a question and returns the answer: yes or no, choices, a text, or"
    " a form.",
    examples=[
        {
            "question": "Which colour for the release banner?",
            "kind": "one of the choices",
            "choices": ["green", "blue", "as last time"],
            "default": "as last time",
            "minutes": 60,
        }
    ],
)
def question(ctx: JobContext) -> dict[str, Json]:
    """Ask, and return what was answered."""
    asked: Question = ctx.input
    answer = _answer(ctx, asked, timedelta(minutes=asked.minutes))
    ctx.info(f"Answered: {asked.question}", {"answer": answer})
    return {"success": True, "question": asked.question, "answer": answer}


def _answer(ctx: JobContext, asked: Question, time: timedelta) -> Json:
    default = asked.default or None
    choices = list(dict.fromkeys(asked.choices))
    if asked.kind == "yes or no":
        preset = None if default is None else default == "yes"
        return ctx.ask(asked.question, answer=bool, default=preset, expires_in=time)
    if asked.kind == "one of the choices":
        return ctx.ask(asked.question, choices=choices, default=default, expires_in=time)
    if asked.kind == "some of the choices":
        some = None if default is None else [default]
        given = ctx.ask(
            asked.question, choices=choices, several=True, default=some, expires_in=time
        )
        return [*given]
    if asked.kind == "form":
        reply = ctx.ask(asked.question, answer=Reply, expires_in=time)
        return reply.model_dump(mode="json", by_alias=True)
    return ctx.ask(asked.question, answer=str, default=default, expires_in=time)
