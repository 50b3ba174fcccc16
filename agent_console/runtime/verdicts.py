"""Judges how a rehearsal ended: what may come after the record, and what should not have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice

from agent_console.domain.jobs import JobError, JobStatus, Json
from agent_console.domain.payload import canonical, loads
from agent_console.domain.replays import (
    MAX_DIFFERENCES,
    MAX_SHOWN,
    Difference,
    DifferenceKind,
    ReplayEnd,
    ReplayReport,
)
from agent_console.runtime.errors import Diverged, EndOfRun
from agent_console.runtime.executor import Completed, Failed, Outcome
from agent_console.runtime.failures import job_error
from agent_console.store.reads.replays import Past

_PATHS = 5  # places in an output that are named


class RecordEnds(EndOfRun):
    """The record holds no answer to the call that the handler makes."""


class Acts(EndOfRun):
    """The handler would change something outside its recorded calls."""


class Noted(Diverged):
    """The record cannot answer any more, for a reason that is among the differences already."""


class TookTooLong(EndOfRun):
    """The handler did not come to an end."""


def report(
    past: Past,
    outcome: Outcome | None,
    signal: EndOfRun | None,
    *,
    noted: Sequence[Difference],
    replayed: int,
    version: str,
    at: datetime,
) -> ReplayReport:
    """Return the report on a rehearsal that ended by ``outcome``, or by a ``signal``."""
    end, last, differences = _judged(past, outcome, signal, replayed)
    return ReplayReport(
        job_id=past.job.id,
        job_status=past.job.status,
        code_version=past.job.code_version,
        code_version_now=version,
        calls=len(past.record.steps),
        replayed=replayed,
        end=end,
        last=last,
        differences=(*noted, *differences)[:MAX_DIFFERENCES],
        at=at,
    )


def missing_handler(past: Past, at: datetime) -> ReplayReport:
    """Return the report on a job that no handler is registered for."""
    message = f"No handler is registered for job type {past.job.job_type!r}."
    return ReplayReport(
        job_id=past.job.id,
        job_status=past.job.status,
        code_version=past.job.code_version,
        code_version_now=None,
        calls=len(past.record.steps),
        replayed=0,
        end=ReplayEnd.NO_HANDLER,
        last=message,
        differences=(Difference(kind=DifferenceKind.HANDLER, message=message),),
        at=at,
    )


def cut(text: str) -> str:
    """Return ``text``, cut to what a report shows."""
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"


def _judged(
    past: Past, outcome: Outcome | None, signal: EndOfRun | None, position: int
) -> tuple[ReplayEnd, str, list[Difference]]:
    if isinstance(outcome, Completed):
        return ReplayEnd.COMPLETED, "The handler returned.", _returned(past, outcome.output)
    if isinstance(outcome, Failed):
        error = job_error(outcome.error)
        return ReplayEnd.FAILED, f"The handler failed: {_words(error)}", _raised(past, error)
    if isinstance(signal, Noted):
        return ReplayEnd.DIVERGED, "The record cannot answer this call.", []
    if isinstance(signal, Diverged):
        difference = _difference(DifferenceKind.CALL, signal.difference, position=position)
        return ReplayEnd.DIVERGED, signal.difference, [difference]
    finished = past.job.status in {JobStatus.COMPLETED, JobStatus.FAILED}
    if isinstance(signal, RecordEnds) or (isinstance(signal, Acts) and not finished):
        return ReplayEnd.RECORD_END, *_went_on(past, signal)
    if isinstance(signal, Acts):
        words = f"The handler would change {signal} outside its recorded calls."
    else:
        words = "The handler took too long between its recorded calls and was stopped."
    return ReplayEnd.STOPPED, words, [_difference(DifferenceKind.END, words, position=position)]


def _returned(past: Past, output: str) -> list[Difference]:
    if past.job.status is JobStatus.FAILED and not _timed_out(past):
        message = f"The job failed ({_words(past.job.error)}); the handler now returns."
        return [_difference(DifferenceKind.END, message, replayed=output)]
    then = past.output or "null"
    if past.job.status is not JobStatus.COMPLETED or then == output:
        return []
    places = ", ".join(islice(_places(loads(then), loads(output)), _PATHS))
    message = f"The output is another at {places}."
    return [_difference(DifferenceKind.OUTPUT, message, recorded=then, replayed=output)]


def _raised(past: Past, error: JobError) -> list[Difference]:
    now = _words(error)
    if past.job.status is JobStatus.COMPLETED:
        message = "The job completed; the handler now fails."
        return [_difference(DifferenceKind.ERROR, message, replayed=now)]
    then = _words(past.job.error)
    if past.job.status is not JobStatus.FAILED or then == now or _timed_out(past):
        return []
    message = "The handler fails in another way."
    return [_difference(DifferenceKind.ERROR, message, recorded=then, replayed=now)]


def _went_on(past: Past, signal: EndOfRun) -> tuple[str, list[Difference]]:
    if past.job.status is JobStatus.COMPLETED:
        message = f"The job completed here; the handler now goes on with {signal}."
        return message, [_difference(DifferenceKind.END, message)]
    return f"The record ends here: the handler asks for {signal}.", []


def _timed_out(past: Past) -> bool:
    """Say whether the job ended by the clock, which no replay repeats."""
    return past.job.error is not None and past.job.error.type == "TimedOut"


def _words(error: JobError | None) -> str:
    return "no error is known" if error is None else f"{error.type}: {error.message}"


def _difference(
    kind: DifferenceKind,
    message: str,
    *,
    position: int | None = None,
    recorded: str = "",
    replayed: str = "",
) -> Difference:
    return Difference(
        kind=kind,
        message=message,
        position=position,
        recorded=cut(recorded),
        replayed=cut(replayed),
    )


def _places(then: Json, now: Json, path: str = "$") -> Iterator[str]:
    """Yield the JSON paths at which two documents differ, outermost first."""
    if isinstance(then, dict) and isinstance(now, dict):
        for name in sorted(then.keys() | now.keys()):
            if name not in then or name not in now:
                yield f"{path}.{name}"
            else:
                yield from _places(then[name], now[name], f"{path}.{name}")
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        for index, (a, b) in enumerate(zip(then, now, strict=True)):
            yield from _places(a, b, f"{path}[{index}]")
    elif canonical(then) != canonical(now):
        yield path
