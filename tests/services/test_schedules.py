"""Schedules: who may do what, and what a slot leads to, on a clock that is set by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agent_console.domain.access import ROLE_PERMISSIONS, Actor, Permission, Role, local_operator
from agent_console.domain.errors import Conflict, Forbidden, Invalid, NotFound
from agent_console.domain.events import JournalEntry
from agent_console.domain.jobs import JobStatus
from agent_console.domain.queries import AuditQuery, JobQuery
from agent_console.domain.schedules import (
    CatchUp,
    NewSchedule,
    Overlap,
    Rule,
    ScheduleChange,
    ScheduleQuery,
    ScheduleView,
)
from agent_console.services.schedule_fires import fire_due, seconds_to_next
from tests.services.conftest import Desk, TwoTypes

HOURLY = Rule(cron="0 * * * *", time_zone="Europe/Berlin")


def new(name: str = "nightly", **more: Any) -> NewSchedule:
    return NewSchedule(**{"name": name, "job_type": "noop", "rule": HOURLY, **more})


def fire(desk: Desk) -> int:
    return fire_due(desk.db, TwoTypes())


def journal(desk: Desk, admin: Actor) -> list[JournalEntry]:
    found = desk.services.audit.page(admin, AuditQuery(limit=200)).items
    return [one for one in reversed(found) if one.action.startswith("schedule.")]


def jobs(desk: Desk, actor: Actor) -> list[str]:
    return [one.id for one in desk.services.jobs.page(actor, JobQuery()).items]


def test_a_slot_makes_a_job_that_is_its_owners(desk: Desk) -> None:
    olga = desk.actor(Role.OPERATOR)
    made = desk.services.schedules.create(
        olga, new(input_data={"n": 1}, task_description="Count", priority=7)
    )
    assert made.next_fire_at == datetime(2026, 1, 1, 13, 0, tzinfo=UTC)
    assert made.words.endswith(", Europe/Berlin")
    assert len(made.next_runs) == 5
    assert seconds_to_next(desk.db) == 3600
    assert fire(desk) == 0
    desk.clock.advance(3600)
    assert seconds_to_next(desk.db) == 0
    assert (fire(desk), fire(desk)) == (1, 0)
    (job_id,) = jobs(desk, olga)
    detail = desk.services.jobs.get(olga, job_id)
    assert (detail.job.user_id, detail.job.user_name) == (olga.id, olga.name)
    assert (detail.job.input_data, detail.job.priority) == ({"n": 1}, 7)
    assert detail.origin is not None
    assert (detail.origin.schedule_id, detail.origin.name) == (made.id, "nightly")
    assert detail.origin.slot == datetime(2026, 1, 1, 13, 0, tzinfo=UTC)
    assert [e.action for e in detail.timeline] == ["job.created", "schedule.fired"]
    after = desk.services.schedules.get(olga, made.id)
    assert (after.last_job_id, after.last_job_status) == (job_id, JobStatus.PENDING)
    assert after.next_fire_at == datetime(2026, 1, 1, 14, 0, tzinfo=UTC)
    assert after.last_fire_at == desk.clock.now()


@pytest.mark.parametrize(
    ("policy", "slots"), [(CatchUp.LATEST, [17]), (CatchUp.ALL, [13, 14, 15, 16, 17])]
)
def test_missed_slots_are_made_up_for_as_the_policy_says(
    desk: Desk, policy: CatchUp, slots: list[int]
) -> None:
    admin = desk.actor(Role.ADMIN)
    desk.services.schedules.create(admin, new(catch_up=policy))
    desk.clock.advance(timedelta(hours=5, minutes=20))
    assert fire(desk) == 1
    made = [desk.services.jobs.get(admin, one).origin for one in jobs(desk, admin)]
    assert sorted(one.slot.hour for one in made if one) == slots
    missed = [e for e in journal(desk, admin) if e.action == "schedule.missed"]
    assert [e.data["count"] for e in missed] == ([4] if policy is CatchUp.LATEST else [])


def test_a_policy_may_skip_what_was_missed(desk: Desk) -> None:
    admin = desk.actor(Role.ADMIN)
    made = desk.services.schedules.create(admin, new(catch_up=CatchUp.SKIP))
    desk.clock.advance(timedelta(hours=5, minutes=2))
    assert fire(desk) == 1
    assert jobs(desk, admin) == []
    assert journal(desk, admin)[-1].data["count"] == 5
    desk.clock.set(datetime(2026, 1, 1, 18, 0, 30, tzinfo=UTC))
    assert fire(desk) == 1
    assert len(jobs(desk, admin)) == 1
    after = desk.services.schedules.get(admin, made.id)
    assert after.next_fire_at == datetime(2026, 1, 1, 19, 0, tzinfo=UTC)


def test_making_up_for_everything_has_an_end(desk: Desk) -> None:
    admin = desk.actor(Role.ADMIN)
    rule = Rule(interval_seconds=60)
    desk.services.schedules.create(admin, new(rule=rule, catch_up=CatchUp.ALL))
    desk.clock.advance(timedelta(days=1))
    assert fire(desk) == 1
    assert len(jobs(desk, admin)) == 50  # a page
    assert desk.services.jobs.counts(admin)[JobStatus.PENDING] == 100
    (missed,) = desk.services.audit.page(admin, AuditQuery(action="schedule.missed")).items
    assert (missed.data["count"], missed.data["atLeast"]) == (1, True)


def test_an_interval_counts_from_its_own_slots_however_late_it_fires(desk: Desk) -> None:
    admin = desk.actor(Role.ADMIN)
    made = desk.services.schedules.create(admin, new(rule=Rule(interval_seconds=90)))
    start = desk.clock.now()
    desk.clock.advance(100)
    assert fire(desk) == 1
    after = desk.services.schedules.get(admin, made.id)
    assert after.next_fire_at == start + timedelta(seconds=180)


def test_a_slot_is_skipped_while_an_earlier_job_is_unfinished(desk: Desk) -> None:
    admin = desk.actor(Role.ADMIN)
    made = desk.services.schedules.create(admin, new(overlap=Overlap.SKIP))
    for _ in range(2):
        desk.clock.advance(3600)
        assert fire(desk) == 1
    (only,) = jobs(desk, admin)
    after = desk.services.schedules.get(admin, made.id)
    assert after.last_problem == "An earlier job of this schedule is unfinished."
    assert journal(desk, admin)[-1].action == "schedule.skipped"
    desk.services.jobs.control(admin, only, "cancel")
    desk.clock.advance(3600)
    assert fire(desk) == 1
    assert len(jobs(desk, admin)) == 2
    assert desk.services.schedules.get(admin, made.id).last_problem == ""


class Stricter(TwoTypes):
    """The catalog of a later version, whose types want a path all."""

    def validate(self, _job_type: str, data: dict[str, Any]) -> dict[str, Any]:
        return super().validate("write", data)


class Broken(TwoTypes):
    def validate(self, _job_type: str, _data: dict[str, Any]) -> dict[str, Any]:
        raise ZeroDivisionError("somebody else's code")


@pytest.mark.parametrize(
    ("catalog", "problem"),
    [
        (Stricter(), "inputData.path: is required."),
        (Broken(), "The input could not be checked: ZeroDivisionError: somebody else's code"),
    ],
)
def test_a_refused_input_is_shown_and_the_schedule_goes_on(
    desk: Desk, catalog: TwoTypes, problem: str
) -> None:
    admin = desk.actor(Role.ADMIN)
    made = desk.services.schedules.create(admin, new())
    desk.clock.advance(3600)
    assert fire_due(desk.db, catalog) == 1
    after = desk.services.schedules.get(admin, made.id)
    assert after.last_problem == problem
    assert not after.paused
    assert after.next_fire_at == datetime(2026, 1, 1, 14, 0, tzinfo=UTC)
    entry = journal(desk, admin)[-1]
    assert (entry.action, entry.data["reason"]) == ("schedule.refused", problem)
    assert jobs(desk, admin) == []


@pytest.mark.parametrize("change", ["disabled", "demoted"])
def test_a_schedule_whose_owner_may_create_no_jobs_is_paused(desk: Desk, change: str) -> None:
    admin, olga = desk.actor(Role.ADMIN), desk.actor(Role.OPERATOR)
    made = desk.services.schedules.create(olga, new())
    if change == "disabled":
        desk.services.access.set_disabled(admin, str(olga.id), True)
    else:
        desk.services.access.set_role(admin, str(olga.id), "viewer")
    desk.clock.advance(3600)
    assert fire(desk) == 1
    assert jobs(desk, admin) == []
    after = desk.services.schedules.get(admin, made.id)
    assert after.paused
    assert "whose schedule it is" in after.pause_reason
    assert journal(desk, admin)[-1].action == "schedule.paused"
    resumed = desk.services.schedules.resume(admin, made.id)
    assert (resumed.owner_id, resumed.paused, resumed.pause_reason) == (admin.id, False, "")
    desk.clock.advance(3600)
    assert fire(desk) == 1
    assert len(jobs(desk, admin)) == 1


def test_a_pause_plans_nothing_and_what_passes_meanwhile_is_not_missed(desk: Desk) -> None:
    admin = desk.actor(Role.ADMIN)
    made = desk.services.schedules.create(admin, new(catch_up=CatchUp.ALL))
    assert desk.services.schedules.pause(admin, made.id).next_runs == ()
    assert desk.services.schedules.pause(admin, made.id).paused  # twice is the same as once
    desk.clock.advance(timedelta(hours=9))
    assert (seconds_to_next(desk.db), fire(desk)) == (None, 0)
    resumed = desk.services.schedules.resume(admin, made.id)
    assert resumed.next_fire_at == datetime(2026, 1, 1, 22, 0, tzinfo=UTC)
    assert [e.action for e in journal(desk, admin)] == [
        "schedule.created", "schedule.paused", "schedule.resumed",
    ]  # fmt: skip


def test_run_now_makes_a_job_of_whoever_asks_and_leaves_the_slots_alone(desk: Desk) -> None:
    admin, olga = desk.actor(Role.ADMIN), desk.actor(Role.OPERATOR)
    made = desk.services.schedules.create(admin, new())
    desk.services.schedules.pause(admin, made.id)
    job = desk.services.schedules.run(olga, made.id)
    assert job.user_id == olga.id
    origin = desk.services.jobs.get(olga, job.id).origin
    assert origin is not None
    assert (origin.manual, origin.schedule_id) == (True, made.id)
    after = desk.services.schedules.get(olga, made.id)
    assert (after.paused, after.last_job_id) == (True, job.id)


def test_whoever_changes_a_schedule_owns_what_it_does_from_then_on(desk: Desk) -> None:
    admin, olga = desk.actor(Role.ADMIN), desk.actor(Role.OPERATOR)
    made = desk.services.schedules.create(admin, new(input_data={"n": 1}, project_id="p"))
    change = ScheduleChange(input_data={"n": 2}, project_id="")
    changed = desk.services.schedules.change(olga, made.id, change)
    assert (changed.owner_id, changed.input_data, changed.project_id) == (olga.id, {"n": 2}, None)
    assert changed.next_fire_at == made.next_fire_at  # its rule stays
    desk.services.schedules.change(olga, made.id, ScheduleChange(time_zone="Asia/Kolkata"))
    moved = desk.services.schedules.get(olga, made.id)
    assert moved.next_fire_at == datetime(2026, 1, 1, 12, 30, tzinfo=UTC)
    every = desk.services.schedules.change(olga, made.id, ScheduleChange(interval_seconds=60))
    assert (every.rule, every.words) == (Rule(interval_seconds=60), "Every minute")


def test_what_was_prepared_for_another_version_does_not_fire(desk: Desk) -> None:
    admin = desk.actor(Role.ADMIN)
    made = desk.services.schedules.create(admin, new())
    desk.clock.advance(3600)

    class Changing(TwoTypes):
        def validate(self, _job_type: str, data: dict[str, Any]) -> dict[str, Any]:
            change = ScheduleChange(input_data={"later": True})
            desk.services.schedules.change(admin, made.id, change)
            return data

    assert fire_due(desk.db, Changing()) == 0
    assert fire(desk) == 1
    (job_id,) = jobs(desk, admin)
    assert desk.services.jobs.get(admin, job_id).job.input_data == {"later": True}


def test_a_clock_that_is_set_back_makes_no_slot_fire_again(desk: Desk) -> None:
    admin = desk.actor(Role.ADMIN)
    made = desk.services.schedules.create(admin, new())
    desk.clock.advance(3600)
    assert fire(desk) == 1
    desk.clock.set(datetime(2026, 1, 1, 12, 30, tzinfo=UTC))
    desk.services.schedules.pause(admin, made.id)
    desk.services.schedules.resume(admin, made.id)
    desk.clock.advance(1800)
    assert fire(desk) == 1
    assert len(jobs(desk, admin)) == 1
    after = desk.services.schedules.get(admin, made.id)
    assert after.next_fire_at == datetime(2026, 1, 1, 14, 0, tzinfo=UTC)


def test_a_type_that_only_another_worker_knows_is_left_to_it(desk: Desk) -> None:
    from tests.support.runs import start_worker

    admin = desk.actor(Role.ADMIN)
    made = desk.services.schedules.create(admin, new())

    class Knows(TwoTypes):
        def describe(self, _job_type: str) -> None:
            return None

    desk.clock.advance(3600)
    start_worker(desk.db)  # it knows `noop`
    assert fire_due(desk.db, Knows()) == 0
    desk.clock.advance(120)  # and was not heard of since
    assert fire_due(desk.db, Knows()) == 1
    assert "unknown job type" in desk.services.schedules.get(admin, made.id).last_problem


def test_what_code_declares_is_brought_up_to_date_and_a_pause_stays(desk: Desk) -> None:
    admin = desk.actor(Role.ADMIN)
    service = desk.services.schedules

    def only() -> ScheduleView:
        (one,) = service.page(admin, ScheduleQuery()).items
        return one

    assert service.declare([new()]) == []
    made = only()
    assert (made.declared, made.owner_id, made.owner_name) == (True, None, "system")
    desk.clock.advance(60)
    assert service.declare([new()]) == []
    assert only() == made  # nothing to do, nothing done
    service.pause(admin, made.id)
    assert service.declare([new(rule=Rule(cron="@daily"))]) == []
    assert (only().rule.cron, only().paused, only().next_fire_at) == ("0 0 * * *", True, None)
    with pytest.raises(Conflict, match="declares this schedule"):
        service.change(admin, made.id, ScheduleChange(priority=1))


def test_what_code_declares_wrongly_or_twice_is_said_and_the_rest_is_made(desk: Desk) -> None:
    admin = desk.actor(Role.ADMIN)
    service = desk.services.schedules
    service.create(admin, new("mine"))
    problems = service.declare(
        [new("mine"), new("a"), new("a"), new("b", job_type="gone"), new("c")]
    )
    assert [p.message.split(":")[0] for p in problems] == [
        "schedule 'mine'", "schedule 'a'", "schedule 'b'",
    ]  # fmt: skip
    assert [one.name for one in service.page(admin, ScheduleQuery()).items] == ["c", "a", "mine"]


def test_pages_go_on_where_the_last_one_ended(desk: Desk) -> None:
    admin = desk.actor(Role.ADMIN)
    for number in range(5):
        desk.services.schedules.create(admin, new(f"s{number}"))
    first = desk.services.schedules.page(admin, ScheduleQuery(limit=3))
    assert ([one.name for one in first.items], first.total) == (["s4", "s3", "s2"], 5)
    rest = desk.services.schedules.page(admin, ScheduleQuery(limit=3, cursor=first.next_cursor))
    assert [one.name for one in rest.items] == ["s1", "s0"]
    assert rest.next_cursor is None
    none = desk.services.schedules.page(admin, ScheduleQuery(job_type="write"))
    assert (none.items, none.total) == ([], 0)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"job_type": "gone"}, "jobType"),
        ({"job_type": "write"}, "inputData.path"),
        ({"priority": 101}, "priority"),
        ({"approval_strategy": "hope"}, "approvalStrategy"),
        ({"rule": Rule(cron="61 * * * *")}, "cron"),
        ({"rule": Rule(cron="* * * *")}, "cron"),
        ({"rule": Rule(cron="0 0 31 2 *")}, "cron"),
        ({"rule": Rule(cron="0 0 * * *", time_zone="Mars/Olympus")}, "timeZone"),
        ({"rule": Rule(cron="0 0 * * *", time_zone="../../etc/passwd")}, "timeZone"),
        ({"rule": Rule(interval_seconds=0)}, "intervalSeconds"),
        ({"rule": Rule()}, "cron"),
        ({"rule": Rule(cron="* * * * *", interval_seconds=5)}, "cron"),
    ],
)
def test_what_is_not_acceptable_is_named(desk: Desk, wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        desk.services.schedules.create(local_operator("root"), new(**wrong))
    assert [one.field for one in refused.value.fields] == [field]


def test_all_that_is_wrong_with_a_rule_is_named(desk: Desk) -> None:
    rule = Rule(cron="61 * * * *", time_zone="Mars/Olympus")
    with pytest.raises(Invalid) as refused:
        desk.services.schedules.preview(local_operator("root"), rule)
    assert [one.field for one in refused.value.fields] == ["cron", "timeZone"]


def test_a_name_is_given_once(desk: Desk) -> None:
    root = local_operator("root")
    desk.services.schedules.create(root, new())
    other = desk.services.schedules.create(root, new("other"))
    with pytest.raises(Conflict, match="already"):
        desk.services.schedules.create(root, new())
    with pytest.raises(Conflict, match="already"):
        desk.services.schedules.change(root, other.id, ScheduleChange(name="nightly"))


def test_others_schedules_are_touched_only_by_those_who_control_jobs(desk: Desk) -> None:
    admin, olga = desk.actor(Role.ADMIN), desk.actor(Role.OPERATOR)
    made = desk.services.schedules.create(admin, new())
    creator = Actor(
        kind="token",
        id=olga.id,
        name="Olga",
        permissions=frozenset({Permission.JOBS_READ, Permission.JOBS_CREATE}),
    )
    service = desk.services.schedules
    own = service.create(creator, new("own"))
    assert service.pause(creator, own.id).paused
    for refused in (service.pause, service.resume, service.delete):
        with pytest.raises(Forbidden, match="jobs:control"):
            refused(creator, made.id)
    with pytest.raises(Forbidden, match="jobs:control"):
        service.change(creator, made.id, ScheduleChange(priority=1))
    assert service.pause(olga, made.id).paused


@pytest.mark.parametrize("role", [Role.VIEWER, Role.REVIEWER])
def test_those_who_may_create_no_jobs_only_look(desk: Desk, role: Role) -> None:
    admin, looker = desk.actor(Role.ADMIN), desk.actor(role)
    service = desk.services.schedules
    made = service.create(admin, new())
    assert service.get(looker, made.id).name == "nightly"
    assert len(service.preview(looker, HOURLY).next_runs) == 5
    assert ROLE_PERMISSIONS[role] & {Permission.JOBS_CREATE} == frozenset()
    for verb in (service.pause, service.resume, service.delete, service.run):
        with pytest.raises(Forbidden, match="jobs:create"):
            verb(looker, made.id)
    with pytest.raises(Forbidden):
        service.create(looker, new("other"))
    with pytest.raises(Forbidden):
        service.change(looker, made.id, ScheduleChange(priority=1))


def test_what_is_not_there_is_not_found_and_what_is_deleted_leaves_its_jobs(desk: Desk) -> None:
    admin = desk.actor(Role.ADMIN)
    service = desk.services.schedules
    made = service.create(admin, new())
    job = service.run(admin, made.id)
    service.delete(admin, made.id)
    for verb in (service.get, service.pause, service.resume, service.delete, service.run):
        with pytest.raises(NotFound):
            verb(admin, made.id)
    origin = desk.services.jobs.get(admin, job.id).origin
    assert origin is not None
    assert (origin.schedule_id, origin.name) == (made.id, "")


def test_a_delay_counts_by_the_databases_clock(desk: Desk) -> None:
    admin = desk.actor(Role.ADMIN)
    job_id = desk.job(admin, delay_seconds=1.5)
    job = desk.services.jobs.find(admin, job_id)
    assert job.run_at == desk.clock.now() + timedelta(seconds=1.5)
    for wrong in ({"delay_seconds": -1}, {"delay_seconds": 1, "run_at": desk.clock.now()}):
        with pytest.raises(Invalid) as refused:
            desk.job(admin, **wrong)
        assert refused.value.fields[0].field == "delaySeconds"
