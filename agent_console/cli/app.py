"""The command line's tree."""

from __future__ import annotations

from typing import Annotated

import typer

from agent_console.cli import (
    accounts,
    audit,
    automatic,
    database,
    delegations,
    groups,
    job_types,
    markers,
    notifications,
    ops,
    records,
    retention,
    review_export,
    schedules,
    secrets,
    workers,
)
from agent_console.cli.backup import backup, restore
from agent_console.cli.demo import demo
from agent_console.cli.health import health
from agent_console.cli.output import Commands
from agent_console.cli.seed import seed
from agent_console.cli.serve import serve
from agent_console.cli.verify import verify
from agent_console.cli.worker import worker

app = typer.Typer(
    name="agent-console",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Agents do the work, people decide what may happen.",
)


def _version(*, asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(version("agent-console"))
        raise typer.Exit


@app.callback()
def root(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Agents do the work, people decide what may happen, and what was approved is what runs."""


app.command()(serve)
app.command()(worker)
app.add_typer(database.app, name="db")
app.command()(verify)
app.command()(demo)
app.command()(seed)
app.command()(health)
app.command()(backup)
app.command()(restore)
app.add_typer(accounts.admin, name="admin")
app.add_typer(accounts.user, name="user")
app.add_typer(accounts.token, name="token")
app.add_typer(records.app, name="jobs")  # with the commands of ``jobs``
app.add_typer(job_types.app, name="job-types")
app.add_typer(schedules.app, name="schedules")
app.add_typer(automatic.app, name="policies")  # with the commands of ``policies``
app.add_typer(delegations.app, name="delegations")
app.add_typer(groups.app, name="groups")
app.add_typer(review_export.app, name="checkpoints")  # with the commands of ``checkpoints``
app.add_typer(notifications.app, name="notifications")
app.add_typer(workers.app, name="workers")
app.add_typer(secrets.app, name="secrets")
app.add_typer(audit.app, name="audit")
app.add_typer(retention.app, name="retention")
app.add_typer(markers.app, name="markers")
app.add_typer(ops.app, name="ops")
