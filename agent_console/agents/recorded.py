"""A language model whose every answer is a recorded step: asked once, whatever happens after."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from anyio.from_thread import BlockingPortal, start_blocking_portal
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.messages import ModelMessage, ModelMessagesTypeAdapter, ModelResponse
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings

from agent_console import JobContext, Json, NonRetryable
from agent_console.agents.models import KEYS, ModelChoice

TIMEOUT = 120.0  # seconds one request may take
_TRIES = 2  # repetitions of a request by the client itself, with the waits the server asks for
_PASSING = frozenset({408, 409, 425, 429})  # refusals that another attempt may not meet


class RecordedModel(WrapperModel):
    """Asks ``wrapped`` on ``portal`` and keeps what it answered in the job's record."""

    def __init__(self, wrapped: Model, label: str, ctx: JobContext, portal: BlockingPortal) -> None:
        """Record into ``ctx``, whose thread runs the agent."""
        super().__init__(wrapped)
        self._label, self._ctx, self._portal = label, ctx, portal
        self._count = 0

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """Return the recorded answer, or ask and record it with what it cost."""
        self._count += 1
        self._ctx.progress(None, f"Asking {self._label}, call {self._count}")

        def call() -> Json:
            try:
                response = self._portal.call(
                    self.wrapped.request, messages, model_settings, model_request_parameters
                )
            except ModelHTTPError as error:
                raise _explained(error, self._label) from error
            result: Json = ModelMessagesTypeAdapter.dump_python([response], mode="json")
            return result

        raw = self._ctx.step(f"ask {self._label}, call {self._count}", call)
        (response,) = ModelMessagesTypeAdapter.validate_python(raw)
        if not isinstance(response, ModelResponse):
            raise NonRetryable("The record holds no answer of a model.")
        used = response.usage
        self._ctx.usage(self._label, used.input_tokens, used.output_tokens, _cost(response))
        return response


@contextmanager
def connected(ctx: JobContext, choice: ModelChoice) -> Iterator[RecordedModel]:
    """Yield the chosen model; its connections live on a thread of their own and end with it.

    Raises:
        NonRetryable: there is no key for it.
    """
    with start_blocking_portal() as portal:
        model, client = portal.call(connect, choice)
        try:
            yield RecordedModel(model, choice.label, ctx, portal)
        finally:
            portal.call(client.close)


async def connect(choice: ModelChoice) -> tuple[Model, Any]:
    """Return the chosen model and its client, which the caller closes.

    Raises:
        NonRetryable: there is no key for it.
    """
    key = choice.key()
    if key is None and not choice.base_url:
        raise NonRetryable(f"There is no key for {choice.label}: set {KEYS[choice.provider]}.")
    facts: dict[str, Any] = {
        "api_key": key or "none",  # a server of one's own may not want any
        "base_url": choice.base_url or None,
        "timeout": TIMEOUT,
        "max_retries": _TRIES,
    }
    if choice.provider == "anthropic":
        from anthropic import AsyncAnthropic  # noqa: PLC0415 - half a second, only where it is used
        from pydantic_ai.models.anthropic import AnthropicModel  # noqa: PLC0415
        from pydantic_ai.providers.anthropic import AnthropicProvider  # noqa: PLC0415

        claude = AsyncAnthropic(**facts)
        provider = AnthropicProvider(anthropic_client=claude)
        return AnthropicModel(choice.name, provider=provider), claude
    from openai import AsyncOpenAI  # noqa: PLC0415 - as above
    from pydantic_ai.models.openai import OpenAIChatModel  # noqa: PLC0415
    from pydantic_ai.providers.openai import OpenAIProvider  # noqa: PLC0415

    client = AsyncOpenAI(**facts)
    return OpenAIChatModel(choice.name, provider=OpenAIProvider(openai_client=client)), client


def _explained(error: ModelHTTPError, label: str) -> Exception:
    """Return what the job should carry: a refusal that repeats is not tried again."""
    said = f"{label} answered {error.status_code}."
    if error.status_code < 500 and error.status_code not in _PASSING:
        return NonRetryable(said)
    return ConnectionError(said)


def _cost(response: ModelResponse) -> float:
    """Return US dollars by the public price list; 0 for models it does not know."""
    try:
        return float(response.cost().total_price)
    except (LookupError, AssertionError, ValueError):
        return 0.0
