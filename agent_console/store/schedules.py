"""Writing schedules: what people change about them, and their fires."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent_console.domain.access import SYSTEM, Actor
from agent_console.domain.clock import from_micros
from agent_console.domain.errors import Conflict, NotFound
from agent_console.domain.events import Event
from agent_console.domain.jobs import Json
from agent_console.domain.payload import dumps
from agent_console.domain.schedules import FireOutcome, NewSchedule, Schedule
from agent_console.store.reads.schedules import get, unfinished
from agent_console.store.transactions import Params, Tx

MAX_SCHEDULES = 10_000  # in a console

_COLUMNS = (
    "name", "job_type", "input_data", "task_description", "priority", "project_id",
    "approval_strategy", "cron", "time_zone", "interval_seconds", "catch_up", "overlap",
    "owner_id", "owner_name", "next_fire_at",
)  # fmt: skip
_MORE = ("declared", "paused", "pause_reason", "last_problem", "version")
_INSERT = (
    f"INSERT INTO schedules (id, {', '.join((*_COLUMNS, *_MORE))}, created_at, updated_at)"
    f" VALUES (:id, {', '.join(f':{name}' for name in _COLUMNS)}, :declared, 0, '', '', 1,"
    " {now}, {now}) ON CONFLICT (name) DO NOTHING RETURNING id"
)
_UPDATE = (
    f"UPDATE schedules SET {', '.join(f'{name} = :{name}' for name in _COLUMNS)},"
    " version = version + 1, last_problem = '', updated_at = {now} WHERE id = :id"
)
_PAUSE = """
UPDATE schedules SET paused = 1, pause_reason = :reason, next_fire_at = NULL, updated_at = {now}
WHERE id = :id AND paused = 0
"""
_RESUME = """
UPDATE schedules SET paused = 0, pause_reason = '', next_fire_at = :next, updated_at = {now}
WHERE id = :id AND paused = 1
"""
# The compare-and-set by which one process alone goes on with a slot. ``version``: what was
# prepared outside of the transaction is still what the schedule says.
TAKE = """
UPDATE schedules SET next_fire_at = :next, updated_at = {now}
WHERE id = :id AND next_fire_at = :due AND next_fire_at <= {now} AND version = :version
"""
_HAS_FIRED = "SELECT 1 FROM schedule_fires WHERE schedule_id = :id AND slot = :slot"
_FIRE = """
INSERT INTO schedule_fires (schedule_id, slot, manual, outcome, job_id, fired_at)
VALUES (:id, :slot, :manual, :outcome, :job_id, {now})
ON CONFLICT (schedule_id, slot) DO NOTHING
"""
_FIRED = """
UPDATE schedules SET last_fire_at = {now}, last_job_id = coalesce(:job_id, last_job_id),
  last_problem = :problem, updated_at = {now}
