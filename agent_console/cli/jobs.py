"""``jobs``: list, show, enqueue and control jobs."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from agent_console.cli.output import JSON_OPTION, Commands, ago, document, fail, say, table
from agent_console.cli.session import opened
from agent_console.domain.bulk import BulkAction, JobFilter
from agent_console.domain.jobs import DEFAULT_PRIORITY, Job, JobStatus, NewJob
from agent_console.domain.queries import MAX_LIMIT, JobQuery
from agent_console.services.jobs import Action

app = typer.Typer(cls=Commands, no_args_is_help=True, help="Jobs.")

ONE_OR_MANY = Annotated[str | None, typer.Argument(help="The job's id, job_…")]
STATUS = Annotated[JobStatus | None, typer.Option("--status", help="Of all that are.")]
TYPE = Annotated[str | None, typer.Option("--type", help="Of all of a type.")]
USER = Annotated[str | None, typer.Option("--user", help="Of all an account's.")]
PROJECT = Annotated[str | None, typer.Option("--project", help="Of a project's.")]
JOB_ID = Annotated[str, typer.Argument(help="The job's id, job_…")]


@app.command("list")
def list_jobs(
    *,
    status: Annotated[JobStatus | None, typer.Option("--status")] = None,
    job_type: Annotated[str | None, typer.Option("--type", help="The job type.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=MAX_LIMIT)] = 20,
    cursor: Annotated[
        str | None, typer.Option("--cursor", help="Where the last page ended.")
    ] = None,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """List jobs, newest first."""
    query = JobQuery(
        status=status.value if status else None, job_type=job_type, limit=limit, cursor=cursor
    )
    with opened() as (console, actor):
        page = console.services.jobs.page(actor, query)
    if as_json:
        from agent_console.api.schemas.base import Pagination
        from agent_console.api.schemas.jobs import JobSummaryOut

        jobs = [JobSummaryOut.model_validate(job).model_dump(mode="json") for job in page.items]
        document({"jobs": jobs, "pagination": Pagination.of(page).model_dump(mode="json")})
        return
    rows = [
        (job.id, job.job_type, job.status.value, job.priority, job.created_at, job.task_description)
        for job in page.items
    ]
    headings = ("Id", "Type", "Status", "Priority", "Created", "Description")
    table(headings, rows, empty="No jobs match.")


@app.command()
def show(job_id: JOB_ID, *, as_json: Annotated[bool, JSON_OPTION] = False) -> None:
    """Show one job and what happened to it."""
    with opened() as (console, actor):
        detail = console.services.jobs.get(actor, job_id)
    if as_json:
        from agent_console.api.schemas.jobs import JobDetailOut

        document({"job": JobDetailOut.of(detail).model_dump(mode="json")})
        return
    job = detail.job
    say(f"{job.id}  {job.job_type}  {job.status.value}  attempt {job.attempts}/{job.max_attempts}")
    for label, value in (
        ("description", job.task_description),
        ("asked by", job.user_name),
        ("error", job.error and f"{job.error.type}: {job.error.message}"),
        ("parked", job.park_reason and f"{job.park_reason} ({job.park_code or 'unknown'})"),
        ("forked from", _origin(job)),
    ):
        if value:
            say(f"  {label}: {value}")
    for entry in detail.timeline:
        say(f"  {ago(entry.at):>10}  {entry.action}  by {entry.actor_name}")
    for checkpoint in detail.checkpoints:
        say(f"  {checkpoint.id}  {checkpoint.status.value}  {checkpoint.message}")


@app.command()
def enqueue(
    job_type: Annotated[str, typer.Argument(help="A registered job type.")],
    *,
    data: Annotated[
        str, typer.Option("--input", help="JSON, @file, or - for standard input.")
    ] = "{}",
    description: Annotated[str, typer.Option("--description")] = "",
    priority: Annotated[int, typer.Option("--priority", help="Higher first.")] = DEFAULT_PRIORITY,
    run_at: Annotated[
        str | None, typer.Option("--run-at", help="ISO 8601 with a time zone: not before.")
    ] = None,
    delay: Annotated[
        float | None, typer.Option("--delay", help="Seconds from now, instead of --run-at.")
    ] = None,
    key: Annotated[
        str | None, typer.Option("--idempotency-key", help="Enqueue once, however often asked.")
    ] = None,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Give the console a job to run."""
    new = NewJob(
        job_type=job_type,
        input_data=json_object(data),
        task_description=description,
        priority=priority,
        run_at=_instant(run_at),
        delay_seconds=delay,
    )
    with opened() as (console, actor):
        done = console.services.jobs.enqueue(actor, new, idempotency_key=key)
    print_job(done.job, as_json=as_json)


