"""Schedules: make, change, pause, run at once, look ahead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime

from agent_console.domain import trace
from agent_console.domain.access import SYSTEM, Actor, Permission, authorize, refusal
from agent_console.domain.clock import from_micros, to_micros
from agent_console.domain.crashpoints import crashpoint
from agent_console.domain.errors import Conflict, Forbidden, Invalid, NotFound
from agent_console.domain.jobs import Job, NewJob
from agent_console.domain.records import Page
from agent_console.domain.schedules import (
    FireOutcome,
    NewSchedule,
    Rule,
    Schedule,
    ScheduleChange,
    ScheduleQuery,
    ScheduleView,
)
from agent_console.services import job_requests, recurrence
from agent_console.services.catalog import Catalog
from agent_console.services.list_queries import check_schedules
from agent_console.store import job_writes
from agent_console.store import schedules as store
from agent_console.store.database import Database
from agent_console.store.ids import new_id
from agent_console.store.reads import schedules as reads
from agent_console.store.transactions import Tx

NEXT_RUNS = 5  # that are shown ahead


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a rule means: in words, and the next slots."""

    words: str
    next_runs: tuple[datetime, ...]


class ScheduleService:
    """Use cases of schedules. Every method checks the actor's permission itself.

    Whoever makes or changes a schedule becomes its owner: its jobs are asked by them. Changing
    somebody else's needs the permission to control jobs as well.
    """

    def __init__(self, db: Database, catalog: Catalog) -> None:
        """Work on ``db`` with the job types of ``catalog``."""
        self._db = db
        self._catalog = catalog

    def create(self, actor: Actor, new: NewSchedule) -> ScheduleView:
        """Make a schedule; its first slot is the first one from now.

        Raises:
            Invalid: a field is not acceptable, the input by the job type's schema included.
            Conflict: there is one of that name.
        """
        authorize(actor, Permission.JOBS_CREATE)
        bound = self._checked(actor, new)
        schedule_id = new_id("sch")

        def work(tx: Tx) -> Schedule:
            first = recurrence.following(bound.rule, tx.now())
            return store.create(tx, schedule_id, bound, first=first, declared=False, actor=actor)

        return view(self._db.write(work))

    def get(self, actor: Actor, schedule_id: str) -> ScheduleView:
        """Return the schedule with its next slots.

        Raises:
            NotFound: there is none.
        """
        authorize(actor, Permission.JOBS_READ)
        return view(self._find(schedule_id))

    def page(self, actor: Actor, query: ScheduleQuery) -> Page[ScheduleView]:
        """Return one page of schedules, newest first.

        Raises:
            Invalid: a limit out of bounds, a strange cursor.
        """
        authorize(actor, Permission.JOBS_READ)
        check_schedules(query)
        with self._db.read() as reader:
            page = reads.page(reader, query)
        return Page(
            items=[view(one) for one in page.items],
            limit=page.limit,
            offset=page.offset,
            next_cursor=page.next_cursor,
            total=page.total,
            total_capped=page.total_capped,
        )

    def change(self, actor: Actor, schedule_id: str, change: ScheduleChange) -> ScheduleView:
        """Change what is not None; ``actor`` owns it from now on. A new rule counts from now.

        Raises:
            NotFound: there is none.
            Forbidden: it is somebody else's, and the actor may not control jobs.
            Conflict: it is declared in code, or another one has that name.
            Invalid: a field is not acceptable.
        """
        before = self._acting(actor, schedule_id)
        if before.declared:
            raise Conflict("A module of handlers declares this schedule; change it there.")
        wanted = self._checked(actor, _changed(before, change))

        def work(tx: Tx) -> Schedule:
            now = store.locked(tx, schedule_id)
            if now.version != before.version:
                raise Conflict("Somebody changed this schedule a moment ago; look at it again.")
            upcoming = _upcoming(now, wanted.rule, tx.now())
            return store.change(tx, now, wanted, upcoming=upcoming, actor=actor)

        return view(self._db.write(work))

    def pause(self, actor: Actor, schedule_id: str) -> ScheduleView:
        """Have no slot fire until it is resumed; jobs that exist go on.

        Raises:
            NotFound: there is none.
            Forbidden: it is somebody else's, and the actor may not control jobs.
        """
        self._acting(actor, schedule_id)
        return view(
            self._db.write(lambda tx: store.pause(tx, store.locked(tx, schedule_id), actor))
        )

    def resume(self, actor: Actor, schedule_id: str) -> ScheduleView:
        """Fire again from the next slot on; slots of the pause were not missed.

        One that the console paused because of its owner becomes the actor's.

        Raises:
            NotFound: there is none.
            Forbidden: it is somebody else's, and the actor may not control jobs.
        """
        self._acting(actor, schedule_id)

        def work(tx: Tx) -> Schedule:
            schedule = store.locked(tx, schedule_id)
            if not schedule.paused:
                return schedule
            if schedule.pause_reason:
                schedule = store.change(tx, schedule, schedule, upcoming=None, actor=actor)
            upcoming = recurrence.following(schedule.rule, tx.now())
            return store.resume(tx, schedule, actor, upcoming)

        return view(self._db.write(work))

    def delete(self, actor: Actor, schedule_id: str) -> None:
        """Delete the schedule; its jobs stay. A declared one comes back with the next start.

        Raises:
            NotFound: there is none.
            Forbidden: it is somebody else's, and the actor may not control jobs.
        """
        self._acting(actor, schedule_id)
        self._db.write(lambda tx: store.delete(tx, store.locked(tx, schedule_id), actor))

    def run(self, actor: Actor, schedule_id: str) -> Job:
        """Make a job of it at once, asked by ``actor``, beside its slots and even while paused.

        Raises:
            NotFound: there is no such schedule.
            Invalid: the job type does not take the input any more.
            Conflict: another job has its unique key.
        """
        authorize(actor, Permission.JOBS_CREATE)
        schedule = self._find(schedule_id)
        bound, attempts = job_requests.checked(new_job(schedule, self._catalog), self._catalog)
        job_requests.allow(actor, bound, self._catalog)
        job_id, place = new_id("job"), str(trace.current() or trace.beginning())

        def work(tx: Tx) -> Job:
            now = store.locked(tx, schedule_id)
            made = job_writes.enqueue(
                tx,
                job_id,
                bound,
                max_attempts=attempts,
                actor=actor,
                key=None,
                traceparent=place,
            )
            if made.existing:  # its unique key answers; nothing was made
                return made.job
            store.note_fire(
                tx,
                now,
                tx.now(),
                FireOutcome.FIRED,
                job_id=job_id,
                job_type=made.job.job_type,
                manual=True,
                actor=actor,
            )
            crashpoint("schedule.before_commit")
            return made.job

        return self._db.write(work)

    def preview(self, actor: Actor, rule: Rule, count: int = NEXT_RUNS) -> Preview:
        """Return what ``rule`` means, before it is kept.

        Raises:
            Invalid: it is no rule.
        """
        authorize(actor, Permission.JOBS_READ)
        plain = recurrence.checked(rule)
        with self._db.read() as reader:
            now = reader.now()
        slots = recurrence.upcoming(plain, now, count)
        return Preview(words=recurrence.words(plain), next_runs=tuple(map(from_micros, slots)))

    def declare(self, declared: Sequence[NewSchedule]) -> list[Invalid]:
        """Make or change the schedules that code declares; returns what is wrong with others.

        What the code says wins, but a pause stays. A name that somebody gave to a schedule of
        their own is left to them.
        """
        problems, seen = [], set[str]()
        for new in declared:
            try:
                self._declare_one(new, again=new.name in seen)
            except (Invalid, Conflict) as error:
                problems.append(Invalid(f"schedule {new.name!r}: {error.message}"))
            seen.add(new.name)
        return problems

    def _declare_one(self, new: NewSchedule, *, again: bool) -> None:
        if again:
            raise Conflict("Another module declares one of this name as well.")
        bound = self._checked(SYSTEM, new)
        try:
            self._db.write(lambda tx: _declare(tx, bound))
        except Conflict:  # another process has just made it, or somebody has one of this name
            self._db.write(lambda tx: _declare(tx, bound))

    def _find(self, schedule_id: str) -> Schedule:
        with self._db.read() as reader:
            schedule = reads.get(reader, schedule_id)
        if schedule is None:
            raise NotFound(f"There is no schedule {schedule_id}.")
        return schedule

    def _acting(self, actor: Actor, schedule_id: str) -> Schedule:
        authorize(actor, Permission.JOBS_CREATE)
        schedule = self._find(schedule_id)
        if reason := obstacle(actor, schedule):
            raise Forbidden(reason, requiredPermission=Permission.JOBS_CONTROL.value)
        return schedule

    def _checked(self, actor: Actor, new: NewSchedule) -> NewSchedule:
        name = new.name.strip()
        job_requests.text("name", name, job_requests.MAX_NAME)
        if not name or not name.isprintable():
            raise Invalid.field("name", "must be text that can be shown.")
        plain = replace(new, name=name, rule=recurrence.checked(new.rule))
        bound, _ = job_requests.checked(new_job(plain, self._catalog), self._catalog)
        job_requests.allow(actor, bound, self._catalog)
        return plain


