"""One conversation with a language model, until its answer holds or cannot be used."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel
from pydantic_ai import Agent, ModelRetry, Tool
from pydantic_ai.exceptions import UnexpectedModelBehavior, UsageLimitExceeded
from pydantic_ai.usage import UsageLimits

from agent_console import JobContext, NonRetryable
from agent_console.agents.brief import Brief
from agent_console.agents.models import ModelChoice
from agent_console.agents.recorded import connected

T = TypeVar("T", bound=BaseModel)
Call = Callable[..., Awaitable[Any]]

_CORRECTIONS = 2  # times that an answer goes back to the model
_TOLD = 20  # complaints about one answer
_DOUBT = 500  # characters of a reason for a review


def ask(
    ctx: JobContext,
    brief: Brief,
    choice: ModelChoice,
    *,
    want: type[T],
    instructions: str,
    prompt: str,
    complaints: Callable[[T], list[str]],
    tools: Sequence[Call] = (),
) -> T:
    """Return the model's answer, one that there are no ``complaints`` about.

    Every request is a recorded step; ``tools`` record what they do themselves.

    Raises:
        NonRetryable: the model gives no usable answer, or there is no key for it.
    """

    def check(answer: T) -> T:
        if wrong := complaints(answer):
            raise ModelRetry("\n".join(wrong[:_TOLD]))
        return answer

    with connected(ctx, choice) as model:
        agent = Agent(
            model,
            output_type=want,
            instructions=instructions,
            tools=[Tool(tool, sequential=True) for tool in (*tools, _doubting(ctx, brief))],
            retries=_CORRECTIONS,
        )
        agent.output_validator(check)
        limits = UsageLimits(request_limit=brief.definition.model_calls)
        try:
            done = asyncio.run(agent.run(prompt, usage_limits=limits))
        except (UnexpectedModelBehavior, UsageLimitExceeded) as error:
            raise NonRetryable(f"{choice.label} gave no usable answer: {error}") from error
    return done.output


def _doubting(ctx: JobContext, brief: Brief) -> Call:
    """Return the tool by which the model asks for a person, whatever a policy might allow."""

    async def ask_for_review(reason: str) -> str:
        """Ask that a person looks at your result before anything is made of it.

        Args:
            reason: why, in one sentence
        """
        said = ctx.step("tool ask_for_review", lambda: " ".join(reason.split())[:_DOUBT])
        brief.doubts.append(said)
        return "A person will look at your result. Go on."

    return ask_for_review
