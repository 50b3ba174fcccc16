"""``delegations``: who may decide in whose stead."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from agent_console.cli.output import JSON_OPTION, Commands, document, table
from agent_console.cli.session import opened
from agent_console.domain.delegations import Delegation

app = typer.Typer(cls=Commands, no_args_is_help=True, help="Deciding in somebody's stead.")


@app.command("list")
def list_delegations(*, as_json: Annotated[bool, JSON_OPTION] = False) -> None:
    """List the delegations that hold or will."""
    with opened() as (console, actor):
        found = console.services.delegations.page(actor)
    _print(found, as_json=as_json)


@app.command()
def create(
    owner: Annotated[str, typer.Argument(help="Whose right, by e-mail address.")],
    to: Annotated[str, typer.Argument(help="Who decides in their stead, by e-mail address.")],
    until: Annotated[datetime, typer.Argument(help="When it ends, UTC.")],
    *,
    since: Annotated[datetime | None, typer.Option("--from", help="UTC; default: now.")] = None,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Lend an account's right to decide to another one."""
    with opened() as (console, actor):
        made = console.services.delegations.create(
            actor, to, _utc(until), starts_at=None if since is None else _utc(since), owner=owner
        )
    _print([made], as_json=as_json)


@app.command()
def revoke(
    delegation_id: Annotated[str, typer.Argument(help="The delegation's id, dlg_…")],
    *,
    as_json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """End a delegation now."""
    with opened() as (console, actor):
        ended = console.services.delegations.revoke(actor, delegation_id)
    _print([ended], as_json=as_json)


def _utc(at: datetime) -> datetime:
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _print(found: list[Delegation], *, as_json: bool) -> None:
    if as_json:
        from agent_console.api.schemas.delegations import DelegationOut

        shown = [DelegationOut.model_validate(one).model_dump(mode="json") for one in found]
        document({"delegations": shown})
        return
    rows = [
        (one.id, one.from_name, one.to_name, one.starts_at, one.revoked_at or one.ends_at)
        for one in found
    ]
    table(("Id", "Right of", "Decides", "From", "Until"), rows, empty="Nobody stands in.")
