"""Domain events as log lines: the one place that gives them words and levels."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import groupby
from operator import attrgetter

from agent_console.domain.events import Event
from agent_console.telemetry.lines import LINES, Line
from agent_console.telemetry.run_ids import Bound, RunIds

_log = logging.getLogger("agent_console.events")

# Whatever is not named here is INFO: a record of normal work. What every job goes through on its
# way is DEBUG: its end says as much, and lines cost time on the path of all jobs.
_LEVELS = {
    "checkpoint.escalated": logging.WARNING,
    "checkpoint.expired": logging.WARNING,
    "checkpoint.reopened": logging.WARNING,
    "job.created": logging.DEBUG,
    "job.failed": logging.ERROR,
    "job.parked": logging.ERROR,
    "job.rescued": logging.WARNING,
    "job.retrying": logging.WARNING,
    "job.returned": logging.WARNING,
    "job.sleeping": logging.DEBUG,
    "job.started": logging.DEBUG,
    "job.waiting": logging.DEBUG,
    "job.woken": logging.DEBUG,
    "usage.recorded": logging.DEBUG,
    "user.sign_in_failed": logging.WARNING,
    "worker.died": logging.ERROR,
}
_FIELDS = ("job_id", "job_type", "checkpoint_id", "subject_id", "before", "after", "verdict")
_values = attrgetter(*_FIELDS)


def log_events(events: Sequence[Event]) -> None:
    """Write one line per event; a listener for ``Database.subscribe``.

    The message is the action, so that lines can be searched by it; the facts are fields. ``data``
    stays in the journal: it may be large, and belongs to people who may read the journal.
    """
    for level, some in groupby(events, key=_level):
        if not _log.isEnabledFor(level):
            continue
        if level < logging.WARNING:
            _write(level, [Line(event.action, _facts(event)) for event in some])
            continue
        for event in some:  # each on its own: whoever collects errors counts records
            _write(level, [Line(event.action, _facts(event))])


def _level(event: Event) -> int:
    return _LEVELS.get(event.action, logging.INFO)


def _write(level: int, lines: Sequence[Line]) -> None:
    """Hand over ``lines`` as one record; a record for each cost more than the job it told of."""
    extra: dict[str, object] = {LINES: lines}
    _log.handle(_log.makeRecord(_log.name, level, "", 0, lines[0].event, (), None, extra=extra))


def _facts(event: Event) -> dict[str, object]:
    named = zip(_FIELDS, _values(event), strict=True)
    facts: dict[str, object] = {name: value for name, value in named if value is not None}
    facts["actor"] = event.actor.name or event.actor.kind
    if event.seconds is not None:
        facts["seconds"] = round(event.seconds, 3)
    return facts


class RunLog:
    """Puts job and attempt on every line that is written while a handler runs.

    Implements ``domain.observer.RunObserver``.
    """

    def observe(
        self,
        *,
        job_id: str,
        job_type: str,
        attempt: int,
        user_id: str | None,  # noqa: ARG002 - part of the port
        user_name: str | None,  # noqa: ARG002 - part of the port
        traceparent: str | None = None,
        resuming: bool = False,  # noqa: ARG002 - part of the port
    ) -> AbstractContextManager[None]:
        """Bind the ids for the length of one run."""
        return Bound(RunIds(job_id, job_type, attempt, traceparent))

    def step(self, *, job_id: str, name: str) -> AbstractContextManager[None]:  # noqa: ARG002
        """Do nothing: steps are recorded with their job."""
        return nullcontext()

    def reached(self, *, job_id: str, checkpoint_id: str) -> None:
        """Do nothing: the event of the checkpoint is a line already."""

    def logged(self, *, job_id: str, level: str, message: str) -> None:
        """Do nothing: what handlers log is kept with the job, where it can be read."""
