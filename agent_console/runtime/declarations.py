"""Schedules that modules of handlers declare: ``schedule(...)`` at the top of a module."""

from __future__ import annotations

import sys
from datetime import timedelta
from types import ModuleType

from agent_console.domain.errors import Misconfigured
from agent_console.domain.jobs import DEFAULT_PRIORITY, Json
from agent_console.domain.schedules import UTC_ZONE, CatchUp, NewSchedule, Overlap, Rule

_MARK = "__agent_console_schedules__"


def schedule(
    name: str,
    job_type: str,
    *,
    cron: str | None = None,
    time_zone: str = UTC_ZONE,
    every: float | timedelta | None = None,
    input: dict[str, Json] | None = None,  # noqa: A002 - the word users of the SDK expect
    description: str = "",
    priority: int = DEFAULT_PRIORITY,
    project: str | None = None,
    approval_strategy: str | None = None,
    catch_up: str = CatchUp.LATEST.value,
    overlap: str = Overlap.ALLOW.value,
) -> NewSchedule:
    """Declare that jobs of ``job_type`` are made again and again, from the next start on.

    Call it where handlers are declared, at the top of a module. ``cron`` counts in the wall time
    of ``time_zone`` (IANA); ``every`` is whole seconds instead. ``catch_up`` is ``latest``, ``all``
    or ``skip``, ``overlap`` is ``allow`` or ``skip``. What the code says wins over what was stored
    before, but a schedule that somebody paused stays paused. Fields are checked at the start.

    Raises:
        Misconfigured: neither or both of ``cron`` and ``every``, or an unknown policy.
    """
    if (cron is None) == (every is None):
        raise Misconfigured(f"Schedule {name!r} needs either cron or every.")
    try:
        policies = CatchUp(catch_up), Overlap(overlap)
    except ValueError as error:
        raise Misconfigured(f"Schedule {name!r}: {error}.") from None
    seconds = every.total_seconds() if isinstance(every, timedelta) else every
    rule = Rule(cron=cron, time_zone=time_zone)
    if seconds is not None:
        rule = Rule(interval_seconds=_whole(name, seconds))
    declared = NewSchedule(
        name=name,
        job_type=job_type,
        rule=rule,
        input_data=dict(input or {}),
        task_description=description,
        priority=priority,
        project_id=project,
        approval_strategy=approval_strategy,
        catch_up=policies[0],
        overlap=policies[1],
    )
    # Kept with the module that calls, so that every registry which loads it finds them.
    known: dict[str, NewSchedule] = sys._getframe(1).f_globals.setdefault(_MARK, {})  # noqa: SLF001
    known[name] = declared
    return declared


def schedules_of(module: ModuleType) -> list[NewSchedule]:
    """Return what ``module`` declares, in order."""
    return list(vars(module).get(_MARK, {}).values())


def _whole(name: str, seconds: float) -> int:
    if int(seconds) != seconds:
        raise Misconfigured(f"Schedule {name!r}: every must be whole seconds.")
    return int(seconds)
