"""Errors as values: of a failed run for its job's row, of a failed step for its record."""

from __future__ import annotations

import sys
import traceback
from typing import NoReturn

from pydantic import ValidationError

from agent_console.domain.errors import ConsoleError
from agent_console.domain.jobs import JobError, Json
from agent_console.domain.redaction import redact_text
from agent_console.runtime.notebook import storable_text

MAX_TRACEBACK = 16_000  # characters
MAX_MESSAGE = 4_000
_ENGINE = __package__ or ""


class StepFailed(ConsoleError):
    """A recorded step failed in an earlier run."""

    code = "step_failed"


def job_error(error: BaseException) -> JobError:
    """Return ``error`` for the job's row: secrets out, the engine's own frames left out."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_globals.get("__package__") == _ENGINE:
        trace = trace.tb_next
    lines = traceback.format_exception(type(error), error, trace or error.__traceback__)
    text = "".join(lines)
    if len(text) > MAX_TRACEBACK:  # the end names the error, the beginning how it got there
        text = f"{text[:2_000]}\n…\n{text[-(MAX_TRACEBACK - 2_000) :]}"
    return JobError(
        type=type(error).__name__,
        message=_message(error),
        traceback=storable_text(redact_text(text), MAX_TRACEBACK + 10),
    )


def failure_result(error: Exception) -> Json:
    """Return what the record keeps of the error of a step."""
    return {
        "module": type(error).__module__,
        "type": type(error).__qualname__,
        "message": _message(error),
    }


def raise_again(result: Json) -> NoReturn:
    """Raise the recorded error: of its own type where that is loaded, so that the same
    ``except`` clause catches it, otherwise as ``StepFailed``.
    """  # noqa: D205
    kept = result if isinstance(result, dict) else {}
    name, message = str(kept.get("type", "")), str(kept.get("message", ""))
    error = _made_again(str(kept.get("module", "")), name, message)
    raise error or StepFailed(f"{name}: {message}")


def _made_again(module: str, name: str, message: str) -> Exception | None:
    """Return an error of the class ``name`` in ``module``, or None if that cannot be done."""
    kind: object = sys.modules.get(module)
    for part in name.split("."):
        kind = getattr(kind, part, None)
    if not (isinstance(kind, type) and issubclass(kind, Exception)):
        return None
    try:
        if issubclass(kind, ValidationError):
            return kind.from_exception_data(message, [])
        if issubclass(kind, ExceptionGroup):
            return kind(message, [StepFailed(message)])
        # Made without __init__, whose arguments are not known.
        error = kind.__new__(kind, message)
        error.args = (message,)
    except Exception:  # noqa: BLE001 - a class of somebody else's that is made in its own way
        return None
    if isinstance(error, ConsoleError):
        error.message, error.context = message, {}
    return error


def _message(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception as broken:  # noqa: BLE001 - __str__ of somebody else's error
        text = f"(its message cannot be shown: {type(broken).__name__})"
    return storable_text(redact_text(text), MAX_MESSAGE)
