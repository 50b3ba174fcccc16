"""``schedules``: work that comes again and again."""

from __future__ import annotations

from typing import Annotated

import typer

from agent_console.cli.jobs import json_object
from agent_console.cli.output import JSON_OPTION, Commands, ago, document, say, table
from agent_console.cli.session import opened
from agent_console.domain.jobs import DEFAULT_PRIORITY
from agent_console.domain.queries import MAX_LIMIT
from agent_console.domain.schedules import (
    UTC_ZONE,
    CatchUp,
    NewSchedule,
    Overlap,
    Rule,
    ScheduleQuery,
    ScheduleView,
)

app = typer.Typer(cls=Commands, no_args_is_help=True, help="Work that comes again and again.")

SCHEDULE_ID = Annotated[str, typer.Argument(help="The schedule's id, sch_…")]


@app.command("list")
def list_schedules(
    *,
    job_type: Annotated[str | None, typer.Option("--type", help="The job type.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=MAX_LIMIT)] = 50,
    cursor: Annotated[
        str | None, typer.Option("--cursor", help="Where the last page ended.")
    ] = None,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """List schedules, newest first."""
    query = ScheduleQuery(job_type=job_type, limit=limit, cursor=cursor)
    with opened() as (console, actor):
        page = console.services.schedules.page(actor, query)
    if as_json:
        from agent_console.api.schemas.base import Pagination

        pagination = Pagination.of(page).model_dump(mode="json")
        document({"schedules": [_wire(one) for one in page.items], "pagination": pagination})
        return
    rows = [
        (
            one.id,
            one.name,
            one.job_type,
            one.words,
            "paused" if one.paused else one.next_fire_at,
            one.last_problem or one.last_job_status,
        )
        for one in page.items
    ]
    headings = ("Id", "Name", "Type", "When", "Next", "Last")
    table(headings, rows, empty="There are no schedules.")


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="A name that no other schedule has.")],
    job_type: Annotated[str, typer.Argument(help="A registered job type.")],
    *,
    cron: Annotated[str | None, typer.Option("--cron", help="Such as '0 3 * * *'.")] = None,
    time_zone: Annotated[str, typer.Option("--time-zone", help="IANA.")] = UTC_ZONE,
    every: Annotated[
        int | None, typer.Option("--every", help="Seconds between jobs, instead of --cron.")
    ] = None,
    data: Annotated[
        str, typer.Option("--input", help="JSON, @file, or - for standard input.")
    ] = "{}",
    description: Annotated[str, typer.Option("--description")] = "",
    priority: Annotated[int, typer.Option("--priority", help="Higher first.")] = DEFAULT_PRIORITY,
    project: Annotated[str | None, typer.Option("--project", help="A project's id.")] = None,
    catch_up: Annotated[
        CatchUp, typer.Option("--catch-up", help="What becomes of missed slots.")
    ] = CatchUp.LATEST,
    overlap: Annotated[
        Overlap, typer.Option("--overlap", help="While an earlier job is unfinished.")
    ] = Overlap.ALLOW,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Make a schedule and show its next runs."""
    new = NewSchedule(
        name=name,
        job_type=job_type,
        rule=Rule(cron=cron, time_zone=time_zone, interval_seconds=every),
        input_data=json_object(data),
        task_description=description,
        priority=priority,
        project_id=project,
        catch_up=catch_up,
        overlap=overlap,
    )
    with opened() as (console, actor):
        made = console.services.schedules.create(actor, new)
    _print(made, as_json=as_json)


@app.command()
def pause(schedule_id: SCHEDULE_ID, *, as_json: Annotated[bool, JSON_OPTION] = False) -> None:
    """Plan no more runs until it is resumed."""
    with opened() as (console, actor):
        paused = console.services.schedules.pause(actor, schedule_id)
    _print(paused, as_json=as_json)


@app.command()
def resume(schedule_id: SCHEDULE_ID, *, as_json: Annotated[bool, JSON_OPTION] = False) -> None:
    """Go on with the next run from now."""
    with opened() as (console, actor):
        resumed = console.services.schedules.resume(actor, schedule_id)
    _print(resumed, as_json=as_json)


@app.command()
def run(schedule_id: SCHEDULE_ID, *, as_json: Annotated[bool, JSON_OPTION] = False) -> None:
    """Make a job of it now, beside the planned runs."""
    with opened() as (console, actor):
        job = console.services.schedules.run(actor, schedule_id)
    if as_json:
        from agent_console.api.schemas.jobs import JobOut

        document({"job": JobOut.model_validate(job).model_dump(mode="json")})
    else:
        say(f"{job.id}  {job.job_type}  {job.status.value}")


@app.command()
def delete(schedule_id: SCHEDULE_ID, *, as_json: Annotated[bool, JSON_OPTION] = False) -> None:
    """Delete a schedule; its jobs stay."""
    with opened() as (console, actor):
        console.services.schedules.delete(actor, schedule_id)
    if as_json:
        document({"deleted": schedule_id})
    else:
        say(f"{schedule_id} is deleted.")


def _wire(schedule: ScheduleView) -> dict[str, object]:
    from agent_console.api.schemas.schedules import ScheduleOut

    wire: dict[str, object] = ScheduleOut.of(schedule).model_dump(mode="json")
    return wire


def _print(schedule: ScheduleView, *, as_json: bool) -> None:
    if as_json:
        document({"schedule": _wire(schedule)})
        return
    say(f"{schedule.id}  {schedule.name}  {schedule.words}")
    if schedule.paused:
        say("  paused")
    for instant in schedule.next_runs:
        say(f"  {instant.isoformat(timespec='seconds')}  {ago(instant)}")
