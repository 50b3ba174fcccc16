"""``db``: look at the database, bring it to this version's schema, take it back."""

from __future__ import annotations

from typing import Annotated

import typer

from agent_console.cli.output import JSON_OPTION, Commands, document, fail, say
from agent_console.domain.errors import ConsoleError, Misconfigured, Unavailable
from agent_console.settings import Settings, load_settings

app = typer.Typer(
    cls=Commands, no_args_is_help=True, help="Check, upgrade or downgrade the database."
)


@app.command()
def check(*, as_json: Annotated[bool, JSON_OPTION] = False) -> None:
    """Check the connection, each table and the schema's version; advise when something fails."""
    from agent_console.store import migrate

    settings = load_settings()
    try:
        found = migrate.survey(settings.database)
    except ConsoleError as error:
        if as_json:
            document({"ok": False, "error": error.message, "advice": advice(settings, error)})
            raise typer.Exit(1) from None
        fail(error.message, *advice(settings, error))
    if as_json:
        document(
            {
                "ok": found.complete,
                "dialect": found.dialect,
                "server": found.server,
                "current": found.current,
                "head": found.head,
                "tables": found.tables,
            }
        )
    else:
        say(f"PASS  connection: {found.dialect} {found.server}")
        for name, there in found.tables.items():
            say(f"{'PASS' if there else 'FAIL'}  table {name}{'' if there else ' is missing'}")
        at_head = found.current == found.head
        say(
            f"{'PASS' if at_head else 'FAIL'}  schema {found.current or 'none'}, needs {found.head}"
        )
    if not found.complete:
        if not as_json:
            say("Run: agent-console db upgrade")
        raise typer.Exit(1)


@app.command()
def upgrade(*, as_json: Annotated[bool, JSON_OPTION] = False) -> None:
    """Bring the schema to this version."""
    from agent_console.store import migrate

    done = migrate.upgrade(load_settings().database)
    _report(done.before, done.after, as_json=as_json)


@app.command()
def downgrade(
    revision: Annotated[
        str, typer.Argument(help="-1 is one step back, base removes every table.")
    ] = "-1",
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Take the schema back. What only the newer schema can hold is lost: back up first."""
    from agent_console.store import migrate

    settings = load_settings()
    if not yes:
        typer.confirm(f"Take the schema back to {revision} and lose what it holds?", abort=True)
    done = migrate.downgrade(settings.database, revision)
    _report(done.before, done.after, as_json=as_json)


def _report(before: str | None, after: str | None, *, as_json: bool) -> None:
    if as_json:
        document({"before": before, "after": after})
    elif before == after:
        say(f"The schema is at {after} already.")
    else:
        say(f"Schema: {before or 'empty'} → {after or 'empty'}")


def advice(settings: Settings, error: ConsoleError) -> list[str]:
    """Return what to look at, in the order in which it is usually wrong."""
    if isinstance(error, Misconfigured):
        return []
    if settings.database.startswith("sqlite") and isinstance(error, Unavailable):
        return [
            "Is DATABASE_URL (or AGENT_CONSOLE_DATA_DIR) the right place, and writable?",
            "A new database is made by: agent-console db upgrade",
        ]
    return [
        "Is DATABASE_URL right? Form: postgresql://user:password@host:5432/name",
        "Does the server run, and does it take connections (pg_isready -h HOST)?",
        "Does the network let this machine reach it (firewall, TLS, address)?",
        "Once connected, make the tables with: agent-console db upgrade",
    ]
