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
    """A recorded step failed in an earlier run, with an error that cannot be made again.

    ``origin`` is ``module.Class`` of that error, ``kind`` its class where that is loaded.
    """

    code = "step_failed"

    def __init__(
        self,
        message: str | None = None,
        *,
        origin: str = "",
        kind: type[Exception] | None = None,
    ) -> None:
        """Say what failed."""
        super().__init__(message)
        self.origin, self.kind = origin, kind


def is_any_of(error: BaseException, kinds: tuple[type[BaseException], ...]) -> bool:
    """Say whether ``error`` is of one of ``kinds``, or stands for a recorded one that was."""
    if isinstance(error, kinds):
        return True
    if not isinstance(error, StepFailed):
        return False
    if error.kind is not None:
        return issubclass(error.kind, kinds)
    return error.origin in {f"{kind.__module__}.{kind.__qualname__}" for kind in kinds}


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
    module = str(kept.get("module", ""))
    kind = _class_of(module, name)
    error = None if kind is None else _made_again(kind, message)
    raise error or StepFailed(f"{name}: {message}", origin=f"{module}.{name}", kind=kind)


def _class_of(module: str, name: str) -> type[Exception] | None:
    """Return the error class ``name`` of ``module``, or None where it is not loaded."""
    kind: object = sys.modules.get(module)
    for part in name.split("."):
        kind = getattr(kind, part, None)
    return kind if isinstance(kind, type) and issubclass(kind, Exception) else None


def _made_again(kind: type[Exception], message: str) -> Exception | None:
    """Return an error of the class ``kind``, or None if that cannot be done."""
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
