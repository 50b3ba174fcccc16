"""``job-types``: see what is limited and held, pause, resume, set limits."""

from __future__ import annotations

from typing import Annotated

import typer

from agent_console.cli.output import JSON_OPTION, Commands, document, table
from agent_console.cli.session import opened
from agent_console.domain.limits import Caps, JobTypeState

app = typer.Typer(cls=Commands, no_args_is_help=True, help="Job types: limits and pauses.")

JOB_TYPE = Annotated[str, typer.Argument(help="The job type.")]
REASON = Annotated[str, typer.Option(help="Why; shown to everybody.")]


@app.command("list")
def list_job_types(*, as_json: Annotated[bool, JSON_OPTION] = False) -> None:
    """List the job types with their limits and what runs, waits and is held."""
    with opened() as (console, actor):
        found = console.services.job_types.page(actor)
    _print(found, as_json=as_json)


@app.command()
def pause(
    job_type: JOB_TYPE, *, reason: REASON = "", as_json: Annotated[bool, JSON_OPTION] = False
) -> None:
    """Start no job of the type any more, on any worker; what runs may end."""
    with opened() as (console, actor):
        found = console.services.job_types.pause(actor, job_type, reason)
    _print([found], as_json=as_json)


@app.command()
def resume(
    job_type: JOB_TYPE, *, reason: REASON = "", as_json: Annotated[bool, JSON_OPTION] = False
) -> None:
    """Let jobs of the type start again."""
    with opened() as (console, actor):
        found = console.services.job_types.resume(actor, job_type, reason)
    _print([found], as_json=as_json)


@app.command()
def limit(
    job_type: JOB_TYPE,
    *,
    running: Annotated[int | None, typer.Option(min=0, help="At once, over all workers.")] = None,
    per_key: Annotated[int | None, typer.Option(min=0, help="At once with the same key.")] = None,
    starts: Annotated[int | None, typer.Option(min=0, help="Runs that begin in --per.")] = None,
    per: Annotated[float | None, typer.Option(help="Seconds that --starts is for.")] = None,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Set limits of your own: what is left out is as declared, 0 lifts a limit."""
    caps = Caps(running=running, per_key=per_key, starts=starts, per=per)
    with opened() as (console, actor):
        found = console.services.job_types.limit(actor, job_type, caps)
    _print([found], as_json=as_json)


def _print(found: list[JobTypeState], *, as_json: bool) -> None:
    if as_json:
        document({"jobTypes": [_shown(one) for one in found]})
        return
    rows = [
        (
            one.job_type,
            str(one.running),
            f"{one.queued}{'+' if one.capped else ''}",
            f"{one.held}{'+' if one.capped else ''}",
            one.limits.words or "none",
            "" if one.pause is None else f"by {one.pause.by}: {one.pause.reason or 'no reason'}",
        )
        for one in found
    ]
    headings = ("Job type", "Running", "Queued", "Held", "Limits", "Paused")
    table(headings, rows, empty="No job type is registered.")


def _shown(one: JobTypeState) -> dict[str, object]:
    paused = one.pause
    return {
        "jobType": one.job_type,
        "declared": one.declared.to_json(),
        "overrides": one.overrides.to_json(),
        "limits": one.limits.to_json(),
        "running": one.running,
        "queued": one.queued,
        "held": one.held,
        "capped": one.capped,
        "startsLeft": one.starts_left,
        "pause": None
        if paused is None
        else {"by": paused.by, "at": paused.at, "reason": paused.reason},
    }