def view(schedule: Schedule) -> ScheduleView:
    """Return ``schedule`` with its rule in words and its next slots."""
    runs: list[datetime] = []
    if schedule.next_fire_at is not None:
        first = to_micros(schedule.next_fire_at)
        more = recurrence.upcoming(schedule.rule, first, NEXT_RUNS - 1, anchor=first)
        runs = [schedule.next_fire_at, *map(from_micros, more)]
    stored = {one.name: getattr(schedule, one.name) for one in fields(Schedule)}
    return ScheduleView(**stored, words=recurrence.words(schedule.rule), next_runs=tuple(runs))


def obstacle(actor: Actor, schedule: Schedule) -> str:
    """Return why ``actor`` may not change, pause, resume or delete ``schedule``; empty: may."""
    if not actor.may(Permission.JOBS_CREATE):
        return refusal(Permission.JOBS_CREATE)
    own = schedule.owner_id is not None and schedule.owner_id == actor.id
    if own or actor.may(Permission.JOBS_CONTROL):
        return ""
    return f"This schedule is of {schedule.owner_name}. {refusal(Permission.JOBS_CONTROL)}"


def new_job(schedule: NewSchedule, catalog: Catalog, slot: int | None = None) -> NewJob:
    """Return the job that ``schedule`` asks for; its metadata tell handlers of the slot."""
    handler = catalog.describe(schedule.job_type)
    metadata: dict[str, object] = {"schedule": schedule.name}
    if slot is not None:
        metadata["slot"] = from_micros(slot).isoformat()
    return NewJob(
        job_type=schedule.job_type,
        input_data=schedule.input_data,
        task_description=schedule.task_description,
        priority=schedule.priority,
        project_id=schedule.project_id,
        approval_strategy=schedule.approval_strategy,
        # The jobs of an agent are work sessions, whose configuration is their input.
        task_configuration=schedule.input_data if handler and handler.agent else None,
        metadata=metadata,  # type: ignore[arg-type]  # texts are Json
    )