def _control(name: Action, words: str) -> None:
    def command(job_id: JOB_ID, *, as_json: Annotated[bool, JSON_OPTION] = False) -> None:
        with opened() as (console, actor):
            job = console.services.jobs.control(actor, job_id, name)
        print_job(job, as_json=as_json)

    app.command(name, help=words)(command)


def control_all(action: BulkAction, wanted: JobFilter, *, dry_run: bool, as_json: bool) -> None:
    """Start the job that does ``action`` to all that match, or only count them."""
    with opened() as (console, actor):
        if not dry_run:
            print_job(console.services.bulk.start(actor, action, wanted).job, as_json=as_json)
            return
        found = console.services.bulk.count(actor, action, wanted)
    _print_count(found.count, capped=found.capped, as_json=as_json)


@app.command()
def cancel(
    job_id: ONE_OR_MANY = None,
    *,
    status: STATUS = None,
    job_type: TYPE = None,
    user: USER = None,
    project: PROJECT = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count.")] = False,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Cancel a job, or all that match; a running one stops at its next call."""
    wanted = JobFilter(status=status, job_type=job_type, user_id=user, project_id=project)
    if job_id is None:
        control_all("cancel", wanted, dry_run=dry_run, as_json=as_json)
        return
    if wanted.given() or dry_run:
        fail("Name a job or a filter, not both.")
    with opened() as (console, actor):
        job = console.services.jobs.control(actor, job_id, "cancel")
    print_job(job, as_json=as_json)


def _print_count(count: int, *, capped: bool, as_json: bool) -> None:
    if as_json:
        document({"count": count, "capped": capped})
    else:
        say(f"{count:,}{'+' if capped else ''} jobs match.")


_control("execute", "Let a job that waits to be executed into the queue.")
_control("pause", "Hold a job.")


@app.command()
def replay(job_id: JOB_ID, *, as_json: Annotated[bool, JSON_OPTION] = False) -> None:
    """Run a job again from its record, without effects; exit code 1 when something differs."""
    with opened() as (console, actor):
        report = console.services.replays.replay(actor, job_id)
    if as_json:
        from agent_console.api.schemas.replays import ReplayOut

        document({"replay": ReplayOut.model_validate(report).model_dump(mode="json")})
    else:
        say(f"{report.replayed} of {report.calls} recorded calls answered. {report.last}")
        for one in report.differences:
            say(f"  {one.kind.value}: {one.message}")
            for label, value in (("recorded", one.recorded), ("replayed", one.replayed)):
                if value:
                    say(f"    {label}: {value}")
        say("Nothing differs." if report.same else f"Differences: {len(report.differences)}.")
    if not report.same:
        raise typer.Exit(1)


def _origin(job: Job) -> str | None:
    return job.forked_from and f"{job.forked_from}, before step {(job.forked_position or 0) + 1}"


def print_job(job: Any, *, as_json: bool) -> None:
    """Print the job in a line, or as one JSON document."""
    if as_json:
        from agent_console.api.schemas.jobs import JobOut

        document({"job": JobOut.model_validate(job).model_dump(mode="json")})
    else:
        say(f"{job.id}  {job.job_type}  {job.status.value}")


def _instant(text: str | None) -> datetime | None:
    try:
        return None if text is None else datetime.fromisoformat(text)
    except ValueError:
        fail(f"--run-at: {text!r} is not ISO 8601, such as 2026-11-21T07:49:38Z.")


def json_object(text: str) -> dict[str, Any]:
    """Return the object in an option's JSON text, ``@file`` or standard input; else fail."""
    if text == "-":
        text = sys.stdin.read()
    elif text.startswith("@"):
        try:
            text = Path(text[1:]).read_text(encoding="utf-8")
        except OSError as error:
            fail(f"--input: {error}")
    try:
        value = json.loads(text)
    except ValueError as error:
        fail(f"--input is not JSON: {error}")
    if not isinstance(value, dict):
        fail('--input must be a JSON object, such as {"userId": "u-1"}.')
    return value
