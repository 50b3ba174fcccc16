"""What ``http-task`` and an external worker say to each other, as plain values."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin, urlsplit

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, field_validator
from pydantic.alias_generators import to_camel

from agent_console import HttpFailed, HttpResponse, Json, NonRetryable

PASSING = frozenset({408, 425, 429})  # and every 5xx: another try may do better
MAX_TEXT = 200_000  # characters of stdout and of stderr that are kept, the last ones
MAX_PAUSE = 3_600.0  # seconds a worker may ask to be left alone
LOST = -1  # the exit code of a task whose worker knows nothing of it any more
_SHOWN = 500  # characters of an answer in an error


class Outcome(BaseModel):
    """How a task ended. Exit code 0 is success; ``output`` is whatever the worker made."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore")

    exit_code: int = Field(default=0, ge=-(2**31), lt=2**32)
    stdout: str = ""
    stderr: str = ""
    output: JsonValue = None

    @field_validator("stdout", "stderr")
    @classmethod
    def _kept(cls, text: str) -> str:
        if len(text) > MAX_TEXT:
            text = f"({len(text) - MAX_TEXT} characters left out) …{text[-MAX_TEXT:]}"
        return text.replace("\x00", "\\x00").encode("utf-8", "backslashreplace").decode()


class Passing(HttpFailed):
    """The external worker could not take the call; it may be able to soon."""

    code = "http_failed"

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        """Keep for how many seconds it asked to be left alone."""
        super().__init__(message)
        self.retry_after = retry_after


def outcome(said: object) -> dict[str, Json]:
    """Return the outcome that a worker sent, its defaults filled in.

    Raises:
        NonRetryable: it is none; the message says what is wrong with it.
    """
    try:
        found = Outcome.model_validate(said)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the answer"
        raise NonRetryable(
            f"The external worker sent no outcome: {where}: {first['msg']}."
        ) from error
    return found.model_dump(mode="json", by_alias=True)


def lost(error: NonRetryable) -> dict[str, Json]:
    """Return the outcome of a task that was accepted and of which ``error`` is all that is left."""
    return outcome({"exitCode": LOST, "stderr": error.message})


def reply(url: str, response: HttpResponse) -> dict[str, Json]:
    """Return what an answer means: ``outcome``, or ``pending`` with where and when to ask.

    Raises:
        Passing: another try may do better.
        NonRetryable: the worker refuses the task, or says what cannot be understood.
    """
    status = response.status
    if status == 202:
        return {"pending": True, "poll": _poll(url, response), "retryAfter": _pause(response)}
    if 200 <= status < 300:
        return {"outcome": outcome(_said(response))}
    where = urlsplit(url).netloc
    said = f"{where} answered {status}: {response.text[:_SHOWN]}".rstrip(": ")
    if status >= 500 or status in PASSING:
        raise Passing(said, _pause(response))
    raise NonRetryable(said)


def _said(response: HttpResponse) -> Any:
    """Return the JSON of an answer; text and nothing at all are a worker's stdout."""
    if "json" in response.headers.get("content-type", ""):
        return response.json()
    return {"stdout": response.text}


def _poll(url: str, response: HttpResponse) -> str | None:
    """Return the address to ask for the outcome, of the same origin as ``url``; None: a callback.

    Raises:
        NonRetryable: it leads elsewhere: a worker does not decide whom else this console calls.
    """
    location = response.headers.get("location")
    if not location:
        return None
    target = urljoin(url, location)
    if urlsplit(target)[:2] != urlsplit(url)[:2]:
        raise NonRetryable(f"The external worker wants to be asked elsewhere: {target[:_SHOWN]}.")
    return target


def _pause(response: HttpResponse) -> float | None:
    """Return the seconds of ``Retry-After``; a date, or anything else, counts as none."""
    text = response.headers.get("retry-after", "")
    return min(float(text), MAX_PAUSE) if text.isascii() and text.isdecimal() else None