def _changed(before: Schedule, change: ScheduleChange) -> NewSchedule:
    if change.cron is not None and change.interval_seconds is not None:
        raise Invalid.field("cron", "give either cron or intervalSeconds.")
    given = {name: value for name, value in asdict(change).items() if value is not None}
    for name in ("project_id", "approval_strategy"):
        if given.get(name) == "":
            given[name] = None
    cron, zone = given.pop("cron", None), given.pop("time_zone", None)
    interval = given.pop("interval_seconds", None)
    rule = before.rule
    if interval is not None:
        rule = Rule(interval_seconds=interval)
    elif cron is not None or zone is not None:
        rule = Rule(cron=cron or rule.cron, time_zone=zone or rule.time_zone)
    stored = {one.name: getattr(before, one.name) for one in fields(NewSchedule)}
    return NewSchedule(**{**stored, **given, "rule": rule})


def _upcoming(before: Schedule, rule: Rule, now: int) -> int | None:
    """Return the next slot of a schedule that changes: as planned when its rule stays."""
    if before.paused:
        return None
    if before.rule == rule and before.next_fire_at is not None:
        return to_micros(before.next_fire_at)
    return recurrence.following(rule, now)


def _declare(tx: Tx, new: NewSchedule) -> None:
    named = reads.by_name(tx, new.name)
    if named is None:
        first = recurrence.following(new.rule, tx.now())
        store.create(tx, new_id("sch"), new, first=first, declared=True, actor=SYSTEM)
        return
    if not named.declared:
        raise Conflict("Somebody made a schedule of this name; rename one of them.")
    before = store.locked(tx, named.id)
    stored = {one.name: getattr(before, one.name) for one in fields(NewSchedule)}
    if NewSchedule(**stored) != new:
        upcoming = _upcoming(before, new.rule, tx.now())
        store.change(tx, before, new, upcoming=upcoming, actor=SYSTEM)
