"""``health``: is the console, or the worker, of this machine well? For containers and scripts."""

from __future__ import annotations

import socket
from typing import Annotated

import typer

from agent_console.cli.output import JSON_OPTION, document, say
from agent_console.domain.errors import ConsoleError
from agent_console.settings import Settings, load_settings

_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - listened on, asked on loopback


def health(
    *,
    url: Annotated[str, typer.Option(help="The console; default: HOST and PORT.")] = "",
    worker: Annotated[
        bool, typer.Option("--worker", help="Ask for a living worker of this machine instead.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 1 also when it is degraded.")
    ] = False,
    timeout: Annotated[float, typer.Option(min=0.1, max=60, help="Seconds to wait.")] = 4.0,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Exit 0 when requests can be served (or the worker lives), 1 when not; say why."""
    settings = load_settings()
    try:
        if worker:
            status, parts = _worker(settings, timeout)
        else:
            status, parts = _console(url or address(settings), timeout)
    except ConsoleError as error:
        status, parts = "unavailable", {"worker" if worker else "console": error.message}
    if as_json:
        document({"status": status, "components": parts})
    else:
        say("; ".join([status, *(f"{name}: {detail}" for name, detail in parts.items())]))
    if status == "unavailable" or (strict and status != "ok"):
        raise typer.Exit(1)


def address(settings: Settings) -> str:
    """Return where the console of ``settings`` listens, as this machine reaches it."""
    host = _ANYWHERE.get(settings.host, settings.host)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def _console(url: str, timeout: float) -> tuple[str, dict[str, str]]:
    """Return ok, degraded or unavailable, and what is said of each component."""
    from agent_console.gateways.probe import ask

    if ask(url, "/health/ready", timeout).status != 200:
        return "unavailable", {"console": "not ready: the database does not answer"}
    report = ask(url, "/health", timeout).fields
    found = report.get("components")
    parts = found if isinstance(found, dict) else {}
    status = "ok" if report.get("status") == "ok" else "degraded"
    return status, {str(name): _detail(part) for name, part in parts.items()}


def _detail(part: object) -> str:
    if not isinstance(part, dict):
        return str(part)
    return f"{part.get('status')} ({part.get('detail')})"


def _worker(settings: Settings, timeout: float) -> tuple[str, dict[str, str]]:
    """Return ok when a worker of this machine lives, by the database's clock."""
    from agent_console.services.workers import is_alive
    from agent_console.store import migrate
    from agent_console.store.database import Database, StoreOptions
    from agent_console.store.reads import workers

    if migrate.survey(settings.database).current is None:  # makes no file, unlike a connection
        return "unavailable", {"worker": "the database has no schema: agent-console db upgrade"}
    seconds = max(1, round(timeout))
    db = Database(
        settings.database,
        StoreOptions(connect_timeout=seconds, statement_timeout=seconds, busy_timeout=seconds),
    )
    try:
        with db.read() as reader:
            listed = workers.listed(reader)
    finally:
        db.close()
    here = [w for w in listed if w.host == socket.gethostname()]
    living = [w for w in here if is_alive(w, settings.worker_timeout)]
    if not living:
        return "unavailable", {"worker": "no worker of this machine is alive"}
    active = sum(w.active_jobs for w in living)
    return "ok", {"worker": f"{len(living)} alive, {active} jobs running"}
