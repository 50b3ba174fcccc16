"""What the pages of schedules show, made from the domain's values: pure functions, no Reflex."""

from __future__ import annotations

from dataclasses import dataclass, field

from agent_console.domain.access import Actor, Permission, refusal
from agent_console.domain.schedules import ScheduleView
from agent_console.services.schedules import obstacle
from agent_console.ui.views import iso, shown
from agent_console.ui.when import RunView, run_view

DECLARED = "A module of handlers declares it; change it there."


@dataclass(frozen=True, slots=True)
class ScheduleRow:
    """A row of the list; ``run_refusal`` and the like say why not, empty where one may."""

    id: str
    name: str
    job_type: str
    words: str
    paused: bool
    pause_reason: str
    problem: str
    next_at: str
    more: str
    last_at: str
    last_status: str
    last_href: str
    owner: str
    edit_href: str
    refusal: str
    edit_refusal: str
    run_refusal: str
    runs: list[RunView] = field(default_factory=list)


def schedule_row(schedule: ScheduleView, actor: Actor) -> ScheduleRow:
    """Return the row for ``schedule`` as ``actor`` sees it."""
    may_create = actor.may(Permission.JOBS_CREATE)
    not_mine = shown(obstacle(actor, schedule), 300)
    runs = [run_view(one, schedule.rule.time_zone) for one in schedule.next_runs]
    return ScheduleRow(
        id=schedule.id,
        name=shown(schedule.name, 200),
        job_type=schedule.job_type,
        words=shown(schedule.words, 300),
        paused=schedule.paused,
        pause_reason=shown(schedule.pause_reason, 300),
        problem=shown(schedule.last_problem, 300),
        next_at=iso(schedule.next_fire_at),
        more="\n".join(one.wall for one in runs),
        last_at=iso(schedule.last_fire_at),
        last_status=schedule.last_job_status.value if schedule.last_job_status else "",
        last_href=f"/jobs/{schedule.last_job_id}" if schedule.last_job_id else "",
        owner=shown(schedule.owner_name, 100),
        edit_href=f"/schedules/edit?id={schedule.id}",
        refusal=not_mine,
        edit_refusal=not_mine or (DECLARED if schedule.declared else ""),
        run_refusal="" if may_create else refusal(Permission.JOBS_CREATE),
        runs=runs,
    )
