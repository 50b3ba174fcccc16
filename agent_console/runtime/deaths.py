"""How the process of a run can end without a word, in words."""

from __future__ import annotations

import signal
from dataclasses import dataclass

from agent_console.domain.errors import ConsoleError
from agent_console.domain.isolation import size_words

_NEAR = 0.8  # of the memory limit: a process that had come so far has probably met it


class ProcessDied(ConsoleError):
    """The handler's process ended without a word."""

    code = "process_died"


class OutOfMemory(ConsoleError):
    """The handler used more than its memory limit."""

    code = "out_of_memory"

    def __init__(self, limit: int) -> None:
        """Name the ``limit``, in bytes."""
        super().__init__(f"The handler used more than its memory limit of {size_words(limit)}.")


@dataclass(frozen=True, slots=True)
class Death:
    """How a process ended: ``code`` as of ``waitstatus_to_exitcode``, None if nobody knows.

    ``peak`` is the most memory it had, in bytes; ``trace`` says where it was, if it could.
    """

    code: int | None = None
    peak: int = 0
    trace: str = ""
    problem: str = ""  # why there was no process at all


def error_of(death: Death, limit: int | None) -> ConsoleError:
    """Return the error of a run whose process ended like that; ``limit`` is its memory limit."""
    error = ProcessDied(_words(death, limit))
    note_trace(error, death.trace)
    return error


def note_trace(error: BaseException, trace: str) -> None:
    """Add to ``error`` where the process was, so that it stands in its traceback."""
    if trace.strip():
        error.add_note(f"Where its process was then:\n{trace.strip()}")


def _words(death: Death, limit: int | None) -> str:
    if death.problem:
        return f"The handler's process could not be started: {death.problem}."
    if death.code is None:
        return "The handler's process was lost together with the one that starts such processes."
    if death.code >= 0:
        return f"The handler's process ended itself with exit code {death.code}."
    said = f"The handler's process was ended by {_name(-death.code)}"
    if limit is not None and death.peak >= _NEAR * limit:
        return f"{said}, with {size_words(death.peak)} in use; its limit is {size_words(limit)}."
    if -death.code == signal.SIGKILL:
        return f"{said}, not by this worker: perhaps the machine ran out of memory."
    return f"{said}."


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