WHERE id = :id
"""


def create(
    tx: Tx,
    schedule_id: str,
    new: NewSchedule,
    *,
    first: int | None,
    declared: bool,
    actor: Actor,
) -> Schedule:
    """Insert the schedule; its first slot is ``first`` (microseconds).

    Raises:
        Conflict: there is one of that name, or there are as many as there may be.
    """
    count = tx.row("SELECT count(*) FROM schedules")
    if count is not None and count[0] >= MAX_SCHEDULES:
        raise Conflict(f"There are {MAX_SCHEDULES:,} schedules already; delete one first.")
    params = {**_params(new, actor, first), "id": schedule_id, "declared": int(declared)}
    if not tx.rows(_INSERT, params):
        raise Conflict(f"There is a schedule {new.name!r} already.")
    made = found(tx, schedule_id)
    tx.record(_event("schedule.created", actor, made, {"rule": _rule(made)}))
    return made


def change(
    tx: Tx, before: Schedule, new: NewSchedule, *, upcoming: int | None, actor: Actor
) -> Schedule:
    """Make ``before`` what ``new`` says, with ``actor`` as its owner and its next slot.

    Raises:
        Conflict: there is another one of that name.
    """
    twin: Params = {"name": new.name, "id": before.id}
    if tx.row("SELECT 1 FROM schedules WHERE name = :name AND id <> :id", twin) is not None:
        raise Conflict(f"There is a schedule {new.name!r} already.")
    tx.execute(_UPDATE, {**_params(new, actor, upcoming), "id": before.id})
    changed = found(tx, before.id)
    tx.record(_event("schedule.changed", actor, changed, {"rule": _rule(changed)}))
    return changed


def pause(tx: Tx, schedule: Schedule, actor: Actor, reason: str = "") -> Schedule:
    """Plan no more slots; pausing twice is the same as once. ``reason``: why the console does."""
    if tx.execute(_PAUSE, {"id": schedule.id, "reason": reason}):
        data: dict[str, Json] = {"reason": reason} if reason else {}
        tx.record(_event("schedule.paused", actor, schedule, data))
    return found(tx, schedule.id)


def resume(tx: Tx, schedule: Schedule, actor: Actor, upcoming: int | None) -> Schedule:
    """Plan again, from the slot ``upcoming`` on; what passed meanwhile was not missed."""
    if tx.execute(_RESUME, {"id": schedule.id, "next": upcoming}):
        tx.record(_event("schedule.resumed", actor, schedule, {}))
    return found(tx, schedule.id)


def delete(tx: Tx, schedule: Schedule, actor: Actor) -> None:
    """Delete the schedule; its jobs, and what tells where they came from, stay."""
    tx.execute("DELETE FROM schedules WHERE id = :id", {"id": schedule.id})
    tx.record(_event("schedule.deleted", actor, schedule, {}))


def locked(tx: Tx, schedule_id: str) -> Schedule:
    """Return the schedule, which nobody else changes until this transaction ends.

    Raises:
        NotFound: there is none.
    """
    tx.row("SELECT 1 FROM schedules WHERE id = :id {for_update}", {"id": schedule_id})
    return found(tx, schedule_id)


def found(tx: Tx, schedule_id: str) -> Schedule:
    """Return the schedule as this transaction sees it.

    Raises:
        NotFound: there is none.
    """
    one = get(tx, schedule_id)
    if one is None:
        raise NotFound(f"There is no schedule {schedule_id}.")
    return one


def take(tx: Tx, schedule: Schedule, due: int, upcoming: int | None) -> bool:
    """Go on from the slot ``due`` to ``upcoming``; False when somebody else has, or it changed."""
    params: Params = {"id": schedule.id, "due": due, "next": upcoming, "version": schedule.version}
    return tx.execute(TAKE, params) == 1


def is_busy(tx: Tx, schedule: Schedule) -> bool:
    """Say whether one of its last jobs is unfinished."""
    return unfinished(tx, schedule.id)


def has_fired(tx: Tx, schedule: Schedule, slot: int) -> bool:
    """Say whether something has become of ``slot`` already."""
    params: Params = {"id": schedule.id, "slot": slot}
    return tx.row(_HAS_FIRED, params) is not None


def note_fire(
    tx: Tx,
    schedule: Schedule,
    slot: int,
    outcome: FireOutcome,
    *,
    job_id: str | None = None,
    job_type: str | None = None,
    problem: str = "",
    manual: bool = False,
    actor: Actor = SYSTEM,
) -> None:
    """Keep what became of ``slot``.

    Raises:
        Conflict: something has become of it already; nothing of this transaction may stay.
    """
    params: Params = {"id": schedule.id, "slot": slot, "job_id": job_id}
    more = {"manual": int(manual), "outcome": outcome.value}
    if not tx.execute(_FIRE, {**params, **more}):
        raise Conflict("This slot of the schedule has fired already.")
    tx.execute(_FIRED, {"id": schedule.id, "job_id": job_id, "problem": problem})
    data: dict[str, Json] = {"slot": from_micros(slot).isoformat()}
    if problem:
        data["reason"] = problem
    if manual:
        data["manual"] = True
    tx.record(
        _event(f"schedule.{outcome.value}", actor, schedule, data, job_id=job_id, job_type=job_type)
    )


def note_missed(
    tx: Tx, schedule: Schedule, since: int, until: int, *, count: int, more: bool
) -> None:
    """Journal that slots from ``since`` to ``until`` make no job; ``more``: at least ``count``."""
    data: dict[str, Json] = {
        "count": count,
        "atLeast": more,
        "since": from_micros(since).isoformat(),
        "until": from_micros(until).isoformat(),
    }
    tx.record(_event("schedule.missed", SYSTEM, schedule, data))


def _params(new: NewSchedule, actor: Actor, upcoming: int | None) -> dict[str, object]:
    return {
        "name": new.name,
        "job_type": new.job_type,
        "input_data": dumps(new.input_data),
        "task_description": new.task_description,
        "priority": new.priority,
        "project_id": new.project_id,
        "approval_strategy": new.approval_strategy,
        "cron": new.rule.cron,
        "time_zone": new.rule.time_zone,
        "interval_seconds": new.rule.interval_seconds,
        "catch_up": new.catch_up.value,
        "overlap": new.overlap.value,
        "owner_id": actor.id,
        "owner_name": actor.name,
        "next_fire_at": upcoming,
    }


def _rule(schedule: Schedule) -> dict[str, Json]:
    rule = schedule.rule
    if rule.cron is None:
        return {"intervalSeconds": rule.interval_seconds}
    return {"cron": rule.cron, "timeZone": rule.time_zone}


def _event(
    action: str,
    actor: Actor,
    schedule: Schedule,
    data: Mapping[str, Json],
    **more: Any,
) -> Event:
    named: dict[str, Json] = {"name": schedule.name, **data}
    return Event(action=action, actor=actor, subject_id=schedule.id, data=named, **more)
