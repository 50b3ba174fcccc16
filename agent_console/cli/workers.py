"""``workers``: see the workers of every process, start and stop them."""

from __future__ import annotations

from typing import Annotated

import typer

from agent_console.cli.output import JSON_OPTION, Commands, document, table
from agent_console.cli.session import opened
from agent_console.domain.records import Worker

app = typer.Typer(cls=Commands, no_args_is_help=True, help="Workers.")

WORKER_ID = Annotated[str | None, typer.Argument(help="One worker's id; default: all.")]


@app.command("list")
def list_workers(*, as_json: Annotated[bool, JSON_OPTION] = False) -> None:
    """List the workers of every process."""
    with opened() as (console, actor):
        found = console.services.workers.page(actor)
    _print(found, as_json=as_json)


@app.command()
def start(worker_id: WORKER_ID = None, *, as_json: Annotated[bool, JSON_OPTION] = False) -> None:
    """Let a worker (or all) take jobs."""
    with opened() as (console, actor):
        found = console.services.workers.start(actor, worker_id)
    _print(found, as_json=as_json)


@app.command()
def stop(worker_id: WORKER_ID = None, *, as_json: Annotated[bool, JSON_OPTION] = False) -> None:
    """Let a worker (or all) finish what runs and take no more."""
    with opened() as (console, actor):
        found = console.services.workers.stop(actor, worker_id)
    _print(found, as_json=as_json)


def _print(found: list[Worker], *, as_json: bool) -> None:
    if as_json:
        document({"workers": [_shown(worker) for worker in found]})
        return
    rows = [
        (
            w.id,
            f"{w.host}:{w.pid}",
            w.status.value,
            w.desired,
            f"{w.active_jobs}/{w.max_concurrent_jobs}",
            f"{w.heartbeat_age:.0f} s ago",
        )
        for w in found
    ]
    headings = ("Id", "Process", "Status", "Wanted", "Active", "Heartbeat")
    table(headings, rows, empty="No worker has run on this database yet.")


def _shown(worker: Worker) -> dict[str, object]:
    return {
        "id": worker.id,
        "host": worker.host,
        "pid": worker.pid,
        "version": worker.version,
        "status": worker.status.value,
        "desired": worker.desired,
        "activeJobs": worker.active_jobs,
        "maxConcurrentJobs": worker.max_concurrent_jobs,
        "pollInterval": int(worker.poll_interval * 1000),
        "jobTypes": list(worker.job_types),
        "startedAt": worker.started_at,
        "heartbeatAt": worker.heartbeat_at,
    }
