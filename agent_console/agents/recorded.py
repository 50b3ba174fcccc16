"""A language model whose every answer is a recorded step: asked once, whatever happens after."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any

from anyio import sleep
from anyio.from_thread import BlockingPortal, start_blocking_portal
from pydantic_ai.exceptions import (
    ModelAPIError,
    ModelHTTPError,
    ModelRequestRejectedError,
    UnexpectedModelBehavior,
)
from pydantic_ai.messages import ModelMessage, ModelMessagesTypeAdapter, ModelResponse, ToolCallPart
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings
from pydantic_core import from_json

from agent_console import JobContext, Json, NonRetryable, RetryLater
from agent_console.agents.live import readable
from agent_console.agents.models import KEYS, ModelChoice

TIMEOUT = 120.0  # seconds in which something must arrive
_TRIES = 2  # repetitions of a request within one attempt of the job
_PATIENCE = 20.0  # seconds that such a repetition is waited for; beyond, the job is put off
_PASSING = frozenset({408, 409, 425, 429})  # refusals that another attempt may not meet
_LONGEST = 3_600.0  # seconds a server may put a job off
_PACE = 0.2  # seconds between two looks at an answer that is being written

_Asked = tuple[list[ModelMessage], ModelSettings | None, ModelRequestParameters]


class RecordedModel(WrapperModel):
    """Asks ``wrapped`` on ``portal`` and keeps what it answered in the job's record."""

    def __init__(
        self, wrapped: Model, choice: ModelChoice, ctx: JobContext, portal: BlockingPortal
    ) -> None:
        """Record into ``ctx``, whose thread runs the agent."""
        super().__init__(wrapped)
        self._label, self._streams = choice.label, choice.streams
        self._ctx, self._portal = ctx, portal
        self._count = 0

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """Return the recorded answer, or ask and record it with what it cost."""
        self._count += 1
        name = f"ask {self._label}, call {self._count}"
        self._ctx.progress(None, f"Asking {self._label}, call {self._count}")
        asked = (messages, model_settings, model_request_parameters)
        raw = self._ctx.step(name, lambda: self._ask(*asked))
        self._ctx.preview("")
        (response,) = ModelMessagesTypeAdapter.validate_python(raw)
        if not isinstance(response, ModelResponse):
            raise NonRetryable("The record holds no answer of a model.")
        used = response.usage
        self._ctx.usage(self._label, used.input_tokens, used.output_tokens, _cost(response))
        return response

    def _ask(
        self,
        messages: list[ModelMessage],
        settings: ModelSettings | None,
        parameters: ModelRequestParameters,
    ) -> Json:
        """Ask on the portal's thread; show here, on the job's, what is being written.

        A run that is ended meanwhile lets go of the request.
        """
        said: SimpleQueue[str | None] = SimpleQueue()
        asked = (messages, settings, parameters)
        answer = self._portal.start_task_soon(self._patiently, asked, said.put)
        answer.add_done_callback(lambda _: said.put(None))
        try:
            self._show(said)
            response = answer.result()
        except ModelAPIError as error:
            raise _explained(error, self._label) from error
        finally:
            answer.cancel()
        if not response.usage.has_values():
            self._ctx.log(f"{self._label} does not say how many tokens it used", "WARNING")
        result: Json = ModelMessagesTypeAdapter.dump_python([response], mode="json")
        return result

    def _show(self, said: SimpleQueue[str | None]) -> None:
        """Show what is ``said`` until None; looks at the run in pauses as well."""
        text: str | None = ""
        while text is not None:
            self._ctx.preview(text)
            try:
                text = said.get(timeout=2 * _PACE)
            except Empty:
                continue

    async def _patiently(self, asked: _Asked, say: Callable[[str], None]) -> ModelResponse:
        """Ask again after short waits, such as a rate limit of seconds."""
        work = self._streamed if self._streams else self._whole
        for number in range(_TRIES):
            try:
                return await work(asked, say)
            except ModelAPIError as error:
                wait = _wait(error, number)
                if wait is None:
                    raise
                say(f"{self._label} could not answer yet and will be asked again.")
                await sleep(wait)
        return await work(asked, say)

    async def _whole(self, asked: _Asked, say: Callable[[str], None]) -> ModelResponse:
        say(f"{self._label} is at work.")
        return await self.wrapped.request(*asked)

    async def _streamed(self, asked: _Asked, say: Callable[[str], None]) -> ModelResponse:
        due = 0.0
        broken = ConnectionError(f"The answer of {self._label} broke off.")
        try:
            async with self.wrapped.request_stream(*asked) as stream:
                async for _ in stream:
                    if (now := monotonic()) >= due:
                        due = now + _PACE
                        say(readable(stream.get()))
                response = stream.get()
        except UnexpectedModelBehavior as error:  # it ended before it began
            raise broken from error
        if not _whole(response):
            raise broken
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
            yield RecordedModel(model, choice, ctx, portal)
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
        "max_retries": 0,  # some clients wait as long as a server asks, holding the worker
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


def _explained(error: ModelAPIError, label: str) -> Exception:
    """Return what the job should carry: a refusal that repeats is not tried again."""
    if not isinstance(error, ModelHTTPError):
        refused = isinstance(error, ModelRequestRejectedError)
        said = f"{label} could not answer: {error}"
        return NonRetryable(said) if refused else ConnectionError(said)
    said = f"{label} answered {error.status_code}."
    if not _passes(error):
        return NonRetryable(said)
    later = _asked_wait(error)
    return RetryLater(said, after=min(later, _LONGEST)) if later else ConnectionError(said)


def _passes(error: ModelAPIError) -> bool:
    """Say whether a repetition of the request may fare better."""
    if isinstance(error, ModelHTTPError):
        return error.status_code >= 500 or error.status_code in _PASSING
    return not isinstance(error, ModelRequestRejectedError)


def _wait(error: ModelAPIError, number: int) -> float | None:
    """Return the seconds until the request is worth repeating at once; None: it is not.

    What has begun to answer is not asked again here: that is another attempt of the job.
    """
    if error.in_stream or not _passes(error):
        return None
    seconds = _asked_wait(error) or 0.5 * 2**number
    return seconds if seconds <= _PATIENCE else None


def _asked_wait(error: ModelAPIError) -> float:
    """Return the seconds that the server asks to wait, else 0."""
    headers = (error.headers if isinstance(error, ModelHTTPError) else None) or {}
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        if (text := headers.get(name, "").strip()).isdecimal():
            return int(text) * unit
    return 0.0


def _whole(response: ModelResponse) -> bool:
    """Say whether a streamed answer has come to its end, as far as one can tell.

    Some servers never say that they have ended: then calls of tools must at least be JSON.
    """
    if response.state != "complete":
        return False
    if "finish_reason" in (response.provider_details or {}):
        return True
    return all(_is_json(part.args) for part in response.parts if isinstance(part, ToolCallPart))


def _is_json(arguments: object) -> bool:
    if not isinstance(arguments, str):
        return True
    try:
        from_json(arguments)
    except ValueError:
        return False
    return True


def _cost(response: ModelResponse) -> float:
    """Return US dollars by the public price list; 0 for models it does not know."""
    try:
        return float(response.cost().total_price)
    except (LookupError, AssertionError, ValueError):
        return 0.0
