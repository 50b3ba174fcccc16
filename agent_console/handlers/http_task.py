"""``http-task``: has a worker elsewhere do the task, over HTTP, and waits for its outcome."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import cast
from urllib.parse import urlsplit

from pydantic import Field, JsonValue
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    wait_exponential,
    wait_random,
)

from agent_console import (
    Callback,
    CircuitOpen,
    ConsoleError,
    HttpFailed,
    JobContext,
    Json,
    NonRetryable,
    RetryPolicy,
    handler,
)
from agent_console.handlers.http_worker import lost, outcome, reply
from agent_console.handlers.inputs import Input

TRIES = 3
BACKOFF = 0.1  # seconds before the second try; it doubles
JITTER = 0.05
LONGEST_POLL = 60.0  # seconds between two polls, unless the worker or the task asks for more
ASKING = frozenset({"checkpoint_required", "auto_approve_low_risk"})


class HttpTask(Input):
    """A task for an external worker."""

    url: str = Field(
        min_length=1,
        max_length=2_000,
        title="Address",
        description="Where the external worker takes tasks. Its host must be on the list of"
        " allowed ones.",
        examples=["https://worker.example.com/tasks"],
    )
    task: dict[str, JsonValue] = Field(
        default_factory=dict, title="Task", description="What the worker is to do, as JSON."
    )
    timeout_seconds: float = Field(
        default=3_600,
        gt=0,
        le=30 * 86_400,
        title="Time limit",
        description="Seconds to wait for the outcome of a task that the worker has accepted.",
    )
    poll_seconds: float = Field(
        default=2,
        ge=0.05,
        le=3_600,
        title="Poll interval",
        description="Seconds until the worker is asked for the outcome; the pauses grow.",
    )
    signing_key: str | None = Field(
        default=None,
        max_length=128,
        title="Signing key",
        description="Name of the secret that requests are signed with, when there are several.",
    )


class TaskFailed(ConsoleError):
    """The external worker ended the task with an exit code other than 0."""

    code = "task_failed"


class OutcomeLate(ConsoleError):
    """The outcome did not come in time."""

    code = "outcome_late"


@handler(
    "http-task",
    input=HttpTask,
    version="1",
    title="HTTP task",
    description="Hands the task to an external worker over HTTP and waits for its outcome.",
    retry=RetryPolicy(max_attempts=1),
    examples=[{"url": "https://worker.example.com/tasks", "task": {"command": "report"}}],
)
def http_task(ctx: JobContext) -> dict[str, Json]:
    """Return the outcome: ``exitCode``, ``stdout``, ``stderr`` and ``output``."""
    task: HttpTask = ctx.input
    where = urlsplit(task.url).netloc
    if ctx.job.approval_strategy in ASKING:
        ctx.approve(
            f"Hand this task to {where}?",
            action=f"POST the task to {task.url}",
            data={"url": task.url, "task": cast("Json", task.task)},
        )
    while True:
        found = _Delivery(ctx, task, where).outcome()
        attempt = cast("int", found.pop("attempt"))
        if found["exitCode"] == 0:
            return found
        _fail(ctx, found, attempt)


def _fail(ctx: JobContext, found: dict[str, Json], attempt: int) -> None:
    """Keep the outcome for people to read, and fail the ``attempt`` that got it.

    A later attempt returns from here: the task is handed out anew, under another key.
    """
    code = found["exitCode"]
    ctx.artifact("outcome.json", json.dumps(found, indent=2), media_type="application/json")

    def judge() -> str:
        if ctx.job.attempt > attempt:
            return "to be handed out again"
        last = cast("str", found["stderr"]).strip().splitlines()[-1:]
        raise TaskFailed(": ".join([f"The task ended with exit code {code}", *last]))

    ctx.step(f"exit code {code}", judge)


class _Delivery:
    """One handing out of the task. Its calls are steps; what varies happens inside of them."""

    def __init__(self, ctx: JobContext, task: HttpTask, where: str) -> None:
        self._ctx, self._task, self._where = ctx, task, where
        self._callback: Callback = ctx.callback("outcome")
        self._key = ctx.idempotency_key  # of the step that posts: the same in every try of it
        self._waited = 0.0  # seconds

    def outcome(self) -> dict[str, Json]:
        """Return the outcome, with the attempt that got it."""
        accepted, poll, pause = False, None, self._task.poll_seconds
        while True:
            if not accepted:
                said = self._ctx.step(f"POST {self._where}", self._look, self._post)
            elif poll is not None:
                said = self._ctx.step(f"GET {self._where}", self._look, partial(self._get, poll))
            else:
                said = self._ctx.step("look for the callback", self._look, _nothing_new)
            if "outcome" in said:
                return cast("dict[str, Json]", said["outcome"])
            accepted = accepted or bool(said.get("pending"))
            poll = cast("str | None", said.get("poll")) or poll
            answer = self._wait(cast("float | None", said.get("retryAfter")), pause)
            pause = min(pause * 1.5, max(LONGEST_POLL, self._task.poll_seconds))
            if answer is not None:
                return self._ctx.step("take the callback", self._dated, _understood(answer))

    def _wait(self, asked: float | None, pause: float) -> dict[str, Json] | None:
        """Wait for the callback until the next look is due, never beyond the time limit."""
        left = max(0.0, self._task.timeout_seconds - self._waited)
        seconds = min(pause if asked is None else max(asked, 0.05), left)
        self._waited += seconds
        return self._ctx.wait_for(self._callback, seconds)

    def _dated(self, found: dict[str, Json]) -> dict[str, Json]:
        return {**found, "attempt": self._ctx.job.attempt}

    def _look(self, call: Callable[[], dict[str, Json]]) -> dict[str, Json]:
        """Return what is known after a ``call``: an outcome, or how long to wait for one.

        A failure that raises is not recorded: the next attempt makes the same call again.
        """
        answer = self._callback.peek()
        if answer is not None:
            return {"outcome": self._dated(_understood(answer))}
        said = self._ask(call)
        if "outcome" in said:
            return {"outcome": self._dated(cast("dict[str, Json]", said["outcome"]))}
        if self._waited >= self._task.timeout_seconds:
            limit = f"{self._task.timeout_seconds:g} s"
            why = f": {said['said']}" if "said" in said else ""
            raise OutcomeLate(f"No outcome of {self._where} within {limit} of waiting{why}")
        return said

    def _ask(self, call: Callable[[], dict[str, Json]]) -> dict[str, Json]:
        try:
            return _retrying(self._ctx)(call)
        except (CircuitOpen, HttpFailed) as error:
            pause = getattr(error, "retry_after", None)
            if pause is None and call == self._post:
                raise
            # A worker that has the task is asked until the time is over, whatever happens to it.
            return {"retryAfter": pause, "said": error.message}
        except NonRetryable as error:
            if call == self._post:
                raise
            return {"outcome": lost(error)}

    def _post(self) -> dict[str, Json]:
        ctx, task = self._ctx, self._task
        message: dict[str, Json] = {
            "jobId": ctx.job.id,
            "jobType": ctx.job.type,
            "taskDescription": ctx.job.description,
            "task": cast("Json", task.task),
            "idempotencyKey": self._key,
            "callback": {"url": self._callback.url, "token": self._callback.token()},
        }
        answer = ctx.http.post(
            task.url,
            message,
            headers={"idempotency-key": self._key},
            signing_key=task.signing_key,
            message_id=self._key,
        )
        return reply(task.url, answer)

    def _get(self, url: str) -> dict[str, Json]:
        answer = self._ctx.http.get(
            url,
            headers={"idempotency-key": self._key},
            signing_key=self._task.signing_key,
            message_id=self._key,
        )
        return reply(url, answer)


def _understood(answer: dict[str, Json]) -> dict[str, Json]:
    try:
        return outcome(answer)
    except NonRetryable as error:
        return lost(error)


def _nothing_new() -> dict[str, Json]:
    return {"pending": True}


def _retrying(ctx: JobContext) -> Retrying:
    """Return what makes three tries, 100 and 200 ms and a little chance apart."""

    def tell(state: RetryCallState) -> None:
        failed = state.outcome.exception() if state.outcome else None
        if failed is not None:
            ctx.log(f"Try {state.attempt_number} of {TRIES}: {failed}", level="WARNING")

    return Retrying(
        stop=stop_after_attempt(TRIES),
        wait=wait_exponential(multiplier=BACKOFF) + wait_random(0, JITTER),
        retry=retry_if_exception(_again_at_once),
        after=tell,
        reraise=True,
    )


def _again_at_once(error: BaseException) -> bool:
    """Say whether another try may help; a worker that asked for a pause is given it."""
    return isinstance(error, HttpFailed) and getattr(error, "retry_after", None) is None
