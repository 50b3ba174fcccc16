"""``jobs retry``, ``resume``, ``fail`` and ``fork``: what is done with a job's record."""

from __future__ import annotations

from typing import Annotated

import typer

from agent_console.cli import jobs
from agent_console.cli.jobs import (
    JOB_ID,
    ONE_OR_MANY,
    PROJECT,
    STATUS,
    TYPE,
    USER,
    control_all,
    json_object,
    print_job,
)
from agent_console.cli.output import JSON_OPTION, document, fail, say
from agent_console.cli.session import opened
from agent_console.domain.bulk import JobFilter
from agent_console.domain.forks import ForkPlan, ForkRequest
from agent_console.services.rewinds import Rewound

app = jobs.app  # the same group: these are commands of ``jobs``
DRY_RUN = typer.Option("--dry-run", help="Only say what would be dropped, reused, or how many.")
FROM_STEP = typer.Option("--from-position", min=0, help="A position of the record, counted from 0.")


@app.command()
def retry(
    job_id: ONE_OR_MANY = None,
    *,
    from_position: Annotated[int | None, FROM_STEP] = None,
    status: STATUS = None,
    job_type: TYPE = None,
    user: USER = None,
    project: PROJECT = None,
    dry_run: Annotated[bool, DRY_RUN] = False,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Queue a failed, canceled or parked job again, or all that match; recorded steps stay done."""
    wanted = JobFilter(status=status, job_type=job_type, user_id=user, project_id=project)
    if job_id is None:
        if from_position is not None:
            fail("--from-position belongs to one job.")
        control_all("retry", wanted, dry_run=dry_run, as_json=as_json)
        return
    if wanted.given():
        fail("Name a job or a filter, not both.")
    if from_position is None:
        if dry_run:
            fail("--dry-run belongs to --from-position.")
        with opened() as (console, actor):
            job = console.services.jobs.control(actor, job_id, "retry")
        print_job(job, as_json=as_json)
        return
    with opened() as (console, actor):
        done = console.services.rewinds.retry_from(actor, job_id, from_position, dry_run=dry_run)
    _print_cut(done, as_json=as_json)


@app.command()
def resume(
    job_id: JOB_ID,
    *,
    on_this_version: Annotated[
        bool,
        typer.Option("--on-this-version", help="Cut the record where changed code parted from it."),
    ] = False,
    dry_run: Annotated[bool, DRY_RUN] = False,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Let a held job go on."""
    if not on_this_version:
        if dry_run:
            fail("--dry-run belongs to --on-this-version.")
        with opened() as (console, actor):
            job = console.services.jobs.control(actor, job_id, "resume")
        print_job(job, as_json=as_json)
        return
    with opened() as (console, actor):
        done = console.services.rewinds.resume_here(actor, job_id, dry_run=dry_run)
    _print_cut(done, as_json=as_json)


@app.command("fail")
def give_up(
    job_id: JOB_ID,
    *,
    reason: Annotated[str, typer.Option("--reason", help="Becomes the job's error.")],
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Fail a parked job for good."""
    with opened() as (console, actor):
        job = console.services.rewinds.fail(actor, job_id, reason)
    print_job(job, as_json=as_json)


@app.command()
def fork(
    job_id: JOB_ID,
    *,
    from_position: Annotated[int, FROM_STEP],
    data: Annotated[
        str | None,
        typer.Option("--input", help="Edited input: JSON, @file, or - for standard input."),
    ] = None,
    description: Annotated[str | None, typer.Option("--description")] = None,
    priority: Annotated[int | None, typer.Option("--priority", help="Higher first.")] = None,
    dry_run: Annotated[bool, DRY_RUN] = False,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Make a job that begins with a copy of another's record before a step."""
    wanted = ForkRequest(
        from_position=from_position,
        input_data=None if data is None else json_object(data),
        task_description=description,
        priority=priority,
    )
    with opened() as (console, actor):
        if dry_run:
            job, plan = None, console.services.forks.plan(actor, job_id, wanted)
        else:
            done = console.services.forks.fork(actor, job_id, wanted)
            job, plan = done.job, done.plan
    if as_json:
        from agent_console.api.schemas.forks import ForkAnswer, ForkOut
        from agent_console.api.schemas.jobs import JobOut

        shown = None if job is None else JobOut.model_validate(job)
        answer = ForkAnswer(job=shown, fork=ForkOut.model_validate(plan))
        document(answer.model_dump(mode="json"))
        return
    if job is not None:
        print_job(job, as_json=False)
    _tell_plan(plan)


def _print_cut(done: Rewound, *, as_json: bool) -> None:
    if as_json:
        from agent_console.api.schemas.forks import ControlAnswer

        document(ControlAnswer.of(done.job, done.cut).model_dump(mode="json"))
        return
    print_job(done.job, as_json=False)
    say(f"  {done.cut.kept} recorded calls stay done; {len(done.cut.steps)} are made anew.")
    for one in done.cut.decisions:
        say(f"  asked again: {one.message}")


def _tell_plan(plan: ForkPlan) -> None:
    say(f"  reused: {len(plan.reused_steps)} recorded calls before step {plan.position + 1}")
    if plan.reason:
        say(f"  not all that was asked for: {plan.reason}")
    for one in plan.reused_decisions:
        say(f"  reused: {one.status.value} by {one.decided_by_name}: {one.message}")
    for one in plan.asked_again:
        say(f"  asked again: {one.message} ({one.reason})")
