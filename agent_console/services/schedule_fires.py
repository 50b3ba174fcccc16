"""Firing schedules: what every process does when a slot has come, and one alone succeeds in."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from agent_console.domain import trace
from agent_console.domain.access import ROLE_PERMISSIONS, SYSTEM, Actor, Permission, Role
from agent_console.domain.clock import MICROSECONDS, to_micros
from agent_console.domain.crashpoints import crashpoint
from agent_console.domain.errors import Conflict, ConsoleError, Unavailable
from agent_console.domain.jobs import NewJob
from agent_console.domain.schedules import (
    CATCH_UP_CAP,
    SKIP_GRACE,
    CatchUp,
    FireOutcome,
    Overlap,
    Schedule,
)
from agent_console.services import job_requests, recurrence
from agent_console.services.catalog import Catalog
from agent_console.services.schedules import new_job
from agent_console.store import job_writes, schedules
from agent_console.store.accounts import find
from agent_console.store.database import Database
from agent_console.store.ids import new_id
from agent_console.store.liveness import known_types
from agent_console.store.reads.schedules import due, next_due
from agent_console.store.transactions import Tx

BATCH = 50  # schedules that one look takes up
_MAX_PROBLEM = 1_000  # characters

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be done with the slots that have come; ``missed`` of them make no job."""

    slots: list[int]
    missed: int
    more: bool  # there are more missed ones than were counted
    upcoming: int | None


@dataclass(frozen=True, slots=True)
class _Ready:
    """A job of the schedule for a slot, checked by its type; or why there is none."""

    slot: int
    job: NewJob | None
    attempts: int
    problem: str


def fire_due(db: Database, catalog: Catalog) -> int:
    """Fire every schedule whose slot has come; returns how many this process fired.

    Safe in all processes at once: the schedule's next slot is compared and set, and a slot's row
    has a key that exists once. A job type that is unknown here is left to a process that knows it.

    Raises:
        Unavailable: the database is out of reach; what fired until then has fired.
    """
    with db.read() as reader:
        waiting, now = due(reader, BATCH), reader.now()
        unknown = any(catalog.describe(one.job_type) is None for one in waiting)
        elsewhere = known_types(reader) if unknown else frozenset()
    fired = 0
    for schedule in waiting:
        if catalog.describe(schedule.job_type) is None and schedule.job_type in elsewhere:
            continue
        try:
            fired += _fire(db, catalog, schedule, now)
        except Unavailable:
            raise
        except Exception:  # noqa: BLE001 - the others must still fire; this one is tried again
            _log.exception("schedule %s could not fire", schedule.id)
    return fired


def seconds_to_next(db: Database) -> float | None:
    """Return the seconds until a slot comes: 0 means now, None that none is planned."""
    with db.read() as reader:
        return next_due(reader)


def _fire(db: Database, catalog: Catalog, schedule: Schedule, now: int) -> bool:
    """Fire one schedule; False when another process did, or somebody changed it meanwhile."""
    if schedule.next_fire_at is None:
        return False
    planned = to_micros(schedule.next_fire_at)
    plan = _planned(schedule, planned, now)
    # A handler's own validation is somebody else's code: it runs in no transaction.
    ready = [_ready(schedule, catalog, slot) for slot in plan.slots]

    def work(tx: Tx) -> bool:
        if not schedules.take(tx, schedule, planned, plan.upcoming):
            return False
        if (reason := _owner_obstacle(tx, schedule)) is not None:
            schedules.pause(tx, schedule, SYSTEM, reason)
            return True
        if plan.missed:
            schedules.note_missed(tx, schedule, planned, now, count=plan.missed, more=plan.more)
        for one in ready:
            _make_job(tx, schedule, one)
        crashpoint("schedule.before_commit")
        return True

    fired = db.write(work)
    if fired:
        crashpoint("schedule.committed")
    return fired


def _planned(schedule: Schedule, planned: int, now: int) -> _Plan:
    rule = schedule.rule
    passed = recurrence.between(rule, planned, now, CATCH_UP_CAP + 1)
    if not passed or (passed[0] != planned and len(passed) <= CATCH_UP_CAP):
        passed = sorted({planned, *passed})  # it was a slot by the zone's rules of then
    if schedule.catch_up is CatchUp.ALL:
        slots = passed[-CATCH_UP_CAP:]
    elif schedule.catch_up is CatchUp.LATEST:
        slots = passed[-1:]
    else:
        slots = [slot for slot in passed[-1:] if now - slot <= SKIP_GRACE * MICROSECONDS]
    return _Plan(
        slots=slots,
        missed=len(passed) - len(slots),
        more=len(passed) > CATCH_UP_CAP,
        upcoming=recurrence.following(rule, max(now, planned), anchor=planned),
    )


def _ready(schedule: Schedule, catalog: Catalog, slot: int) -> _Ready:
    try:
        job, attempts = job_requests.checked(new_job(schedule, catalog, slot), catalog)
    except ConsoleError as error:
        return _Ready(slot, None, 0, error.message[:_MAX_PROBLEM])
    except Exception as error:  # noqa: BLE001 - a handler's validation may do anything
        _log.exception("schedule %s: the input could not be checked", schedule.id)
        text = f"The input could not be checked: {type(error).__name__}: {error}"
        return _Ready(slot, None, 0, text[:_MAX_PROBLEM])
    return _Ready(slot, job, attempts, "")


def _owner_obstacle(tx: Tx, schedule: Schedule) -> str | None:
    """Return why the owner may create no jobs any more; None when they may."""
    if schedule.owner_id is None:  # the system, or the command line of this machine
        return None
    owner = find(tx, schedule.owner_id)
    if owner is None:
        return f"{schedule.owner_name}, whose schedule it is, has no account any more."
    if owner.disabled:
        return f"The account of {owner.name}, whose schedule it is, is disabled."
    if Permission.JOBS_CREATE not in ROLE_PERMISSIONS[Role(owner.role)]:
        return f"{owner.name}, whose schedule it is, may create no jobs as {owner.role}."
    return None


def _make_job(tx: Tx, schedule: Schedule, ready: _Ready) -> None:
    if schedules.has_fired(tx, schedule, ready.slot):  # the clock was set back meanwhile
        return
    if schedule.overlap is Overlap.SKIP and schedules.is_busy(tx, schedule):
        schedules.note_fire(
            tx,
            schedule,
            ready.slot,
            FireOutcome.SKIPPED,
            problem="An earlier job of this schedule is unfinished.",
        )
        return
    if ready.job is None:
        schedules.note_fire(tx, schedule, ready.slot, FireOutcome.REFUSED, problem=ready.problem)
        return
    try:
        made = job_writes.enqueue(
            tx,
            new_id("job"),
            ready.job,
            max_attempts=ready.attempts,
            actor=Actor(kind="system", id=schedule.owner_id, name=schedule.owner_name),
            key=None,
            traceparent=str(trace.beginning()),
        )
    except Conflict as conflict:  # before anything was written: another job has its unique key
        in_the_way = conflict.message
    else:
        in_the_way = "A job with its unique key is there already." if made.existing else ""
    if in_the_way:
        schedules.note_fire(tx, schedule, ready.slot, FireOutcome.SKIPPED, problem=in_the_way)
        return
    schedules.note_fire(
        tx, schedule, ready.slot, FireOutcome.FIRED, job_id=made.job.id, job_type=made.job.job_type
    )
